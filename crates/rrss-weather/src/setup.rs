//! What a run is over.

use std::fmt;
use std::str::FromStr;

use rrss::Conflict;
use rrss_test_servers::Flavor;

/// What keeps the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// The backend `memory`.
    Memory,
    /// The backend `embedded`.
    Embedded,
    /// One Redis 7.0.
    Redis7,
    /// One Redis 8.2.
    Redis8,
    /// One Valkey 9.1.
    Valkey,
    /// A master and a replica of Redis 7.0, with sentinels.
    Sentinel,
    /// A cluster of six Redis 7.0.
    Cluster,
}

/// All of them.
pub const BACKENDS: [Backend; 7] = [
    Backend::Memory,
    Backend::Embedded,
    Backend::Redis7,
    Backend::Redis8,
    Backend::Valkey,
    Backend::Sentinel,
    Backend::Cluster,
];

impl Backend {
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Self::Memory | Self::Embedded)
    }

    pub(crate) fn has_replicas(self) -> bool {
        matches!(self, Self::Sentinel | Self::Cluster)
    }

    pub(crate) fn flavor(self) -> Flavor {
        match self {
            Self::Valkey => Flavor::Valkey,
            Self::Redis8 => Flavor::Redis8,
            _ => Flavor::Redis,
        }
    }
}

/// The name in lowercase, such as `redis7`.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = BACKENDS
            .into_iter()
            .find(|backend| backend.to_string() == name);
        found.ok_or_else(|| {
            let names = BACKENDS.map(|backend| backend.to_string()).join(", ");
            format!("no backend is called {name:?}; there are {names}")
        })
    }
}

/// How the stores of a run are set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// What a save does that meets another.
    pub conflict: Conflict,
    /// How many sessions a user may have.
    pub limit: Limit,
    /// How long a session lives, in milliseconds.
    pub duration: u64,
    /// Whether a load renews.
    pub renew: bool,
    /// Whether events of expired sessions are kept.
    pub events: bool,
    /// The clock of each store; there are as many stores as clocks.
    pub clocks: Clocks,
}

/// How many milliseconds the clock of each store is ahead of the server's, and how fast it drifts away, in parts per million.
pub type Clocks = Vec<(i64, i64)>;

/// How many sessions a user may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Any number.
    None,
    /// So many; the oldest ends for a new one.
    EvictOldest(usize),
    /// So many; a new one is refused.
    Reject(usize),
}

impl Limit {
    pub(crate) fn most(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::EvictOldest(most) | Self::Reject(most) => Some(most),
        }
    }
}

/// Two stores whose clocks are right, that merge, without a limit.
impl Default for Setup {
    fn default() -> Self {
        Self {
            conflict: Conflict::Merge,
            limit: Limit::None,
            duration: 30 * 60 * 1000,
            renew: false,
            events: false,
            clocks: vec![(0, 0); 2],
        }
    }
}

impl Setup {
    /// By how many milliseconds what a clock decides may be off: half a second, or three where clocks differ and stores have to
    /// learn by how much.
    pub(crate) fn leeway(&self) -> u64 {
        if self.clocks.iter().all(|clock| *clock == (0, 0)) {
            500
        } else {
            3000
        }
    }
}
