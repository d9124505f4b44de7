//! axum_session_redispool under what axum_session does around it.
//!
//! `SessionData` is private to axum_session: the type here has the same fields, and the calls are those of its
//! `load_session` and `store_session`.

use std::collections::HashMap;

use ::axum_session::DatabasePool;
use axum_session_redispool::SessionRedisPool;
use redis_pool::SingleRedisPool;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::{Duration, OffsetDateTime};

use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer::{Entrant, Peer, Result, Sample};

pub const NAME: &str = "axum_session_redispool";

/// What its `SessionConfig` has unless said.
const TABLE: &str = "sessions";

pub fn entrant() -> Entrant {
    Entrant::new(NAME, |url: String| async move {
        let pool = SingleRedisPool::from(redis::Client::open(url)?);
        Ok(Axum(pool.into()))
    })
}

struct Axum(SessionRedisPool);

#[derive(Serialize, Deserialize)]
struct SessionData {
    data: HashMap<String, String>,
    longterm: bool,
}

impl Axum {
    async fn store(&self, id: &str, session: &SessionData) -> Result<()> {
        let text = serde_json::to_string(session)?;
        let expires = OffsetDateTime::now_utc() + Duration::weeks(1);
        let stored = self.0.store(id, &text, expires.unix_timestamp(), TABLE);
        stored.await.map_err(|error| error.to_string().into())
    }
}

impl Peer for Axum {
    type Id = String;
    type Session = SessionData;

    async fn create(&self, sample: &Sample) -> Result<String> {
        let fields: HashMap<String, &RawValue> = serde_json::from_str(&sample.text)?;
        let data = fields.into_iter();
        let data = data.map(|(name, value)| (name, value.get().to_owned()));
        let session = SessionData {
            data: data.collect(),
            longterm: false,
        };
        let id = uuid::Uuid::new_v4().to_string();
        self.store(&id, &session).await?;
        Ok(id)
    }

    async fn load(&self, id: &String) -> Result<(SessionData, Option<u64>)> {
        let text = self.0.load(id, TABLE).await;
        let text = text.map_err(|error| error.to_string())?;
        let session: SessionData = serde_json::from_str(&text.ok_or("the session is gone")?)?;
        let number = session
            .data
            .get(READ_FIELD)
            .map(|text| serde_json::from_str(text))
            .transpose()?;
        Ok((session, number))
    }

    async fn save(&self, id: &String, session: &mut SessionData, seen: u64) -> Result<()> {
        let value = serde_json::to_string(&seen)?;
        session.data.insert(CHANGED_FIELD.to_owned(), value);
        self.store(id, session).await
    }

    fn seen(session: &SessionData) -> Option<u64> {
        session.data.get(CHANGED_FIELD)?.parse().ok()
    }
}
