//! A store of tower-sessions, whatever it keeps its records in. `load` and `save` are what its middleware calls.

use std::collections::HashMap;

use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};

use super::{Peer, Result, Sample};
use crate::corpus::{CHANGED_FIELD, READ_FIELD};

pub struct TowerSessions<S>(pub S);

/// A record of a session, with the deadline that rrss gives too.
fn record(sample: &Sample) -> Result<Record> {
    let data: HashMap<String, Value> = serde_json::from_str(&sample.text)?;
    Ok(Record {
        id: Id::default(),
        data,
        expiry_date: deadline(),
    })
}

impl<S: SessionStore> Peer for TowerSessions<S> {
    type Id = Id;
    type Session = Record;

    async fn create(&self, sample: &Sample) -> Result<Id> {
        let mut record = record(sample)?;
        self.0.create(&mut record).await?;
        Ok(record.id)
    }

    async fn load(&self, id: &Id) -> Result<(Record, Option<u64>)> {
        let record = self.0.load(id).await?.ok_or("the session is gone")?;
        let number = record.data.get(READ_FIELD).and_then(Value::as_u64);
        Ok((record, number))
    }

    async fn save(&self, _: &Id, record: &mut Record, seen: u64) -> Result<()> {
        record.data.insert(CHANGED_FIELD.to_owned(), seen.into());
        record.expiry_date = deadline();
        Ok(self.0.save(record).await?)
    }

    fn seen(record: &Record) -> Option<u64> {
        record.data.get(CHANGED_FIELD)?.as_u64()
    }
}

fn deadline() -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::weeks(1)
}
