//! What a dictionary saves, and what it costs: the figures of the README.
//!
//! With a number as its argument it prints so many sessions instead, one a line, for `rrss train --from`; with a second
//! number, all of about so many bytes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and stops at the first failure"
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use rrss_compression::{Compression, Options};
use rrss_core::{Action, Answer, Operation, Outcome, Payload, Timestamp, Transform};

const TRAINED_ON: u64 = 4_000;
const MEASURED: u64 = 400;
const ROUNDS: u32 = 10;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// The session of a shop, with as many items in its cart as make it this long.
fn shop(number: u64, bytes: usize) -> Bytes {
    let mut numbers = Numbers((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut text = format!(
        "{{\"user_id\":{},\"roles\":[\"customer\"],\"csrf_token\":\"{:016x}{:016x}\",\"locale\":\"en-GB\",\"cart\":[",
        numbers.next() % 1_000_000,
        numbers.next(),
        numbers.next()
    );
    loop {
        text += &format!(
            "{{\"sku\":\"{:08X}\",\"quantity\":{},\"price\":\"{}.{:02}\",\"added_at\":\"2026-{:02}-{:02}T09:00:00Z\"}}",
            numbers.next() as u32,
            numbers.next() % 9 + 1,
            numbers.next() % 200,
            numbers.next() % 100,
            numbers.next() % 12 + 1,
            numbers.next() % 28 + 1
        );
        if text.len() >= bytes {
            break;
        }
        text.push(',');
    }
    (text + "]}").into()
}

/// The session of another application: no name of a field and no value is that of the shop.
fn forum(number: u64, bytes: usize) -> Bytes {
    let mut numbers = Numbers((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut text = format!("{{\"moderator\":{},\"unread\":{{", number.is_multiple_of(7));
    loop {
        text += &format!(
            "\"topic-{}\":[{},{}]",
            numbers.next() % 100_000,
            numbers.next() % 5_000,
            numbers.next() % 50
        );
        if text.len() >= bytes {
            break;
        }
        text.push(',');
    }
    (text + "}}").into()
}

/// Bytes stored of all sessions, and microseconds to store and to read one.
fn measure(options: &Options, sessions: &[Bytes]) -> (usize, f64, f64) {
    let step = Compression::new(options.clone()).unwrap();
    let write = |text: &Bytes| {
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
        op.payload = Payload::Bytes(text.clone());
        step.before(&mut op).unwrap();
        op
    };
    let read = |op: &Operation| {
        let mut answer = Answer::new(Outcome::Found);
        answer.payload = op.payload.clone();
        step.after(op, &mut answer).unwrap();
        answer
    };
    let stored: Vec<Operation> = sessions.iter().map(write).collect();
    let bytes = stored.iter().map(|op| op.bytes().unwrap().len()).sum();
    let each = |began: Instant| {
        began.elapsed().as_secs_f64() * 1e6 / (f64::from(ROUNDS) * sessions.len() as f64)
    };
    let began = Instant::now();
    for text in (0..ROUNDS).flat_map(|_| sessions) {
        black_box(write(text));
    }
    let writing = each(began);
    let began = Instant::now();
    for op in (0..ROUNDS).flat_map(|_| &stored) {
        black_box(read(op));
    }
    (bytes, writing, each(began))
}

/// Lengths that sessions have side by side.
const LENGTHS: [usize; 3] = [200, 1_000, 4_000];

fn main() {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .map(|number| number.parse().unwrap())
        .collect();
    if let [count, lengths @ ..] = &arguments[..] {
        let lengths = if lengths.is_empty() {
            &LENGTHS
        } else {
            lengths
        };
        for number in 0..*count {
            let text = shop(number as u64, lengths[number % lengths.len()]);
            println!("{}", String::from_utf8_lossy(&text));
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut trained = Vec::new();
    for (name, make) in [("shop", shop as fn(u64, usize) -> Bytes), ("forum", forum)] {
        let samples: Vec<Bytes> = (0..TRAINED_ON)
            .map(|number| make(number, LENGTHS[number as usize % LENGTHS.len()]))
            .collect();
        let path = folder.path().join(name);
        std::fs::write(
            &path,
            zstd::dict::from_samples(&samples, 32 * 1024).unwrap(),
        )
        .unwrap();
        trained.push(path);
    }
    let options = |dictionary: &[std::path::PathBuf]| Options {
        dictionary: dictionary.to_vec(),
        min_bytes: 0,
        ..Options::default()
    };
    println!("| plain | `zstd` 1 | with a dictionary | with that of another application |");
    println!("|---|---|---|---|");
    for length in LENGTHS {
        let held_out: Vec<Bytes> = (TRAINED_ON..TRAINED_ON + MEASURED)
            .map(|number| shop(number, length))
            .collect();
        let plain: usize = held_out.iter().map(Bytes::len).sum();
        print!("| {} bytes", plain / held_out.len());
        for options in [options(&[]), options(&trained[..1]), options(&trained[1..])] {
            let (bytes, writing, reading) = measure(&options, &held_out);
            let bytes = bytes as f64 / held_out.len() as f64;
            print!(" | {bytes:.0} ({writing:.1}, {reading:.1})");
        }
        println!(" |");
    }
}
