//! actix-session's `RedisSessionStore`, as its middleware calls it.

use std::collections::HashMap;

use actix_session::storage::{RedisSessionStore, SessionKey, SessionStore};
use serde_json::value::RawValue;
use time::Duration;

use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer::{Entrant, Peer, Result, Sample};

pub const NAME: &str = "actix-session";

pub fn entrant() -> Entrant {
    Entrant::new(NAME, |url: String| async move {
        let store = RedisSessionStore::new(url).await;
        store.map(Actix).map_err(Into::into)
    })
}

struct Actix(RedisSessionStore);

/// Each value as JSON text.
type State = HashMap<String, String>;

impl Peer for Actix {
    type Id = String;
    type Session = State;

    async fn create(&self, sample: &Sample) -> Result<String> {
        let fields: HashMap<String, &RawValue> = serde_json::from_str(&sample.text)?;
        let state = fields.into_iter();
        let state = state.map(|(name, value)| (name, value.get().to_owned()));
        let key = self.0.save(state.collect(), &Duration::weeks(1)).await?;
        Ok(key.as_ref().to_owned())
    }

    async fn load(&self, id: &String) -> Result<(State, Option<u64>)> {
        let state = self.0.load(&key(id)?).await?;
        let state = state.ok_or("the session is gone")?;
        let number = state
            .get(READ_FIELD)
            .map(|text| serde_json::from_str(text))
            .transpose()?;
        Ok((state, number))
    }

    /// `update` takes the state away, since for the middleware the request is over then.
    async fn save(&self, id: &String, state: &mut State, seen: u64) -> Result<()> {
        state.insert(CHANGED_FIELD.to_owned(), serde_json::to_string(&seen)?);
        let (key, state) = (key(id)?, std::mem::take(state));
        let updated = self.0.update(key, state, &Duration::weeks(1)).await?;
        if updated.as_ref() == id {
            Ok(())
        } else {
            Err("the session was stored under another id".into())
        }
    }

    fn seen(state: &State) -> Option<u64> {
        state.get(CHANGED_FIELD)?.parse().ok()
    }
}

fn key(id: &str) -> Result<SessionKey> {
    SessionKey::try_from(id.to_owned()).map_err(|_| "it is not a session key".into())
}
