//! A store whose stored bytes a test can overwrite, as a broken disk or another program does.

use std::time::Duration;

use bytes::Bytes;
use rrss::core::{Action, Outcome, Payload};
use rrss::{
    Conflict, Expiry, Index, JsonCodec, KeyMapper, ManualClock, Memory, OnCorrupt, Operation,
    Quarantine, QuarantineName, Quarantined, Session, SessionId, Store, StoreBuilder, Timestamp,
    expiry, index,
};
use rrss_testkit::{Counts, Faults, Gate};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is no session in any format that the steps know, and must not be shown.
pub(crate) const BROKEN: &[u8] = b"\xff\x00 hunter2hunter2";

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) counts: Counts,
    pub(crate) gate: Gate,
    pub(crate) faults: Faults,
}

impl World {
    pub(crate) fn new(on_corrupt: OnCorrupt) -> Self {
        Self::with(on_corrupt, Conflict::Merge)
    }

    pub(crate) fn with(on_corrupt: OnCorrupt, conflict: Conflict) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
        let (counts, gate, faults) = (Counts::new(), Gate::new(), Faults::new());
        let backend = counts.before(gate.before(faults.before(Memory::default())));
        let store = steps()
            .clock(clock.clone())
            .conflict(conflict)
            .on_corrupt(on_corrupt)
            .quarantine_for(30 * DAY)
            .backend("memory", backend)
            .build()
            .unwrap();
        Self {
            store,
            clock,
            counts,
            gate,
            faults,
        }
    }

    /// A stored session whose bytes are broken.
    pub(crate) async fn broken(&self) -> Session {
        let session = login(&self.store, "ann-ann-ann").await;
        overwrite(&self.store, id(&session), BROKEN).await;
        session
    }
}

pub(crate) fn steps() -> StoreBuilder {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry::Options {
            duration: HOUR.into(),
            ..Default::default()
        })
        .step::<Index>(index::Options::of(["user"]))
        .step::<JsonCodec>(Default::default())
}

pub(crate) async fn login(store: &Store, user: &str) -> Session {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    store.save(&mut session).await.unwrap();
    session
}

pub(crate) fn id(session: &Session) -> &SessionId {
    session.id().unwrap()
}

/// An operation past the steps, on the key of a session.
pub(crate) async fn past_the_steps(
    store: &Store,
    action: Action,
    id: &SessionId,
    bytes: Option<Bytes>,
) -> rrss::core::Answer {
    let mut op = Operation::new(action, store.now()).with_id(id.clone());
    assert!(store.pipeline().prepare(&mut op).unwrap());
    op.payload = bytes.map_or(Payload::None, Payload::Bytes);
    op.index = Default::default();
    op.deadline = rrss::core::Deadline::Keep;
    op.wants_deadline = true;
    store.pipeline().run_on_backend(&op).await.unwrap()
}

/// Replaces what is stored, keeping its deadline.
pub(crate) async fn overwrite(store: &Store, id: &SessionId, bytes: &[u8]) {
    let bytes = Some(Bytes::copy_from_slice(bytes));
    let answer = past_the_steps(store, Action::Update, id, bytes).await;
    assert_eq!(answer.outcome, Outcome::Done);
}

/// What is stored, as it is.
pub(crate) async fn raw(store: &Store, id: &SessionId) -> Option<Bytes> {
    let mut answer = past_the_steps(store, Action::Load, id, None).await;
    answer.take_bytes()
}

pub(crate) async fn deadline(store: &Store, id: &SessionId) -> Option<Timestamp> {
    past_the_steps(store, Action::Load, id, None)
        .await
        .expires_at
}

pub(crate) async fn names(store: &Store) -> Vec<QuarantineName> {
    let quarantine = store.quarantine().unwrap();
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = quarantine.names(cursor, 3).await.unwrap();
        names.extend(page.names);
        cursor = page.next;
        if cursor.is_none() {
            names.sort();
            names.dedup();
            return names;
        }
    }
}

/// The only entry of the quarantine.
pub(crate) async fn entry(store: &Store) -> Quarantined {
    let names = names(store).await;
    assert_eq!(names.len(), 1);
    get(&store.quarantine().unwrap(), &names[0]).await
}

pub(crate) async fn get(quarantine: &Quarantine<'_>, name: &QuarantineName) -> Quarantined {
    quarantine.get(name).await.unwrap().unwrap()
}

/// A backend that two stores use.
pub(crate) struct Shared(pub(crate) std::sync::Arc<rrss::Memory>);

impl rrss::core::Backend for Shared {
    async fn load(&self, op: &rrss::Operation) -> rrss::Result<Option<rrss::core::Record>> {
        self.0.load(op).await
    }
    async fn write(&self, op: &rrss::Operation) -> rrss::Result<rrss::core::Written> {
        self.0.write(op).await
    }
    async fn touch(&self, op: &rrss::Operation) -> rrss::Result<rrss::core::Written> {
        self.0.touch(op).await
    }
    async fn delete(&self, op: &rrss::Operation) -> rrss::Result<rrss::core::Written> {
        self.0.delete(op).await
    }
    async fn find(
        &self,
        op: &rrss::Operation,
        entry: &rrss::core::IndexKey,
        cursor: Option<&rrss::Cursor>,
        limit: usize,
    ) -> rrss::Result<rrss::core::Page> {
        self.0.find(op, entry, cursor, limit).await
    }
    fn keeps_index(&self) -> bool {
        true
    }
    async fn list(
        &self,
        op: &rrss::Operation,
        cursor: Option<&rrss::Cursor>,
        limit: usize,
    ) -> rrss::Result<rrss::core::Page> {
        self.0.list(op, cursor, limit).await
    }
    async fn count(&self, op: &rrss::Operation) -> rrss::Result<u64> {
        self.0.count(op).await
    }
    async fn ping(&self) -> rrss::Result<()> {
        Ok(())
    }
}
