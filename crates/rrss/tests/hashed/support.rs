//! Subjects with hashed ids, and stores from before and after over one backend.

use std::sync::OnceLock;
use std::time::Duration;

use rrss::core::{Action, OnLimit};
use rrss::{
    Clock, Compression, Embedded, Expiry, Index, JsonCodec, KeyMapper, ManualClock, Memory, Redis,
    Session, SessionId, Store, StoreBuilder, SystemClock, Timestamp, expiry, index, key_mapper,
};

use rrss_test_servers::{Flavor, RedisCluster, RedisServer};
use rrss_testkit::{Gate, Subject};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn memory() -> Subject {
    Subject::new(Memory::default())
}

pub(crate) fn embedded() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let options = rrss::embedded::Options {
        path: folder.path().join("sessions"),
        ..Default::default()
    };
    Subject::of_step::<Embedded>(options).keeping(folder)
}

pub(crate) fn redis(flavor: Flavor) -> Subject {
    Subject::of_step::<Redis>(options(flavor)).real_time()
}

pub(crate) fn redis_hash() -> Subject {
    Subject::of_step::<Redis>(rrss::redis::Options {
        layout: rrss::redis::Layout::Hash,
        ..options(Flavor::Redis)
    })
    .real_time()
}

pub(crate) fn cluster() -> Subject {
    static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| RedisCluster::start(Flavor::Redis));
    let nodes = cluster.nodes();
    let options = rrss::redis::Options {
        nodes: Some(nodes.iter().map(|node| node.parse().unwrap()).collect()),
        ..patient()
    };
    Subject::of_step::<Redis>(options).real_time()
}

/// With limits that a busy machine does not reach.
pub(crate) fn patient() -> rrss::redis::Options {
    rrss::redis::Options {
        timeout: Duration::from_secs(60).into(),
        connect_timeout: Duration::from_secs(60).into(),
        ..Default::default()
    }
}

fn options(flavor: Flavor) -> rrss::redis::Options {
    rrss::redis::Options {
        url: Some(server(flavor).url().parse().unwrap()),
        ..patient()
    }
}

pub(crate) fn server(flavor: Flavor) -> &'static RedisServer {
    static SERVERS: [OnceLock<RedisServer>; 2] = [const { OnceLock::new() }; 2];
    SERVERS[flavor as usize].get_or_init(|| RedisServer::start(flavor))
}

/// How a store makes keys.
#[derive(Clone, Copy)]
pub(crate) enum Keys {
    Raw,
    Hashed,
    HashedSince(Timestamp),
}

impl Keys {
    pub(crate) fn options(self, prefix: &str) -> key_mapper::Options {
        let (hash, until) = match self {
            Self::Raw => (key_mapper::Hash::None, None),
            Self::Hashed => (key_mapper::Hash::Sha256, None),
            Self::HashedSince(until) => (key_mapper::Hash::Sha256, Some(until.into())),
        };
        key_mapper::Options {
            template: format!("{prefix}{{id}}").parse().unwrap(),
            hash,
            accept_raw_keys_until: until,
            ..Default::default()
        }
    }
}

/// The subject under the usual steps, with such keys.
pub(crate) fn under(subject: Subject, keys: Keys) -> Subject {
    let keeps_fields = subject.keeps_fields();
    let steps = move |builder: StoreBuilder, prefix: &str, index: Option<index::Options>| {
        let builder = builder.step::<KeyMapper>(keys.options(prefix));
        // Those that find sessions set deadlines of their own, and touch past them.
        let builder = match index {
            Some(index) => builder.step::<Index>(index),
            None => builder.step::<Expiry>(Default::default()),
        };
        if keeps_fields {
            return builder;
        }
        builder
            .step::<JsonCodec>(Default::default())
            .step::<Compression>(Default::default())
    };
    subject
        .with_steps(move |builder, prefix| steps(builder, prefix, None))
        .with_indexed_steps(move |builder, prefix, index| steps(builder, prefix, Some(index)))
}

/// Stores from before and after ids were hashed, over one backend, whose calls can be held.
pub(crate) struct Change {
    pub(crate) before: Store,
    pub(crate) after: Store,
    pub(crate) clock: ManualClock,
    pub(crate) gate: Gate,
    pub(crate) subject: Subject,
}

impl Change {
    /// Sessions from before are read for an hour from now on.
    pub(crate) fn of(subject: Subject) -> Self {
        Self::limited(subject, None)
    }

    pub(crate) fn limited(subject: Subject, max: Option<usize>) -> Self {
        let clock = ManualClock::at(SystemClock.now());
        let gate = Gate::new();
        let until = clock.now() + HOUR;
        let store = |keys: Keys| {
            let mut steps = Store::builder()
                .clock(clock.clone())
                .step::<KeyMapper>(keys.options(subject.prefix()))
                .step::<Expiry>(expiry::Options {
                    duration: (24 * HOUR).into(),
                    ..Default::default()
                });
            // What keeps fields has neither a codec nor an index above it.
            if !subject.keeps_fields() {
                steps = steps
                    .step::<Index>(index::Options {
                        max_per_value: max.and_then(std::num::NonZeroUsize::new),
                        on_limit: max.map(|_| OnLimit::EvictOldest),
                        ..index::Options::of(["user"])
                    })
                    .step::<JsonCodec>(Default::default());
            }
            steps
                .backend("backend", gate.before(subject.clone()))
                .build()
                .unwrap()
        };
        Self {
            before: store(Keys::Raw),
            after: store(Keys::HashedSince(until)),
            clock,
            gate,
            subject,
        }
    }

    /// A session that was stored before ids were hashed.
    pub(crate) async fn old(&self, user: &str) -> SessionId {
        login(&self.before, user).await
    }

    /// Whether something is stored under the id as it is, and under its digest.
    pub(crate) async fn places(&self, id: &SessionId) -> (bool, bool) {
        let prefix = self.subject.prefix();
        let mut there = [false; 2];
        for (there, name) in there
            .iter_mut()
            .zip([id.as_str().to_owned(), id.digest().name()])
        {
            let mut op = rrss::Operation::new(Action::Load, self.after.now());
            op.key = Some(format!("{prefix}{name}").into());
            let answer = self.after.pipeline().run_on_backend(&op).await.unwrap();
            *there = answer.outcome == rrss::core::Outcome::Found;
        }
        there.into()
    }
}

pub(crate) async fn login(store: &Store, user: &str) -> SessionId {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

pub(crate) async fn loaded(store: &Store, id: &SessionId) -> Session {
    store.load(id).await.unwrap().unwrap()
}

pub(crate) async fn lives(store: &Store, id: &SessionId) -> bool {
    match store.load(id).await {
        // It was rotated away a moment ago.
        Err(error) if error.is_gone() => false,
        found => found.unwrap().is_some(),
    }
}
