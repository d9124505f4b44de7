//! Short forms of operations and stores, and each test on both servers.

use std::time::Duration;

use rrss::Store;
use rrss_core::{
    Action, Backend, Clock, Deadline, DurationOption, Guard, KeySpace, Operation, Session,
    SessionId, StorageKey, StoredForm, SystemClock, Timestamp,
};
use rrss_persistence::redis::{Hashes, Layout, Options};
use rrss_test_servers::RedisServer;

/// Makes two tests of each function: one on Redis, one on Valkey, each with a server of its own.
macro_rules! on_both_servers {
    ($($test:ident,)+) => {
        mod redis {
            $(
                #[tokio::test]
                async fn $test() {
                    let server = rrss_test_servers::RedisServer::start(rrss_test_servers::Flavor::Redis);
                    super::$test(server).await;
                }
            )+
        }

        mod valkey {
            $(
                #[tokio::test]
                async fn $test() {
                    let server = rrss_test_servers::RedisServer::start(rrss_test_servers::Flavor::Valkey);
                    super::$test(server).await;
                }
            )+
        }
    };
}

/// A limit that a busy machine does not reach.
pub(crate) const GENEROUS: DurationOption = DurationOption::new(Duration::from_secs(60));

pub(crate) const KEY: &str = "sessions:1";

pub(crate) fn to(url: &str) -> Options {
    Options {
        url: Some(url.parse().unwrap()),
        layout: Layout::Hash,
        ..Options::default()
    }
}

pub(crate) fn generous(url: &str) -> Options {
    Options {
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..to(url)
    }
}

pub(crate) fn connect(server: &RedisServer) -> Hashes {
    Hashes::new(generous(&server.url())).unwrap()
}

/// A store over hashes. `options` are more of those of its `redis` step, and of what follows it.
pub(crate) fn store(server: &RedisServer, options: &str) -> Store {
    let url = server.url();
    Store::from_toml(&format!(
        "[[step]]\ntype = \"key-mapper\"\n\
         [[step]]\ntype = \"redis\"\nlayout = \"hash\"\ntimeout = \"60s\"\nconnect_timeout = \"60s\"\n\
         url = \"{url}\"\n{options}"
    ))
    .unwrap()
}

/// The key of a session of [`store`].
pub(crate) fn key_of(session: &Session) -> String {
    key(session.id().unwrap())
}

pub(crate) fn key(id: &SessionId) -> String {
    format!("sessions:{}", id.as_str())
}

pub(crate) async fn loaded(store: &Store, session: &Session) -> Session {
    store.load(session.id().unwrap()).await.unwrap().unwrap()
}

/// The fields of a session as one JSON value, in no order.
pub(crate) fn fields(session: &Session) -> serde_json::Value {
    session
        .iter_raw()
        .map(|(name, raw)| (name.to_owned(), serde_json::from_str(raw).unwrap()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

pub(crate) fn session(fields: &[(&str, &str)]) -> Session {
    let mut session = Session::new();
    for (name, raw) in fields {
        session.insert_raw(name, raw).unwrap();
    }
    session
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn in_an_hour() -> Deadline {
    Deadline::At(now() + Duration::from_secs(3600))
}

/// An operation on `key` at `now`, in the key space of `sessions:…`.
pub(crate) fn op(action: Action, key: &str, now: Timestamp) -> Operation {
    let mut op = Operation::new(action, now);
    op.key = Some(StorageKey::from(key.to_owned()));
    op.key_space = Some(KeySpace::new("sessions:", ""));
    op
}

pub(crate) fn create(key: &str, session: Session, deadline: Deadline) -> Operation {
    on_session(Action::Create, key, session, deadline)
}

pub(crate) fn update(key: &str, session: Session, deadline: Deadline) -> Operation {
    on_session(Action::Update, key, session, deadline)
}

pub(crate) fn on_session(
    action: Action,
    key: &str,
    session: Session,
    deadline: Deadline,
) -> Operation {
    let mut op = op(action, key, now()).with_session(session);
    op.deadline = deadline;
    op
}

pub(crate) fn touch(key: &str, deadline: Deadline) -> Operation {
    let mut op = op(Action::Touch, key, now());
    op.deadline = deadline;
    op
}

pub(crate) fn delete(key: &str) -> Operation {
    op(Action::Delete, key, now())
}

pub(crate) fn unchanged(op: Operation, stored: &StoredForm) -> Operation {
    let mut op = op;
    op.guard = Guard::Unchanged(stored.clone());
    op
}

/// The session under `key` as a store has it after a load, with its stored form.
pub(crate) async fn read(redis: &Hashes, key: &str, now: Timestamp) -> Option<Session> {
    let mut op = op(Action::Load, key, now);
    op.wants_deadline = true;
    let record = redis.load(&op).await.unwrap()?;
    let mut session = record.payload.session().unwrap().clone();
    session.mark_stored(SessionId::from("1"), record.stored, record.expires_at);
    Some(session)
}

/// The entries of a hash, sorted: `name=value`.
pub(crate) fn entries(server: &RedisServer, key: &str) -> Vec<String> {
    let names = server.command(&["HKEYS", key]);
    let mut entries: Vec<String> = names
        .lines()
        .map(|name| format!("{name}={}", server.command(&["HGET", key, name])))
        .collect();
    entries.sort();
    entries
}

/// The same without what rrss notes beside the fields.
pub(crate) fn stored_fields(server: &RedisServer, key: &str) -> Vec<String> {
    let mut entries = entries(server, key);
    entries.retain(|entry| !entry.starts_with("$rrss="));
    entries
}
