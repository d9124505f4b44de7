//! pavex_session's `RedisSessionStore`, as its middleware calls it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use pavex_session::SessionId;
use pavex_session::store::{SessionRecordRef, SessionStorageBackend as _};
use pavex_session_redis::{RedisSessionStore, RedisSessionStoreConfig};
use redis_of_pavex::aio::ConnectionManager;
use serde_json::Value;

use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer::{Entrant, Peer, Result, Sample};

pub const NAME: &str = "pavex_session_redis";

const LIVES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub fn entrant() -> Entrant {
    Entrant::new(NAME, |url: String| async move {
        let client = redis_of_pavex::Client::open(url)?;
        let connection = ConnectionManager::new(client).await?;
        let config = RedisSessionStoreConfig::default();
        Ok(Pavex(RedisSessionStore::new(connection, config)))
    })
}

struct Pavex(RedisSessionStore);

type State = HashMap<Cow<'static, str>, Value>;

impl Peer for Pavex {
    type Id = SessionId;
    type Session = State;

    async fn create(&self, sample: &Sample) -> Result<SessionId> {
        let state: State = serde_json::from_str(&sample.text)?;
        let id = SessionId::random();
        self.0.create(&id, record(&state)).await?;
        Ok(id)
    }

    async fn load(&self, id: &SessionId) -> Result<(State, Option<u64>)> {
        let record = self.0.load(id).await?.ok_or("the session is gone")?;
        let number = record.state.get(READ_FIELD).and_then(Value::as_u64);
        Ok((record.state, number))
    }

    async fn save(&self, id: &SessionId, state: &mut State, seen: u64) -> Result<()> {
        state.insert(CHANGED_FIELD.into(), seen.into());
        Ok(self.0.update(id, record(state)).await?)
    }

    fn seen(state: &State) -> Option<u64> {
        state.get(CHANGED_FIELD)?.as_u64()
    }
}

fn record(state: &State) -> SessionRecordRef<'_> {
    SessionRecordRef {
        state: Cow::Borrowed(state),
        ttl: LIVES,
    }
}
