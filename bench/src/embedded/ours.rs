//! Our side: the backend as it is, and a store on top of it.

use std::path::Path;
use std::sync::Arc;

use rrss::core::{Action, Backend as _, Deadline, Operation, Payload, Written};
use rrss::embedded::Options;
use rrss::{Embedded, Expiry, JsonCodec, KeyMapper, Result, Saved, Session, SessionId, Store};

use super::drive::{Saver, shares};
use super::sessions::{Sessions, times};
use crate::corpus::{BEGIN, CHANGED_FIELD};

/// The backend without a pipeline: it is given a key and bytes, as SQLite is.
pub struct Backend {
    embedded: Arc<Embedded>,
    sessions: Arc<Sessions>,
}

impl Backend {
    pub async fn filled(dir: &Path, sessions: &Arc<Sessions>) -> Result<Self> {
        let embedded = Embedded::open(&Options::at(dir.join("backend")))?;
        for at in 0..sessions.len() {
            let written = embedded
                .write(&write(Action::Create, sessions, at, 0))
                .await?;
            assert_eq!(written, Written::Done);
        }
        Ok(Self {
            embedded: Arc::new(embedded),
            sessions: Arc::clone(sessions),
        })
    }

    pub fn savers(&self, tasks: usize) -> impl Iterator<Item = impl Saver> {
        shares(self.sessions.len(), tasks).map(|share| BackendSaver {
            embedded: Arc::clone(&self.embedded),
            sessions: Arc::clone(&self.sessions),
            share,
        })
    }

    /// Every session is there, and whole.
    pub async fn check(&self) -> Result<()> {
        for at in 0..self.sessions.len() {
            let op = write(Action::Load, &self.sessions, at, 0);
            let record = self.embedded.load(&op).await?.expect("it is still there");
            match record.payload {
                Payload::Bytes(bytes) => assert!(self.sessions.is_form(at, &bytes)),
                other => panic!("a backend loads bytes, not {other:?}"),
            }
        }
        Ok(())
    }
}

struct BackendSaver {
    embedded: Arc<Embedded>,
    sessions: Arc<Sessions>,
    share: std::ops::Range<usize>,
}

impl Saver for BackendSaver {
    async fn save(&mut self, at: usize, count: u64) {
        let op = write(Action::Update, &self.sessions, self.share.start + at, count);
        let written = self.embedded.write(&op).await;
        assert_eq!(written.expect("the disk is well"), Written::Done);
    }

    fn share(&self) -> usize {
        self.share.len()
    }
}

/// What a pipeline would ask of the backend.
fn write(action: Action, sessions: &Sessions, at: usize, count: u64) -> Operation {
    let (now, deadline) = times();
    let mut op = Operation::new(action, now);
    op.key = Some(sessions.key(at).to_owned().into());
    op.deadline = Deadline::At(deadline);
    op.payload = Payload::Bytes(sessions.form(at, count).clone());
    op
}

/// The backend in the default pipeline, as an application uses it: a field is changed and the session saved.
pub struct WholeStore {
    store: Store,
    ids: Vec<SessionId>,
}

impl WholeStore {
    pub async fn filled(dir: &Path, sessions: &Sessions) -> Result<Self> {
        let store = Store::builder()
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(Default::default())
            .step::<JsonCodec>(Default::default())
            .step::<Embedded>(Options::at(dir.join("store")))
            .build()?;
        let mut ids = Vec::with_capacity(sessions.len());
        for at in 0..sessions.len() {
            let (mut session, _) = Session::from_json(sessions.form(at, 0).clone(), None)?;
            assert_eq!(store.save(&mut session).await?, Saved::Created);
            ids.extend(session.id().cloned());
        }
        Ok(Self { store, ids })
    }

    pub async fn savers(&self, tasks: usize) -> Result<Vec<impl Saver + use<>>> {
        let mut savers = Vec::with_capacity(tasks);
        for share in shares(self.ids.len(), tasks) {
            let mut sessions = Vec::with_capacity(share.len());
            for id in &self.ids[share] {
                let session = self.store.load(id).await?;
                sessions.push(session.expect("it is still there"));
            }
            savers.push(StoreSaver {
                store: self.store.clone(),
                sessions,
            });
        }
        Ok(savers)
    }

    /// Every session is there, and decodes.
    pub async fn check(&self) -> Result<()> {
        for id in &self.ids {
            let session = self.store.load(id).await?.expect("it is still there");
            assert!(session.get::<u64>(CHANGED_FIELD)?.is_some());
        }
        Ok(())
    }
}

struct StoreSaver {
    store: Store,
    sessions: Vec<Session>,
}

impl Saver for StoreSaver {
    async fn save(&mut self, at: usize, count: u64) {
        let session = &mut self.sessions[at];
        let changed = session.insert(CHANGED_FIELD, &(BEGIN + count));
        changed.expect("a number is JSON");
        let saved = self.store.save(session).await;
        assert_eq!(saved.expect("the disk is well"), Saved::Replaced);
    }

    fn share(&self) -> usize {
        self.sessions.len()
    }
}
