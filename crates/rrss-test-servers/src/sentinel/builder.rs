//! What a master, its replica and their sentinels are started with.

use std::fmt;

use super::RedisSentinel;
use crate::redis::{Flavor, RedisServer};

/// Settings for a [`RedisSentinel`] to start; see [`RedisSentinel::builder`].
///
/// # Examples
///
/// ```
/// use rrss_test_servers::{Flavor, RedisSentinel};
///
/// let group = RedisSentinel::builder(Flavor::Valkey)
///     .password("open sesame")
///     .arg("--maxmemory", "10mb")
///     .start();
/// assert!(group.master_url().starts_with("redis://:open%20sesame@127.0.0.1:"));
/// assert_eq!(group.command_on_master(&["CONFIG", "GET", "maxmemory"]), "maxmemory\n10485760");
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct RedisSentinelBuilder {
    flavor: Flavor,
    password: Option<String>,
    arguments: Vec<(String, String)>,
}

impl RedisSentinelBuilder {
    pub(super) fn new(flavor: Flavor) -> RedisSentinelBuilder {
        RedisSentinelBuilder {
            flavor,
            password: None,
            arguments: Vec::new(),
        }
    }

    /// Demands this password of every client of the master and of the replica (`requirepass`, `masterauth`);
    /// the sentinels themselves demand none.
    pub fn password(mut self, password: &str) -> RedisSentinelBuilder {
        self.password = Some(password.to_owned());
        self.arg("--masterauth", password)
    }

    /// Sets a directive of the master's and the replica's configuration, such as `--maxmemory`; the last of a
    /// name counts.
    pub fn arg(mut self, directive: &str, value: &str) -> RedisSentinelBuilder {
        self.arguments
            .push((directive.to_owned(), value.to_owned()));
        self
    }

    /// Starts five servers, and returns when the replica follows the master and each sentinel knows both of
    /// them and the other sentinels.
    ///
    /// # Panics
    ///
    /// When the server's program is missing, saying how to install it, when a server does not start, with
    /// what it said, or when the sentinels do not find each other, with what they lack.
    pub fn start(self) -> RedisSentinel {
        // Without a file a replica waits 5 s for others to come, and up to a second more for what was
        // written since.
        let mut server = RedisServer::builder(self.flavor).arg("--repl-diskless-sync", "no");
        if let Some(password) = &self.password {
            server = server.password(password);
        }
        for (directive, value) in &self.arguments {
            server = server.arg(directive, value);
        }
        let sentinel = RedisServer::builder(self.flavor).sentinel();
        RedisSentinel::form(
            self.flavor,
            [(); 2].map(|()| server.clone().start()),
            [(); 3].map(|()| sentinel.clone().start()),
        )
    }
}

impl fmt::Debug for RedisSentinelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSentinelBuilder")
            .field("flavor", &self.flavor)
            .finish_non_exhaustive()
    }
}
