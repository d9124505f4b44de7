//! Whether a store works: it tries each kind of operation on a new session, and asks the backend about itself.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use rrss_core::{Action, Error, Finding, Result, Session, SessionId, Severity, StorageKey};

use super::Store;

/// After this time the session of a trial ends by itself, should removing it fail.
const LIVES: Duration = Duration::from_secs(5 * 60);

/// A field that no application has.
const FIELD: &str = "rrss-examine";

/// What came of an [examination](Store::examine).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Examination {
    /// What the backend found out about itself.
    pub findings: Vec<Finding>,
    /// The operations that were tried, in order.
    pub tried: Vec<Tried>,
}

/// One operation that was tried.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tried {
    /// Its name, as the method of [`Store`] has it.
    pub operation: &'static str,
    /// Why it failed.
    pub error: Option<Error>,
}

impl Examination {
    /// Whether every operation did what it should, and nothing that was found keeps the store from working.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let is_fatal = |finding: &Finding| finding.severity == Severity::Fatal;
        self.first_error().is_none() && !self.findings.iter().any(is_fatal)
    }

    /// Why the first of the operations that failed did.
    #[must_use]
    pub fn first_error(&self) -> Option<&Error> {
        self.tried.iter().find_map(|tried| tried.error.as_ref())
    }
}

impl Store {
    /// Tries each kind of operation that this store may come to, on a new session with values that no other has, and asks the
    /// backend for its version, role, rights, room and clock, so far as it has such. The session is removed at the end,
    /// also where an operation failed; should that fail, it ends within five minutes. No other session is read or changed. The id
    /// that it was rotated from is known for [`rotated_for`](crate::StoreBuilder::rotated_for), as any other.
    ///
    /// For the start of an application, or a check before it goes live; `rrss check --connect` prints it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Store::ping), where the backend is not reached. What else fails is in the answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// let examination = store.examine().await?;
    /// assert!(examination.is_passed());
    /// assert_eq!(store.count().await?, 0);
    /// # Ok(()) }
    /// ```
    pub async fn examine(&self) -> Result<Examination> {
        self.ping().await?;
        let mut examination = Examination {
            findings: self.inner.pipeline.examine(self.now()).await?,
            ..Examination::default()
        };
        let mut session = Session::new();
        self.try_all(&mut session, &mut examination).await;
        if let Some(id) = session.id().cloned() {
            examination.note("delete", self.delete(&id).await);
        }
        Ok(examination)
    }

    /// Stops at the first operation that fails.
    async fn try_all(&self, session: &mut Session, examination: &mut Examination) -> Option<()> {
        let value = unlikely();
        let rules = self.inner.pipeline.index();
        let fields = rules.map_or(&[][..], |rules| &rules.fields);
        for field in fields {
            examination.note("create", session.insert(field, &value))?;
        }
        examination.note("create", session.insert(FIELD, &value))?;
        session.set_expires_at(self.now() + LIVES);
        examination.note("create", self.create(session).await)?;
        let id = session.id()?.clone();

        let loaded = self
            .load(&id)
            .await
            .and_then(|found| found.ok_or_else(lost));
        *session = examination.note("load", loaded)?;
        examination.note("save", session.insert(FIELD, &unlikely()))?;
        examination.note("save", self.save(session).await)?;
        examination.note("touch", self.touch(&id).await.and_then(there))?;
        examination.note("rotate", self.rotate(session).await)?;
        let id = session.id()?.clone();
        match self.list(None, 1).await {
            Err(error) if error.kind() == rrss_core::ErrorKind::Unsupported => {}
            listed => drop(examination.note("list", listed)?),
        }
        if let Some(field) = fields.first() {
            let found = self.find(field, &value, None, 10).await;
            let found = found.and_then(|found| there(found.sessions.iter().any(|one| one.is(&id))));
            examination.note("find", found)?;
        }
        if rules.is_some_and(|rules| rules.keep_expired.is_some()) {
            // To take notes would keep them from listeners for a while.
            let keys = vec![StorageKey::from(unlikely())];
            let mut op = self.operation(Action::ForgetExpired { keys });
            examination.note("on_expired", self.run(&mut op).await)?;
        }
        if let Some(field) = fields.first() {
            let ended = self.revoke(field, &value).await;
            examination.note("revoke", ended.and_then(|ended| there(ended == 1)))?;
            examination.note("revoke", self.is_gone(&id).await)?;
        }
        Some(())
    }

    async fn is_gone(&self, id: &SessionId) -> Result<()> {
        there(self.inspect(id).await?.is_none())
    }
}

impl Examination {
    /// Notes what came of an operation; of several of one name, the first failure.
    fn note<T>(&mut self, operation: &'static str, done: Result<T>) -> Option<T> {
        let (done, error) = match done {
            Ok(done) => (Some(done), None),
            Err(error) => (None, Some(error)),
        };
        match self.tried.last_mut() {
            Some(last) if last.operation == operation => {
                last.error = last.error.take().or(error);
            }
            _ => self.tried.push(Tried { operation, error }),
        }
        done
    }
}

/// A random text.
fn unlikely() -> String {
    let half = || RandomState::new().hash_one(0_u8);
    format!("rrss-examine-{:016x}{:016x}", half(), half())
}

fn there(is_there: bool) -> Result<()> {
    if is_there { Ok(()) } else { Err(lost()) }
}

fn lost() -> Error {
    Error::new(
        rrss_core::ErrorKind::Unavailable,
        "the store does not answer with what it stored a moment before; does another program remove keys, or do two \
         stores have the same prefix?",
    )
}
