//! A store with many sessions, of which some are used.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rrss::core::DurationOption;
use rrss::{
    Clock as _, Embedded, Expiry, Index, JsonCodec, KeyMapper, ManualClock, Redis, Session,
    SessionId, Store, StoreBuilder, SystemClock, embedded, expiry, index, redis,
};
use tokio::runtime::Runtime;

use crate::corpus::{self, Size};
use crate::peer::{Failed, Result, Rrss};

/// The field that sessions are found by.
pub const INDEXED: &str = "user_id";

/// How many sessions are used, spread over all.
const USED: usize = 2_000;

/// How many sessions are made at once, so that they need not fit into memory.
const CHUNK: usize = 10_000;

/// How many tasks fill a store.
const TASKS: usize = 64;

pub struct Full {
    pub name: &'static str,
    pub peer: Arc<Rrss>,
    /// The ids of the sessions that are used, and whose they are.
    pub ids: Vec<SessionId>,
    pub users: Vec<u64>,
}

/// On the server at `url`, which ends sessions by its own clock.
pub fn on_redis(url: &str) -> Result<Store> {
    let options = redis::Options {
        url: Some(url.parse()?),
        ..redis::Options::default()
    };
    Ok(pipeline().step::<Redis>(options).build()?)
}

/// In this folder, with a clock that can be moved.
pub fn on_embedded(folder: &Path) -> Result<(Store, ManualClock)> {
    let clock = ManualClock::at(SystemClock.now());
    let pipeline = pipeline().step::<Embedded>(embedded::Options::at(folder));
    Ok((pipeline.clock(clock.clone()).build()?, clock))
}

fn pipeline() -> StoreBuilder {
    let expiry = expiry::Options {
        // No sweep but those that are measured.
        resolution: DurationOption::new(Duration::from_secs(24 * 60 * 60)),
        ..expiry::Options::default()
    };
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry)
        .step::<Index>(index::Options::of([INDEXED]))
        .step::<JsonCodec>(Default::default())
}

impl Full {
    /// Stores so many sessions, one for nearly every user.
    pub fn new(
        name: &'static str,
        store: Store,
        runtime: &Rc<Runtime>,
        size: Size,
        count: usize,
    ) -> Result<Self> {
        eprintln!("storing {count} sessions of {}", size.name());
        let chunks = count.div_ceil(CHUNK);
        let (mut ids, mut users) = (Vec::new(), Vec::new());
        for chunk in 0..chunks {
            let made = create(&store, runtime, size, chunk as u64, CHUNK)?;
            for (id, user) in made.into_iter().step_by((count / USED).max(1)) {
                ids.push(id);
                users.push(user);
            }
        }
        Ok(Self {
            name,
            peer: Arc::new(Rrss(store)),
            ids,
            users,
        })
    }
}

/// Stores so many new sessions, by many tasks, and says whose they are.
pub fn create(
    store: &Store,
    runtime: &Rc<Runtime>,
    size: Size,
    seed: u64,
    count: usize,
) -> Result<Vec<(SessionId, u64)>> {
    let texts: Arc<[String]> = corpus::sessions(1_000 + seed, size, count).into();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, texts) = (store.clone(), Arc::clone(&texts));
            runtime.spawn(async move {
                let mut made = Vec::new();
                for text in &texts[count * task / TASKS..count * (task + 1) / TASKS] {
                    let (mut session, _) = Session::from_json(text.clone().into(), None)?;
                    store.save(&mut session).await?;
                    let user = session.get(INDEXED)?.ok_or("a session is somebody's")?;
                    made.push((session.id().cloned().ok_or("it was not stored")?, user));
                }
                Ok::<_, Failed>(made)
            })
        })
        .collect();
    let mut made = Vec::with_capacity(count);
    for task in tasks {
        made.extend(runtime.block_on(task)??);
    }
    Ok(made)
}
