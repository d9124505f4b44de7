//! Whether compression with a dictionary takes less time than it saves on a network.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use rrss::core::{Action, Answer, Operation, Outcome, Payload, Transform};
use rrss::{Compression, Timestamp, compression};

use super::Field;
use crate::corpus::BEGIN;
use crate::measure::{self, Contender, Schedule};
use crate::peer::Result;
use crate::promise::Promise;
use crate::report::Compare;

const FULL: Schedule = Schedule::new(21, Duration::from_millis(50));
const QUICK: Schedule = Schedule::new(5, Duration::from_millis(20));

/// How long a byte takes at 1 Gbit/s, in nanoseconds.
const BYTE: f64 = 8.0;

/// To compress and decompress a session takes less than the bytes take at 1 Gbit/s that it is smaller by.
pub fn promise(field: &Field, quick: bool) -> Result<Promise> {
    let step = Compression::new(compression::Options {
        dictionary: vec![field.dictionary.clone()],
        min_bytes: 1,
        ..compression::Options::default()
    })?;
    let stored: Vec<&Bytes> = field.samples.iter().map(|sample| &sample.stored).collect();
    let (mut before, mut after) = (0, 0);
    for bytes in &stored {
        let small = compress(&step, bytes)?;
        before += bytes.len();
        after += small.len();
        if decompress(&step, small)? != **bytes {
            return Err("a session is not what was compressed".into());
        }
    }
    let next = Cell::new(0);
    let mut contenders = [Contender::new("compress and decompress", |count| {
        for _ in 0..count {
            next.set((next.get() + 1) % stored.len());
            let small = compress(&step, stored[next.get()]).expect("it compressed before");
            black_box(decompress(&step, small)).expect("it decompressed before");
        }
    })];
    let title = format!(
        "compress and decompress with a dictionary, sessions of {}",
        field.size.name()
    );
    let samples = measure::in_turns(&title, &mut contenders, if quick { QUICK } else { FULL });
    let saved = (before - after) as f64 / stored.len() as f64;
    Ok(Promise {
        what: format!(
            "{title}, {:.0} bytes to {:.0}, against those bytes at 1 Gbit/s",
            before as f64 / stored.len() as f64,
            after as f64 / stored.len() as f64
        ),
        compare: Compare::Time,
        limit: (saved * BYTE).round(),
        measured: samples[0].median(),
        unit: "ns",
    })
}

fn compress(step: &Compression, bytes: &Bytes) -> Result<Bytes> {
    let mut op = Operation::new(Action::Update, Timestamp::from_millis(BEGIN));
    op.payload = Payload::Bytes(bytes.clone());
    step.before(&mut op)?;
    Ok(op.bytes()?.clone())
}

fn decompress(step: &Compression, bytes: Bytes) -> Result<Bytes> {
    let op = Operation::new(Action::Load, Timestamp::from_millis(BEGIN));
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(bytes);
    step.after(&op, &mut answer)?;
    Ok(answer
        .take_bytes()
        .ok_or("compression answers with bytes")?)
}
