//! Who is told of expired sessions, and how: taken with a lease, told, and forgotten only then.

use std::error::Error as StdError;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use rrss_core::{
    Action, Clock, ExpiredNote, Handle, Note, Operation, Outcome, Pipeline, Result, Stop,
    StorageKey,
};

use super::{Expired, unexpected};

/// How many sessions are told of at a time.
const BATCH: usize = 64;

/// For how long nobody else is told of a session that a listener is being told of.
const LEASE: Duration = Duration::from_secs(60);

/// How long a listener may take: so long that a batch is told, and forgotten, well within its lease.
const LONGEST: Duration = Duration::from_secs(30);

type Told = std::result::Result<(), Box<dyn StdError + Send + Sync>>;
type Listener = dyn Fn(Expired) -> BoxFuture<'static, Told> + Send + Sync;

/// The listeners of a store.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<Arc<Listener>>>);

impl Listeners {
    pub(super) fn add<F, Fut, E>(&self, listener: F)
    where
        F: Fn(Expired) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let listener = move |expired| {
            let told = listener(expired);
            async move { told.await.map_err(Into::into) }.boxed()
        };
        let mut listeners = self.0.write().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Arc::new(listener));
    }

    fn all(&self) -> Vec<Arc<Listener>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Tells of all sessions that have expired, batch by batch, until there is none for now or it is to stop. Where nobody
    /// listens, it only sees to it that what is too old is dropped.
    pub(crate) async fn tell(
        &self,
        pipeline: &Pipeline,
        clock: &dyn Clock,
        stop: Option<&Stop>,
    ) -> Result<()> {
        let Some(keep) = pipeline.index().and_then(|rules| rules.keep_expired) else {
            return Ok(());
        };
        let listeners = self.all();
        let limit = if listeners.is_empty() { 0 } else { BATCH };
        let began = clock.now();
        loop {
            let take = Action::TakeExpired {
                limit,
                lease: LEASE,
                keep,
            };
            let mut op = Operation::new(take, clock.now());
            let answer = pipeline.run(&mut op).await?;
            let Outcome::Expired(notes) = answer.outcome else {
                return Err(unexpected(&op, &answer));
            };
            if notes.is_empty() {
                return Ok(());
            }
            let told = join_all(notes.into_iter().map(|note| tell_all(&listeners, note))).await;
            let keys: Vec<StorageKey> = told.into_iter().flatten().collect();
            let failed = keys.is_empty();
            if !failed {
                let mut op = Operation::new(Action::ForgetExpired { keys }, clock.now());
                pipeline.run(&mut op).await?;
            }
            // Where all fail, those of the first batch would come again for ever, once their lease is over.
            let again = failed && clock.now() >= began + LEASE;
            if again || stop.is_some_and(Stop::is_stopped) {
                return Ok(());
            }
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listeners({})", self.all().len())
    }
}

/// Tells all listeners of one session; its key, where none failed.
async fn tell_all(listeners: &[Arc<Listener>], note: ExpiredNote) -> Option<StorageKey> {
    let Note { handle, fields, .. } = match Note::read(&note.note) {
        Ok(note) => note,
        Err(error) => {
            let error: &dyn StdError = &error;
            tracing::warn!(
                error,
                "what was kept of an expired session cannot be read; nobody is told of it"
            );
            return None;
        }
    };
    let expired = Expired {
        handle,
        fields,
        expired_at: note.deadline,
    };
    let told = listeners.iter().map(|listener| tell(listener, &expired));
    let all = join_all(told).await.into_iter().all(|told| told);
    all.then_some(note.key)
}

/// Tells one listener, and says whether it took it in.
async fn tell(listener: &Arc<Listener>, expired: &Expired) -> bool {
    let telling = async { listener(expired.clone()).await };
    let telling = tokio::time::timeout(LONGEST, AssertUnwindSafe(telling).catch_unwind());
    let why = match telling.await {
        Ok(Ok(Ok(()))) => return true,
        Ok(Ok(Err(error))) => {
            let error: &(dyn StdError + 'static) = &*error;
            failed(expired.handle, "it answered an error", Some(error));
            return false;
        }
        Ok(Err(_)) => "it panicked",
        Err(_) => "it took too long",
    };
    failed(expired.handle, why, None);
    false
}

fn failed(session: Handle, why: &str, error: Option<&(dyn StdError + 'static)>) {
    tracing::warn!(
        %session,
        why,
        error,
        "a listener failed to take in that a session has expired; it is told again"
    );
}
