//! The limit: the bytes that rrss stores, fetched and set by the client alone, which knows nothing of sessions.

use std::time::Duration;

use bytes::Bytes;
use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::Config;
use fred::types::{Expiration, SetOptions};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, ExistenceCheck, SetExpiry};
use rrss::{Clock as _, SystemClock};

use crate::peer::{Entrant, Peer, Result, Sample};

pub const REDIS_RS: &str = "raw redis-rs";
pub const FRED: &str = "raw fred";

const LIVES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub fn entrants() -> Vec<Entrant> {
    vec![
        Entrant::new(REDIS_RS, |url: String| async move {
            let client = redis::Client::open(url)?;
            let connection = client.get_multiplexed_async_connection().await?;
            Ok(RedisRs(connection))
        }),
        Entrant::new(FRED, |url: String| async move {
            let client = Client::new(Config::from_url(&url)?, None, None, None);
            client.init().await?;
            Ok(Fred(client))
        }),
    ]
}

struct RedisRs(MultiplexedConnection);

impl RedisRs {
    async fn set(&self, id: &str, bytes: &Bytes, only_if: ExistenceCheck) -> Result<()> {
        let options = redis::SetOptions::default()
            .conditional_set(only_if)
            .with_expiration(SetExpiry::PXAT(deadline()));
        let mut connection = self.0.clone();
        let set: bool = connection.set_options(id, &bytes[..], options).await?;
        set.then_some(()).ok_or_else(|| "it was not set".into())
    }
}

impl Peer for RedisRs {
    type Id = String;
    type Session = Bytes;

    async fn create(&self, sample: &Sample) -> Result<String> {
        let id = key();
        self.set(&id, &sample.stored, ExistenceCheck::NX).await?;
        Ok(id)
    }

    async fn load(&self, id: &String) -> Result<(Bytes, Option<u64>)> {
        let found: Option<Bytes> = self.0.clone().get(id).await?;
        Ok((found.ok_or("the key is gone")?, None))
    }

    /// The same bytes again: it cannot change a field.
    async fn save(&self, id: &String, session: &mut Bytes, _: u64) -> Result<()> {
        self.set(id, session, ExistenceCheck::XX).await
    }

    fn seen(_: &Bytes) -> Option<u64> {
        None
    }
}

struct Fred(Client);

impl Fred {
    async fn set(&self, id: &str, bytes: &Bytes, only_if: SetOptions) -> Result<()> {
        let expires = Expiration::PXAT(deadline() as i64);
        let set: Option<String> = self
            .0
            .set(id, bytes.clone(), Some(expires), Some(only_if), false)
            .await?;
        set.map(drop).ok_or_else(|| "it was not set".into())
    }
}

impl Peer for Fred {
    type Id = String;
    type Session = Bytes;

    async fn create(&self, sample: &Sample) -> Result<String> {
        let id = key();
        self.set(&id, &sample.stored, SetOptions::NX).await?;
        Ok(id)
    }

    async fn load(&self, id: &String) -> Result<(Bytes, Option<u64>)> {
        let found: Option<Bytes> = self.0.get(id).await?;
        Ok((found.ok_or("the key is gone")?, None))
    }

    async fn save(&self, id: &String, session: &mut Bytes, _: u64) -> Result<()> {
        self.set(id, session, SetOptions::XX).await
    }

    fn seen(_: &Bytes) -> Option<u64> {
        None
    }
}

/// A key like those that rrss makes.
fn key() -> String {
    format!("sessions:{}", uuid::Uuid::new_v4())
}

/// A week from now, as rrss gives it too, in milliseconds since 1970.
fn deadline() -> u64 {
    (SystemClock.now() + LIVES).as_millis()
}
