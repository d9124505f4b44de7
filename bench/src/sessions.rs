//! A session through the default pipeline on `memory`, beside the same JSON as a map of values.
//!
//! The map stands for what session stores usually do: parse everything on a load, serialise everything on a save.
//! It does so without a store around it: its figures have no key, no deadline, no guard and no backend in them.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use rrss::core::{Action, Answer, Operation, Outcome, Payload, Transform};
use rrss::{Expiry, JsonCodec, KeyMapper, Memory, Result, Session, SessionId, Store, Timestamp};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::allocations;
use crate::corpus::{self, BEGIN, CHANGED_FIELD, READ_FIELD, Size};
use crate::measure::{self, Contender, Schedule};
use crate::promise::{Promise, RATIO};
use crate::report::{Compare, Findings, Group, Row, Times};

const FULL: Schedule = Schedule::new(31, Duration::from_millis(100));
const QUICK: Schedule = Schedule::new(7, Duration::from_millis(30));

/// How many sessions there are; they are used one after the other.
const SESSIONS: usize = 256;
const SEED: u64 = 2;

/// Of how many operations the allocations are counted.
const COUNTED: u64 = 10 * SESSIONS as u64;

const PIPELINE: &str = "rrss: key-mapper, expiry, json-codec, memory";
const CODEC: &str = "rrss: json-codec alone";
const MAP: &str = "HashMap<String, Value>";

type Map = HashMap<String, Value>;

/// Measures sessions of one size, and holds the figures to what is promised of 1 KB.
pub fn run(size: Size, quick: bool) -> Result<Findings> {
    let fixture = Fixture::new(size, if quick { QUICK } else { FULL })?;
    fixture.check()?;
    let load = fixture.load();
    let save = fixture.save()?;
    let request = fixture.request();
    let promise = (!allocations::COUNTED).then(|| Promise {
        what: format!("a load and a read of one field, {PIPELINE}, against {MAP}"),
        compare: Compare::Time,
        limit: 0.5,
        measured: load.ratio(PIPELINE),
        unit: RATIO,
    });
    let promises = promise.into_iter().collect();
    Ok((vec![load, save, request], promises))
}

struct Fixture {
    schedule: Schedule,
    runtime: Runtime,
    store: Store,
    codec: JsonCodec,
    /// The ids of the sessions that the store holds.
    ids: Vec<SessionId>,
    /// The same sessions as the codec stores them.
    stored: Vec<Bytes>,
    /// The same sessions as plain JSON, for the map.
    texts: Vec<String>,
    mean_bytes: usize,
}

