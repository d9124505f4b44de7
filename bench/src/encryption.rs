//! What encrypting and decrypting a session costs: a pipeline with the step beside the same without it, over a backend that
//! answers at once.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use rrss::core::{
    Action, Answer, Backend, Operation, Page, Payload, Record, Result, StorageKey, Transform,
    Written,
};
use rrss::encryption::{Key, KeyOption, Options};
use rrss::{Cursor, Encryption, Pipeline, Shape, Timestamp};
use tokio::runtime::Builder;

use crate::allocations;
use crate::corpus::{self, BEGIN, Size};
use crate::measure::{self, Contender, Schedule};
use crate::promise::Promise;
use crate::report::{Compare, Findings, Group, Row, Times};

const FULL: Schedule = Schedule::new(31, Duration::from_millis(100));
const QUICK: Schedule = Schedule::new(7, Duration::from_millis(30));

/// Of how many operations the allocations are counted.
const COUNTED: u64 = 10_000;

const ENCRYPTED: &str = "with `encryption`";
const PLAIN: &str = "without it";

const KEY: &str = "sessions:b25a1c1e-4d4f-4a53-9b3a-0f5a5f0f6d7c";

const SEED: u64 = 7;

pub fn run(size: Size, quick: bool) -> Result<Findings> {
    let text = Bytes::from(corpus::sessions(SEED, size, 1).remove(0));
    let options = Options::new([KeyOption::new("2026-11".parse()?, Key::generate()?)]);
    let stored = stored(&options, &text)?;
    let encrypted = steps().step::<Encryption>(options);
    let encrypted = encrypted.backend("instant", Instant(stored)).build()?;
    let plain = steps().backend("instant", Instant(text.clone())).build()?;

    let mut findings = (Vec::new(), Vec::new());
    for (action, verb, whole) in [
        (Action::Load, "decrypting", "A load"),
        (Action::Update, "encrypting", "A save"),
    ] {
        let mut contenders = [(ENCRYPTED, &encrypted), (PLAIN, &plain)].map(|(name, pipeline)| {
            let (action, text) = (action.clone(), text.clone());
            let runtime = Builder::new_current_thread()
                .build()
                .expect("a runtime of one thread starts");
            Contender::new(name, move |count| {
                runtime.block_on(async {
                    for _ in 0..count {
                        let mut op = operation(&action, &text);
                        black_box(pipeline.run(black_box(&mut op)).await).expect("it answers");
                    }
                });
            })
        });
        let title = format!(
            "{whole} of a session of {} with the step `encryption` and without it, over a backend that answers at once",
            size.name()
        );
        if allocations::COUNTED {
            let counted: Vec<(&str, f64)> = contenders
                .iter_mut()
                .map(|each| {
                    let counted =
                        allocations::per_operation(COUNTED, |count| each.batch.run(count));
                    (each.name, counted)
                })
                .collect();
            findings.1.push(Promise {
                what: format!("allocations of {verb} a session of {}", size.name()),
                compare: Compare::Allocations,
                limit: 2.5,
                measured: counted[0].1 - counted[1].1,
                unit: "allocations",
            });
            let rows = contenders.iter().zip(&counted);
            let rows = rows.map(|(each, (_, counted))| Row::counted(each.name, *counted));
            let rows = rows.collect();
            findings
                .0
                .push(Group::new(title, Compare::Allocations, PLAIN, rows));
            continue;
        }
        let schedule = if quick { QUICK } else { FULL };
        let samples = measure::in_turns(&title, &mut contenders, schedule);
        if size == Size::Medium {
            findings.1.push(Promise {
                what: format!("{verb} a session of {}", size.name()),
                compare: Compare::Time,
                limit: 1_500.0,
                measured: samples[0].median() - samples[1].median(),
                unit: "ns",
            });
        }
        let rows = contenders.iter().zip(&samples);
        let rows = rows.map(|(each, samples)| Row::timed(each.name, Times::new(samples)));
        let rows = rows.collect();
        findings
            .0
            .push(Group::new(title, Compare::Time, PLAIN, rows));
    }
    Ok(findings)
}

/// The session as the step stores it.
fn stored(options: &Options, text: &Bytes) -> Result<Bytes> {
    let mut op = operation(&Action::Update, text);
    op.key = Some(StorageKey::from(KEY.to_owned()));
    Encryption::new(options, "")?.before(&mut op)?;
    op.bytes().cloned()
}

fn steps() -> rrss::core::PipelineBuilder {
    Pipeline::builder()
        .transform("keys", Shape::anywhere().makes_key(), Keys)
        .before("codec", Shape::codec(), |_| Ok(()))
}

fn operation(action: &Action, text: &Bytes) -> Operation {
    let mut op = Operation::new(action.clone(), Timestamp::from_millis(BEGIN));
    if op.is_write() {
        op.payload = Payload::Bytes(text.clone());
    }
    op
}

/// Gives the key that the session is stored under.
struct Keys;

impl Transform for Keys {
    fn before(&self, op: &mut Operation) -> Result<()> {
        op.key = Some(StorageKey::from(KEY.to_owned()));
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        black_box(&answer.payload);
        Ok(())
    }
}

/// It holds one session.
struct Instant(Bytes);

impl Backend for Instant {
    async fn load(&self, _: &Operation) -> Result<Option<Record>> {
        Ok(Some(Record::new(self.0.clone(), None)))
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
