//! A master and its replica, watched by sentinels.

mod builder;
mod failover;
mod formation;

use std::fmt;

pub use self::builder::RedisSentinelBuilder;
use crate::poll;
use crate::redis::{Flavor, RedisServer};

/// What the sentinels call the master, as the examples of their documentation do.
const MASTER_NAME: &str = "mymaster";

/// A running master with an empty keyspace, its replica, and three
/// [sentinels](https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/) which make the replica
/// the master when the master is dead; all five processes end when this value is dropped.
///
/// Each listens on a free port of 127.0.0.1, keeps its files in a temporary folder of its own, and saves no
/// keys. A master that does not answer for a second is taken for dead when two sentinels say so.
///
/// Every method panics where a server does not do what it should: a test can do nothing else then.
///
/// # Examples
///
/// ```
/// use rrss_test_servers::{Flavor, RedisSentinel};
///
/// let group = RedisSentinel::start(Flavor::Redis);
/// group.command_on_master(&["SET", "greeting", "hello"]);
///
/// let before = group.master_url();
/// group.fail_over();
/// assert_ne!(group.master_url(), before);
/// assert_eq!(group.command_on_master(&["GET", "greeting"]), "hello");
/// ```
pub struct RedisSentinel {
    flavor: Flavor,
    // Before the servers, so that they end first: nobody is left to fail over.
    sentinels: [RedisServer; 3],
    servers: [RedisServer; 2],
}

impl RedisSentinel {
    /// Starts a group with the settings that most tests want.
    pub fn start(flavor: Flavor) -> RedisSentinel {
        RedisSentinel::builder(flavor).start()
    }

    /// Settings for a group to start.
    pub fn builder(flavor: Flavor) -> RedisSentinelBuilder {
        RedisSentinelBuilder::new(flavor)
    }

    /// Which of the two servers these are.
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The address of every sentinel as `redis://127.0.0.1:PORT`; none demands a password.
    pub fn sentinels(&self) -> Vec<String> {
        self.sentinels.iter().map(RedisServer::url).collect()
    }

    /// What a client asks the sentinels for, always `mymaster`.
    pub fn master_name(&self) -> &'static str {
        MASTER_NAME
    }

    /// The address of the master, with the password where there is one; see [`RedisServer::url`].
    ///
    /// # Panics
    ///
    /// As [`master`](Self::master).
    pub fn master_url(&self) -> String {
        self.master().url()
    }

    /// The server that all sentinels name as the master, to send commands to, to read its counts, or to pause
    /// it.
    ///
    /// Waits where they do not agree for a moment, as after a failover.
    ///
    /// # Panics
    ///
    /// When they do not come to agree on a server that answers and is a master.
    pub fn master(&self) -> &RedisServer {
        poll::until("the sentinels agree on a master", || self.agreed_master())
    }

    /// The server that is not the master, whether it answers or not.
    ///
    /// # Panics
    ///
    /// As [`master`](Self::master).
    pub fn replica(&self) -> &RedisServer {
        let master = self.master().port();
        let replica = self.servers.iter().find(|server| server.port() != master);
        replica.expect("two servers have two ports")
    }

    /// Sends one command to the master and returns its reply as text; see [`RedisServer::command`].
    ///
    /// # Panics
    ///
    /// When it answers with an error, and as [`master`](Self::master).
    pub fn command_on_master<A: AsRef<[u8]>>(&self, command: &[A]) -> String {
        self.master().command(command)
    }
}

impl fmt::Debug for RedisSentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = |servers: &[RedisServer]| -> Vec<u16> {
            servers.iter().map(RedisServer::port).collect()
        };
        write!(
            f,
            "{} on ports {:?} with sentinels on {:?}",
            self.flavor,
            ports(&self.servers),
            ports(&self.sentinels)
        )
    }
}
