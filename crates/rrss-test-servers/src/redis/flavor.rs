//! Which server is started.

use std::fmt;
use std::path::PathBuf;

use crate::program;

/// One of the servers that speak the Redis protocol and that rrss is tested against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// Redis, at the oldest version that rrss supports.
    Redis,
    /// Valkey, at a version with the newest commands that rrss uses.
    Valkey,
    /// Redis 8.2, which is between the two: tests that need it name it, and [`Flavor::ALL`] leaves it out.
    Redis8,
}

impl Flavor {
    /// The oldest and the newest, for the tests that must pass on either.
    pub const ALL: [Flavor; 2] = [Flavor::Redis, Flavor::Valkey];

    pub(super) fn program(self) -> PathBuf {
        match self {
            Flavor::Redis => program::find("Redis", "RRSS_REDIS_SERVER", || {
                program::in_path("redis-server")
            }),
            Flavor::Valkey => {
                program::find("Valkey", "RRSS_VALKEY_SERVER", program::installed_valkey)
            }
            Flavor::Redis8 => {
                program::find("Redis 8", "RRSS_REDIS_8_SERVER", program::installed_redis_8)
            }
        }
    }
}

/// The server's name in lowercase, such as `redis`.
impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Flavor::Redis => "redis",
            Flavor::Valkey => "valkey",
            Flavor::Redis8 => "redis-8",
        })
    }
}
