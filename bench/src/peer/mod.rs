//! A store that is measured beside others, and what each has to show.

mod rrss;
mod side;
mod team;
mod tower_sessions;

use std::error::Error;
use std::future::Future;

use bytes::Bytes;

pub use self::rrss::Rrss;
pub use self::side::{Entrant, Figures, Side, Sides, check, in_turns};
pub use self::team::{Doing, Team};
pub use self::tower_sessions::TowerSessions;

pub type Failed = Box<dyn Error + Send + Sync>;
pub type Result<T, E = Failed> = std::result::Result<T, E>;

/// A session that all stores are given alike.
#[derive(Debug, Clone)]
pub struct Sample {
    /// A JSON object, a member for each field.
    pub text: String,
    /// The same as the default pipeline of rrss stores it: what those get who know nothing of sessions.
    pub stored: Bytes,
}

/// A session store, used as its users use it.
pub trait Peer: Send + Sync + 'static {
    /// What it finds a session by.
    type Id: Clone + Send + Sync + 'static;
    /// What a request has of a session between its load and its save.
    type Session: Send + 'static;

    /// Stores a new session.
    fn create(&self, sample: &Sample) -> impl Future<Output = Result<Self::Id>> + Send;

    /// Loads a session that is there, and reads the number in [`READ_FIELD`](crate::corpus::READ_FIELD): none where
    /// the store gives bytes.
    fn load(
        &self,
        id: &Self::Id,
    ) -> impl Future<Output = Result<(Self::Session, Option<u64>)>> + Send;

    /// Writes `seen` to [`CHANGED_FIELD`](crate::corpus::CHANGED_FIELD) of a session that was loaded, and saves it.
    /// What is left of the session then is the store's affair.
    fn save(
        &self,
        id: &Self::Id,
        session: &mut Self::Session,
        seen: u64,
    ) -> impl Future<Output = Result<()>> + Send;

    /// What [`CHANGED_FIELD`](crate::corpus::CHANGED_FIELD) of a loaded session has: none where the store gives bytes.
    fn seen(session: &Self::Session) -> Option<u64>;
}