impl Fixture {
    fn new(size: Size, schedule: Schedule) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime of one thread starts");
        let store = Store::builder()
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(Default::default())
            .step::<JsonCodec>(Default::default())
            .step::<Memory>(Default::default())
            .build()?;
        let codec = JsonCodec::new(Default::default())?;
        let texts = corpus::sessions(SEED, size, SESSIONS);
        let (mut ids, mut stored) = (Vec::new(), Vec::new());
        for text in &texts {
            let (mut session, _) = Session::from_json(text.clone().into(), None)?;
            runtime.block_on(store.save(&mut session))?;
            stored.push(encode(&codec, &session)?);
            ids.extend(session.id().cloned());
        }
        Ok(Self {
            mean_bytes: texts.iter().map(String::len).sum::<usize>() / texts.len(),
            schedule,
            runtime,
            store,
            codec,
            ids,
            stored,
            texts,
        })
    }

    /// All contenders read the same value, and write the same session.
    fn check(&self) -> Result<()> {
        for ((id, stored), text) in self.ids.iter().zip(&self.stored).zip(&self.texts) {
            let mut map = parse(text);
            let mut decoded = decode(&self.codec, stored.clone())?;
            let mut loaded = self.runtime.block_on(load(&self.store, id))?;
            assert!(read(&map).is_some());
            assert_eq!(decoded.get(READ_FIELD)?, read(&map));
            assert_eq!(loaded.get(READ_FIELD)?, read(&map));

            change(&mut map, BEGIN);
            for session in [&mut decoded, &mut loaded] {
                session.insert(CHANGED_FIELD, &BEGIN)?;
                let mut written: Map = serde_json::from_slice(&encode(&self.codec, session)?)
                    .expect("the codec writes JSON");
                // What the codec keeps of a session besides its fields.
                written.remove("$rrss");
                assert_eq!(written, map);
            }
        }
        Ok(())
    }

    fn load(&self) -> Group {
        let (mut a, mut b, mut c) = (Turns::default(), Turns::default(), Turns::default());
        let contenders = vec![
            Contender::new(PIPELINE, move |loads| {
                self.runtime.block_on(async {
                    for _ in 0..loads {
                        let (at, _) = a.next();
                        let session = load(&self.store, &self.ids[at]).await.expect(LOADS);
                        black_box(session.get::<u64>(READ_FIELD)).expect(LOADS);
                    }
                });
            }),
            Contender::new(CODEC, move |loads| {
                for _ in 0..loads {
                    let (at, _) = b.next();
                    let session = decode(&self.codec, self.stored[at].clone()).expect(LOADS);
                    black_box(session.get::<u64>(READ_FIELD)).expect(LOADS);
                }
            }),
            Contender::new(MAP, move |loads| {
                for _ in 0..loads {
                    let (at, _) = c.next();
                    let map = parse(&self.texts[at]);
                    black_box(read(&map)).expect(LOADS);
                }
            }),
        ];
        self.compare("load and read one field", contenders)
    }

    fn save(&self) -> Result<Group> {
        let (mut a, mut b, mut c) = (Turns::default(), Turns::default(), Turns::default());
        let mut loaded = Vec::new();
        for id in &self.ids {
            loaded.push(self.runtime.block_on(load(&self.store, id))?);
        }
        let mut decoded = loaded.clone();
        let mut maps: Vec<Map> = self.texts.iter().map(|text| parse(text)).collect();
        let contenders = vec![
            Contender::new(PIPELINE, move |saves| {
                self.runtime.block_on(async {
                    for _ in 0..saves {
                        let (at, seen) = a.next();
                        loaded[at].insert(CHANGED_FIELD, &seen).expect(SAVES);
                        black_box(self.store.save(&mut loaded[at]).await).expect(SAVES);
                    }
                });
            }),
            Contender::new(CODEC, move |saves| {
                for _ in 0..saves {
                    let (at, seen) = b.next();
                    decoded[at].insert(CHANGED_FIELD, &seen).expect(SAVES);
                    black_box(encode(&self.codec, &decoded[at])).expect(SAVES);
                }
            }),
            Contender::new(MAP, move |saves| {
                for _ in 0..saves {
                    let (at, seen) = c.next();
                    change(&mut maps[at], seen);
                    black_box(serde_json::to_vec(&maps[at])).expect(SAVES);
                }
            }),
        ];
        Ok(self.compare("save with one field changed", contenders))
    }

    fn request(&self) -> Group {
        let (mut a, mut b, mut c) = (Turns::default(), Turns::default(), Turns::default());
        let contenders = vec![
            Contender::new(PIPELINE, move |requests| {
                self.runtime.block_on(async {
                    for _ in 0..requests {
                        let (at, seen) = a.next();
                        let mut session = load(&self.store, &self.ids[at]).await.expect(LOADS);
                        session.insert(CHANGED_FIELD, &seen).expect(SAVES);
                        black_box(self.store.save(&mut session).await).expect(SAVES);
                    }
                });
            }),
            Contender::new(CODEC, move |requests| {
                for _ in 0..requests {
                    let (at, seen) = b.next();
                    let mut session = decode(&self.codec, self.stored[at].clone()).expect(LOADS);
                    session.insert(CHANGED_FIELD, &seen).expect(SAVES);
                    black_box(encode(&self.codec, &session)).expect(SAVES);
                }
            }),
            Contender::new(MAP, move |requests| {
                for _ in 0..requests {
                    let (at, seen) = c.next();
                    let mut map = parse(&self.texts[at]);
                    change(&mut map, seen);
                    black_box(serde_json::to_vec(&map)).expect(SAVES);
                }
            }),
        ];
        self.compare("load, change one field, save", contenders)
    }

    fn compare(&self, what: &str, mut contenders: Vec<Contender<'_>>) -> Group {
        let title = format!("Sessions of {} bytes, {what}", self.mean_bytes);
        let (compare, rows) = if allocations::COUNTED {
            let count = |each: &mut Contender<'_>| {
                let allocations =
                    allocations::per_operation(COUNTED, |count| each.batch.run(count));
                Row::counted(each.name, allocations)
            };
            (
                Compare::Allocations,
                contenders.iter_mut().map(count).collect(),
            )
        } else {
            let samples = measure::in_turns(&title, &mut contenders, self.schedule);
            let time =
                |(each, samples): (&Contender<'_>, _)| Row::timed(each.name, Times::new(samples));
            (
                Compare::Time,
                contenders.iter().zip(&samples).map(time).collect(),
            )
        };
        Group::new(title, compare, MAP, rows)
    }
}

const LOADS: &str = "the session is there and loads";
const SAVES: &str = "the session is there and is saved";

/// Which session is next, and what is written into it.
#[derive(Debug, Default)]
struct Turns(u64);

impl Turns {
    fn next(&mut self) -> (usize, u64) {
        self.0 += 1;
        (self.0 as usize % SESSIONS, BEGIN + self.0)
    }
}

async fn load(store: &Store, id: &SessionId) -> Result<Session> {
    Ok(store.load(id).await?.expect(LOADS))
}

fn decode(codec: &JsonCodec, stored: Bytes) -> Result<Session> {
    let op = Operation::new(Action::Load, Timestamp::from_millis(BEGIN));
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(stored);
    codec.after(&op, &mut answer)?;
    Ok(answer.take_session().expect(LOADS))
}

fn encode(codec: &JsonCodec, session: &Session) -> Result<Bytes> {
    let mut op =
        Operation::new(Action::Update, Timestamp::from_millis(BEGIN)).with_session(session.clone());
    codec.before(&mut op)?;
    op.bytes().cloned()
}

fn parse(text: &str) -> Map {
    serde_json::from_str(text).expect(LOADS)
}

fn read(map: &Map) -> Option<u64> {
    map.get(READ_FIELD)?.as_u64()
}

fn change(map: &mut Map, seen: u64) {
    *map.get_mut(CHANGED_FIELD).expect(SAVES) = seen.into();
}
