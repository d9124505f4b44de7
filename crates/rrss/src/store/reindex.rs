//! The index, put right from the sessions: for all of them on demand, for one when it is used.

use std::sync::Arc;

use futures_util::future::try_join_all;
use rrss_core::{
    Action, Answer, Cursor, Error, ErrorKind, Operation, Outcome, Result, Session, SessionId,
};

use super::Store;
use super::load::Touched;

/// How many sessions are read and written at a time.
const AT_ONCE: usize = 32;

/// How often a session is tried that others change at the same time. Each of those changes puts its entries, too.
const TRIES: usize = 4;

/// What became of one page of sessions: see [`Store::reindex`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reindexed {
    /// How many sessions have their entries now; those without an indexed field have none to have.
    pub indexed: u64,
    /// How many sessions could not be read. They have no entries of this walk, and stay as they are.
    pub unreadable: u64,
    /// Why the first of those could not be read.
    pub first_unreadable: Option<Error>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// What became of one session.
enum Fate {
    Indexed,
    Unreadable(Error),
    Gone,
}

impl Store {
    /// Puts the entries of about `limit` sessions into the index: begin with `None`, go on with [`Reindexed::next`]. After the
    /// last page every session that was there all the while is found by each of its indexed fields.
    ///
    /// Run it where entries are missing: after a failover of a Redis Cluster that lost writes, after a server evicted keys
    /// or somebody deleted them, and after a field was added to the step `index` of a store that has sessions already. It is
    /// safe while others use the store: it changes no session and no deadline. It may stop at any point and begin again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where there is no `index` step, or the key mapper is a plain function. Else as
    /// [`load`](Store::load).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml(r#"step = [{ type = "key-mapper" }, { type = "index", fields = ["user_id"] },
    /// #     { type = "json-codec" }, { type = "memory" }]"#)?;
    /// let mut session = rrss::Session::new();
    /// session.insert("user_id", &42)?;
    /// store.save(&mut session).await?;
    ///
    /// let (mut cursor, mut indexed) = (None, 0);
    /// loop {
    ///     let page = store.reindex(cursor, 256).await?;
    ///     indexed += page.indexed;
    ///     cursor = page.next;
    ///     if cursor.is_none() {
    ///         break;
    ///     }
    /// }
    /// assert_eq!(indexed, 1);
    /// # Ok(()) }
    /// ```
    pub async fn reindex(&self, cursor: Option<Cursor>, limit: usize) -> Result<Reindexed> {
        if self.inner.pipeline.index().is_none() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "sessions are not indexed; put a step `index` above the codec",
            ));
        }
        let page = self.list(cursor, limit).await?;
        let mut done = Reindexed {
            next: page.next,
            ..Reindexed::default()
        };
        for ids in page.ids.chunks(AT_ONCE) {
            for fate in try_join_all(ids.iter().map(|id| self.reindex_one(id))).await? {
                match fate {
                    Fate::Indexed => done.indexed += 1,
                    Fate::Gone => {}
                    Fate::Unreadable(error) => {
                        done.unreadable += 1;
                        done.first_unreadable.get_or_insert(error);
                    }
                }
            }
        }
        Ok(done)
    }

    async fn reindex_one(&self, id: &SessionId) -> Result<Fate> {
        for _ in 0..TRIES {
            let session = match self.inspect(id).await {
                Ok(Some(session)) => session,
                Ok(None) => return Ok(Fate::Gone),
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    return Ok(Fate::Unreadable(error));
                }
                Err(error) => return Err(error),
            };
            match self.put_entries(session).await? {
                Touched::Done => break,
                Touched::Changed => {}
                Touched::Missing => return Ok(Fate::Gone),
            }
        }
        Ok(Fate::Indexed)
    }

    /// Puts the entries of a session that was loaded, if that is what is stored.
    async fn put_entries(&self, session: Session) -> Result<Touched> {
        let mut op = self.guarded(Action::Reindex, session);
        self.touched(&mut op).await
    }

    /// Whether the index may have lost the entries of a session that was just loaded, and this process has not put them for
    /// about a minute. From then on it counts as having put them.
    pub(super) fn is_heal_due(&self, session: &Session) -> bool {
        let Some(rules) = self.inner.pipeline.index() else {
            return false;
        };
        let is_indexed = |field: &Arc<str>| session.contains_key(field);
        self.inner.pipeline.may_lose_entries()
            && rules.fields.iter().any(is_indexed)
            && session
                .id()
                .is_some_and(|id| self.inner.recently_indexed.is_due(id, self.now()))
    }

    /// Puts the entries of a session that was just loaded; `false` where it has ended since.
    pub(super) async fn heal(&self, session: &Session) -> bool {
        match self.put_entries(session.clone()).await {
            Ok(touched) => !matches!(touched, Touched::Missing),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "putting a session that was loaded into the index failed; a load tries again in a minute or two"
                );
                true
            }
        }
    }

    /// Remembers that an operation put the entries of its session.
    pub(super) fn note_indexed(&self, op: &Operation, answer: &Answer) {
        if answer.outcome == Outcome::Done
            && !op.index.put.is_empty()
            && self.inner.pipeline.may_lose_entries()
            && let Some(id) = op.id()
        {
            self.inner.recently_indexed.put(id, op.now());
        }
    }
}
