//! The stores of tower-sessions that need no server.
//!
//! Its SQLite store is given a database with the write-ahead log and `synchronous = NORMAL`, which survives a killed
//! process as the `embedded` backend does, and a cache that holds all pages. Unless said, SQLite waits for the disk at
//! every save.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tower_sessions_moka_store::MokaStore;
use tower_sessions_sqlx_store::SqliteStore;

use crate::peer::{Entrant, Result, TowerSessions};

pub const MOKA: &str = "tower-sessions, moka";
pub const SQLITE: &str = "tower-sessions, SQLite, pool of 10";
pub const SQLITE_ALONE: &str = "tower-sessions, SQLite, one connection";

/// What sqlx takes unless said.
const POOL: u32 = 10;

pub fn entrants() -> Vec<Entrant> {
    vec![
        Entrant::new(MOKA, |_| async { Ok(TowerSessions(MokaStore::new(None))) }),
        Entrant::new(SQLITE, |folder| sqlite(folder, POOL)),
        Entrant::new(SQLITE_ALONE, |folder| sqlite(folder, 1)),
    ]
}

async fn sqlite(folder: String, connections: u32) -> Result<TowerSessions<SqliteStore>> {
    let options = SqliteConnectOptions::new()
        .filename(Path::new(&folder).join("sessions.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-65536");
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .connect_with(options)
        .await?;
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(TowerSessions(store))
}
