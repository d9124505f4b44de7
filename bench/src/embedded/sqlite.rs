//! SQLite as a session store uses it: a row for each session, an index on the deadline, and the write-ahead log with
//! `synchronous = NORMAL`, which like the `embedded` backend survives a killed process but not a power loss
//! (<https://www.sqlite.org/pragma.html#pragma_synchronous>).

use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::{Connection, Result};
use tokio::sync::oneshot;

use super::drive::{Saver, shares};
use super::sessions::{Sessions, times};

/// Replaces a session that has not ended; what the `embedded` backend does for an update.
const UPDATE: &str =
    "UPDATE sessions SET data = ?2, expires_at = ?3 WHERE id = ?1 AND expires_at > ?4";

/// A database file that holds the sessions.
pub struct Database {
    path: PathBuf,
    sessions: Arc<Sessions>,
}

impl Database {
    pub fn filled(path: PathBuf, sessions: &Arc<Sessions>) -> Result<Self> {
        let database = Self {
            path,
            sessions: Arc::clone(sessions),
        };
        let mut connection = database.connect()?;
        connection.execute_batch(
            "CREATE TABLE sessions (id TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL, expires_at INTEGER NOT NULL);
             CREATE INDEX sessions_by_deadline ON sessions (expires_at);",
        )?;
        let transaction = connection.transaction()?;
        for at in 0..sessions.len() {
            let (_, deadline) = times();
            transaction
                .prepare_cached("INSERT INTO sessions (id, data, expires_at) VALUES (?1, ?2, ?3)")?
                .execute((
                    sessions.key(at),
                    &sessions.form(at, 0)[..],
                    deadline.as_millis() as i64,
                ))?;
        }
        transaction.commit()?;
        Ok(database)
    }

    /// Every session is there, and whole.
    pub fn check(&self) -> Result<()> {
        let connection = self.connect()?;
        let mut select = connection.prepare("SELECT data FROM sessions WHERE id = ?1")?;
        for at in 0..self.sessions.len() {
            let data: Vec<u8> = select.query_row([self.sessions.key(at)], |row| row.get(0))?;
            assert!(self.sessions.is_form(at, &data));
        }
        Ok(())
    }

    fn connect(&self) -> Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        // 64 MiB: every page stays in memory, as every session does on the other side.
        connection.pragma_update(None, "cache_size", -65_536)?;
        Ok(connection)
    }

    /// One connection under a mutex, each save a transaction on a thread that may block.
    pub fn pooled(&self, tasks: usize) -> Result<impl Iterator<Item = impl Saver>> {
        let connection = Arc::new(Mutex::new(self.connect()?));
        Ok(shares(self.sessions.len(), tasks).map(move |share| Pooled {
            connection: Arc::clone(&connection),
            sessions: Arc::clone(&self.sessions),
            share,
        }))
    }

    /// A thread that owns the connection; tasks send it their saves.
    pub fn threaded(
        &self,
        tasks: usize,
        commit: Commit,
    ) -> Result<impl Iterator<Item = impl Saver>> {
        let (connection, sessions) = (self.connect()?, Arc::clone(&self.sessions));
        let (requests, received) = mpsc::channel();
        thread::spawn(move || match commit {
            Commit::Each => write_each(&connection, &sessions, &received),
            Commit::Waiting => write_waiting(&connection, &sessions, &received),
        });
        Ok(
            shares(self.sessions.len(), tasks).map(move |share| Threaded {
                requests: requests.clone(),
                share,
            }),
        )
    }
}

/// Which saves share a transaction.
#[derive(Debug, Clone, Copy)]
pub enum Commit {
    /// None do.
    Each,
    /// All that wait when it begins.
    Waiting,
}

struct Pooled {
    connection: Arc<Mutex<Connection>>,
    sessions: Arc<Sessions>,
    share: Range<usize>,
}

impl Saver for Pooled {
    async fn save(&mut self, at: usize, count: u64) {
        let at = self.share.start + at;
        let (connection, sessions) = (Arc::clone(&self.connection), Arc::clone(&self.sessions));
        let saved = tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            update(&connection, &sessions, at, count)
        });
        saved
            .await
            .expect("it does not panic")
            .expect("the disk is well");
    }

    fn share(&self) -> usize {
        self.share.len()
    }
}

struct Threaded {
    requests: Sender<Request>,
    share: Range<usize>,
}

struct Request {
    at: usize,
    count: u64,
    saved: oneshot::Sender<()>,
}

impl Saver for Threaded {
    async fn save(&mut self, at: usize, count: u64) {
        let at = self.share.start + at;
        let (saved, done) = oneshot::channel();
        let sent = self.requests.send(Request { at, count, saved });
        sent.expect("the thread is there");
        done.await.expect("the disk is well");
    }

    fn share(&self) -> usize {
        self.share.len()
    }
}

/// Ends when all tasks have.
fn write_each(connection: &Connection, sessions: &Sessions, requests: &Receiver<Request>) {
    for request in requests {
        update(connection, sessions, request.at, request.count).expect("the disk is well");
        // A task that stopped waiting needs no answer.
        let _ = request.saved.send(());
    }
}

/// Ends when all tasks have.
fn write_waiting(connection: &Connection, sessions: &Sessions, requests: &Receiver<Request>) {
    let mut batch = Vec::new();
    while let Ok(first) = requests.recv() {
        batch.push(first);
        batch.extend(requests.try_iter());
        let written = connection.unchecked_transaction().and_then(|transaction| {
            for request in &batch {
                update(connection, sessions, request.at, request.count)?;
            }
            transaction.commit()
        });
        written.expect("the disk is well");
        for request in batch.drain(..) {
            // A task that stopped waiting needs no answer.
            let _ = request.saved.send(());
        }
    }
}

fn update(connection: &Connection, sessions: &Sessions, at: usize, count: u64) -> Result<()> {
    let (now, deadline) = times();
    let replaced = connection.prepare_cached(UPDATE)?.execute((
        sessions.key(at),
        &sessions.form(at, count)[..],
        deadline.as_millis() as i64,
        now.as_millis() as i64,
    ))?;
    assert_eq!(replaced, 1, "the session is still there");
    Ok(())
}
