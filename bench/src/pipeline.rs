//! What the pipeline itself costs: five steps over a backend that answers at once, beside a call of that backend.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use rrss::core::{
    Action, Answer, Backend, Operation, Page, Record, Result, StorageKey, Transform, Written,
};
use rrss::key_mapper::Hash;
use rrss::{Cursor, KeyMapper, Pipeline, SessionId, Shape, Timestamp, key_mapper};
use tokio::runtime::Builder;

use crate::allocations;
use crate::corpus::BEGIN;
use crate::measure::{self, Contender, Schedule};
use crate::promise::Promise;
use crate::report::{Compare, Findings, Group, Row, Times};

const FULL: Schedule = Schedule::new(31, Duration::from_millis(100));
const QUICK: Schedule = Schedule::new(7, Duration::from_millis(30));

/// Of how many operations the allocations are counted.
const COUNTED: u64 = 10_000;

const PIPELINE: &str = "five transforms";
const BACKEND: &str = "the backend alone";

const HASHED: &str = "`key-mapper`, hash = \"sha256\"";
const PLAIN: &str = "`key-mapper`";

const KEY: &str = "sessions:b25a1c1e-4d4f-4a53-9b3a-0f5a5f0f6d7c";

pub fn run(quick: bool) -> Result<Findings> {
    let (mut groups, mut promises) = alone(quick)?;
    let (group, promise) = hashed(quick)?;
    groups.push(group);
    promises.extend(promise);
    Ok((groups, promises))
}

/// What it costs that the key is made of a digest of the id.
fn hashed(quick: bool) -> Result<(Group, Option<Promise>)> {
    let runtime = Builder::new_current_thread()
        .build()
        .expect("a runtime of one thread starts");
    let pipeline = |hash| {
        Pipeline::builder()
            .step::<KeyMapper>(key_mapper::Options {
                hash,
                ..Default::default()
            })
            .transform("codec", Shape::codec(), Nothing)
            .backend("instant", Instant)
            .build()
    };
    let (hashed, plain) = (pipeline(Hash::Sha256)?, pipeline(Hash::None)?);
    let id = SessionId::from(&KEY["sessions:".len()..]);
    let load = |pipeline: &Pipeline, loads| {
        runtime.block_on(async {
            for _ in 0..loads {
                let mut op = operation().with_id(id.clone());
                black_box(pipeline.run(black_box(&mut op)).await).expect(ANSWERS);
            }
        });
    };
    let mut contenders = [
        Contender::new(HASHED, |loads| load(&hashed, loads)),
        Contender::new(PLAIN, |loads| load(&plain, loads)),
    ];
    let title = "A load by a hashed id, over a backend that answers at once";
    if allocations::COUNTED {
        let rows = contenders.iter_mut().map(|each| {
            let counted = allocations::per_operation(COUNTED, |loads| each.batch.run(loads));
            Row::counted(each.name, counted)
        });
        let rows = rows.collect();
        let group = Group::new(title.to_owned(), Compare::Allocations, PLAIN, rows);
        return Ok((group, None));
    }
    let schedule = if quick { QUICK } else { FULL };
    let samples = measure::in_turns(title, &mut contenders, schedule);
    let promise = Promise {
        what: "a key of the digest of an id, more than one of the id".to_owned(),
        compare: Compare::Time,
        limit: 500.0,
        measured: samples[0].median() - samples[1].median(),
        unit: "ns",
    };
    let rows = contenders.iter().zip(&samples);
    let rows = rows.map(|(each, samples)| Row::timed(each.name, Times::new(samples)));
    let group = Group::new(title.to_owned(), Compare::Time, PLAIN, rows.collect());
    Ok((group, Some(promise)))
}

fn alone(quick: bool) -> Result<Findings> {
    let runtime = Builder::new_current_thread()
        .build()
        .expect("a runtime of one thread starts");
    let pipeline = Pipeline::builder()
        .transform("a", Shape::anywhere().makes_key(), Key)
        .transform("b", Shape::anywhere(), Nothing)
        .transform("c", Shape::on_session(), Nothing)
        .transform("d", Shape::codec(), Nothing)
        .transform("e", Shape::on_bytes(), Nothing)
        .backend("instant", Instant)
        .build()?;
    let mut contenders = [
        Contender::new(PIPELINE, |loads| {
            runtime.block_on(async {
                for _ in 0..loads {
                    let mut op = operation();
                    black_box(pipeline.run(black_box(&mut op)).await).expect(ANSWERS);
                }
            });
        }),
        Contender::new(BACKEND, |loads| {
            runtime.block_on(async {
                for _ in 0..loads {
                    let mut op = operation();
                    op.key = Some(StorageKey::from(KEY.to_owned()));
                    black_box(Instant.load(black_box(&op)).await).expect(ANSWERS);
                }
            });
        }),
    ];
    let title =
        "A load through five transforms that do nothing, over a backend that answers at once";
    if allocations::COUNTED {
        let rows = contenders.iter_mut().map(|each| {
            let counted = allocations::per_operation(COUNTED, |loads| each.batch.run(loads));
            Row::counted(each.name, counted)
        });
        let group = Group::new(
            title.to_owned(),
            Compare::Allocations,
            BACKEND,
            rows.collect(),
        );
        return Ok((vec![group], Vec::new()));
    }
    let schedule = if quick { QUICK } else { FULL };
    let samples = measure::in_turns(title, &mut contenders, schedule);
    let promise = Promise {
        what: "five transforms over a backend that answers at once, more than that backend alone"
            .to_owned(),
        compare: Compare::Time,
        limit: 300.0,
        measured: samples[0].median() - samples[1].median(),
        unit: "ns",
    };
    let rows = contenders.iter().zip(&samples);
    let rows = rows.map(|(each, samples)| Row::timed(each.name, Times::new(samples)));
    let group = Group::new(title.to_owned(), Compare::Time, BACKEND, rows.collect());
    Ok((vec![group], vec![promise]))
}

const ANSWERS: &str = "it answers at once";

fn operation() -> Operation {
    Operation::new(Action::Load, Timestamp::from_millis(BEGIN))
}

/// Gives the key that the other side has too.
struct Key;

impl Transform for Key {
    fn before(&self, op: &mut Operation) -> Result<()> {
        op.key = Some(StorageKey::from(KEY.to_owned()));
        Ok(())
    }
}

/// Is called on both ways, and only looks.
struct Nothing;

impl Transform for Nothing {
    fn before(&self, op: &mut Operation) -> Result<()> {
        black_box(op.is_write());
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        black_box(&answer.outcome);
        Ok(())
    }
}

struct Instant;

impl Backend for Instant {
    async fn load(&self, _: &Operation) -> Result<Option<Record>> {
        Ok(Some(Record::new(Bytes::from_static(b"{}"), None)))
    }

    async fn write(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn touch(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn delete(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> {
        Ok(Page::default())
    }

    async fn count(&self, _: &Operation) -> Result<u64> {
        Ok(1)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}
