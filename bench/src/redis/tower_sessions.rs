//! tower-sessions-redis-store, with one client of fred as everybody else has one connection, and with a pool of six
//! as its README shows it.

use fred::clients::{Client, Pool};
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use tower_sessions_redis_store::RedisStore;

use crate::peer::{Entrant, TowerSessions};

pub const CLIENT: &str = "tower-sessions-redis-store";
pub const POOL: &str = "tower-sessions-redis-store, pool of 6";

pub fn entrants() -> Vec<Entrant> {
    vec![
        Entrant::new(CLIENT, |url: String| async move {
            let client = Client::new(Config::from_url(&url)?, None, None, None);
            client.init().await?;
            Ok(TowerSessions(RedisStore::new(client)))
        }),
        Entrant::new(POOL, |url: String| async move {
            let pool = Pool::new(Config::from_url(&url)?, None, None, None, 6)?;
            pool.init().await?;
            Ok(TowerSessions(RedisStore::new(pool)))
        }),
    ]
}
