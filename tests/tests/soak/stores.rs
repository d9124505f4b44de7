//! Stores with the default steps.

use rrss::{SessionId, Store};
use rrss_test_servers::RedisCluster;

/// A store whose last step, the backend, is this line of TOML.
pub(crate) fn store(backend: &str) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry', duration = '1h' }},
            {{ type = 'json-codec' }},
            {{ {backend} }},
        ]"
    ))
    .unwrap()
}

/// Sessions as hashes, which know their fields: so there is no codec, nor one for the fields' values.
pub(crate) fn hashes(url: &str) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry', duration = '1h' }},
            {{ type = 'redis', url = '{url}', layout = 'hash', timeout = '30s', connect_timeout = '30s' }},
        ]"
    ))
    .unwrap()
}

/// With limits that a busy machine does not reach.
pub(crate) fn redis(place: &str) -> Store {
    store(&format!(
        "type = 'redis', {place}, timeout = '30s', connect_timeout = '30s'"
    ))
}

pub(crate) fn on(cluster: &RedisCluster) -> Store {
    redis(&format!("nodes = {:?}", &cluster.nodes()[..2]))
}

/// The key of a session, as `key-mapper` makes it by default.
pub(crate) fn key(id: &SessionId) -> String {
    format!("sessions:{}", id.as_str())
}
