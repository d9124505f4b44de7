//! A store in memory by a clock that the test moves, whose operations can be counted, held and made to fail.

#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

use std::time::Duration;

use rrss::{
    Conflict, Expiry, JsonCodec, KeyMapper, ManualClock, Memory, Saved, Session, SessionId, Store,
    Timestamp, expiry, json_codec,
};
use rrss_testkit::{Counts, Faults, Gate};
use serde_json::{Map, Value};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) counts: Counts,
    pub(crate) gate: Gate,
    pub(crate) faults: Faults,
}

impl World {
    /// Sessions live an hour from their last change.
    pub(crate) fn new(conflict: Conflict) -> Self {
        Self::build(conflict, Some(an_hour()), Default::default())
    }

    pub(crate) fn with_max_bytes(max_bytes: usize) -> Self {
        let codec = json_codec::Options {
            max_bytes,
            ..Default::default()
        };
        Self::build(Conflict::Merge, Some(an_hour()), codec)
    }

    /// With an `expiry` step of these options, or with none.
    pub(crate) fn with_expiry(options: Option<expiry::Options>) -> Self {
        Self::build(Conflict::Merge, options, Default::default())
    }

    fn build(
        conflict: Conflict,
        expiry: Option<expiry::Options>,
        codec: json_codec::Options,
    ) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
        let (counts, gate, faults) = (Counts::new(), Gate::new(), Faults::new());
        let backend = counts.before(gate.before(faults.before(Memory::default())));
        let mut builder = Store::builder()
            .clock(clock.clone())
            .conflict(conflict)
            .step::<KeyMapper>(Default::default());
        if let Some(options) = expiry {
            builder = builder.step::<Expiry>(options);
        }
        let builder = builder.step::<JsonCodec>(codec);
        Self {
            store: builder.backend("memory", backend).build().unwrap(),
            clock,
            counts,
            gate,
            faults,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// A stored session with these fields.
    pub(crate) async fn saved(&self, fields: Value) -> Session {
        let mut session = Session::new();
        for (name, value) in fields.as_object().unwrap() {
            session.insert(name, value).unwrap();
        }
        assert_eq!(self.store.save(&mut session).await.unwrap(), Saved::Created);
        session
    }

    pub(crate) async fn two_copies(&self, fields: Value) -> (Session, Session) {
        let session = self.saved(fields).await;
        (self.loaded(&session).await, self.loaded(&session).await)
    }

    pub(crate) async fn load(&self, session: &Session) -> Option<Session> {
        match self.store.load(session.id().unwrap()).await {
            // It was rotated away a moment ago.
            Err(error) if error.is_gone() => None,
            loaded => loaded.unwrap(),
        }
    }

    pub(crate) async fn loaded(&self, session: &Session) -> Session {
        self.load(session).await.expect("the session lives")
    }
}

pub(crate) fn an_hour() -> expiry::Options {
    expiry::Options {
        duration: HOUR.into(),
        ..Default::default()
    }
}

pub(crate) fn id(session: &Session) -> SessionId {
    session.id().unwrap().clone()
}

/// The fields of a session as one JSON object.
pub(crate) fn fields(session: &Session) -> Value {
    session
        .iter_raw()
        .map(|(name, raw)| (name.to_owned(), serde_json::from_str(raw).unwrap()))
        .collect::<Map<_, _>>()
        .into()
}
