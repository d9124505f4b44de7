//! Stores to test with.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use pavex_session::store::SessionRecordRef;
use rrss::{JsonCodec, KeyMapper, ManualClock, Memory, Store, Timestamp};
use rrss_pavex_session::RrssStore;
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::Faults;
use serde_json::Value;

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) type State = HashMap<Cow<'static, str>, Value>;

/// A store in memory that fails when told to, and whose time the test moves.
pub(crate) fn in_memory() -> (RrssStore, Faults, ManualClock) {
    let faults = Faults::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .backend("memory", faults.before(Memory::default()))
        .clock(clock.clone())
        .build()
        .unwrap();
    (RrssStore::new(store), faults, clock)
}

/// Stores on real Redis, one for each way to keep a session there.
pub(crate) fn on_redis() -> (RedisServer, [RrssStore; 2]) {
    let server = RedisServer::start(Flavor::Redis);
    let steps = |prefix: &str, codec: &str, layout: &str| {
        let url = server.url();
        let store = Store::from_toml(&format!(
            "step = [
                {{ type = 'key-mapper', template = '{prefix}:{{id}}' }},
                {codec}
                {{ type = 'redis', url = '{url}', timeout = '60s', connect_timeout = '60s', layout = '{layout}' }},
            ]"
        ));
        RrssStore::new(store.unwrap())
    };
    let stores = [
        steps("texts", "{ type = 'json-codec' },", "string"),
        steps("hashes", "", "hash"),
    ];
    (server, stores)
}

pub(crate) fn given(state: &State, ttl: Duration) -> SessionRecordRef<'_> {
    SessionRecordRef {
        state: Cow::Borrowed(state),
        ttl,
    }
}

pub(crate) fn state<const N: usize>(fields: [(&'static str, Value); N]) -> State {
    fields
        .map(|(name, value)| (Cow::Borrowed(name), value))
        .into()
}
