//! What a server is started with.

use std::fmt;
use std::sync::atomic::AtomicBool;

use super::role::Role;
use super::{Flavor, RedisServer};

/// Settings for a [`RedisServer`] to start; see [`RedisServer::builder`].
///
/// # Examples
///
/// ```
/// use rrss_test_servers::{Flavor, RedisServer};
///
/// let server = RedisServer::builder(Flavor::Redis)
///     .password("open sesame")
///     .arg("--maxmemory", "10mb")
///     .start();
/// assert!(server.url().starts_with("redis://:open%20sesame@127.0.0.1:"));
/// assert_eq!(server.command(&["CONFIG", "GET", "maxmemory"]), "maxmemory\n10485760");
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct RedisServerBuilder {
    flavor: Flavor,
    role: Role,
    password: Option<String>,
    arguments: Vec<String>,
}

impl RedisServerBuilder {
    pub(super) fn new(flavor: Flavor) -> RedisServerBuilder {
        RedisServerBuilder {
            flavor,
            role: Role::Alone,
            password: None,
            arguments: Vec::new(),
        }
    }

    /// Demands this password of every client (`requirepass`).
    pub fn password(mut self, password: &str) -> RedisServerBuilder {
        self.password = Some(password.to_owned());
        self.arg("--requirepass", password)
    }

    /// Sets a directive of the server's configuration, such as `--maxmemory`; the last of a name counts.
    pub fn arg(mut self, directive: &str, value: &str) -> RedisServerBuilder {
        self.arguments
            .extend([directive.to_owned(), value.to_owned()]);
        self
    }

    /// Makes the server a node that knows no other yet, with a free port for the cluster bus.
    pub(crate) fn cluster_node(mut self) -> RedisServerBuilder {
        self.role = Role::ClusterNode { bus_port: 0 };
        self
    }

    /// Makes the server a [sentinel](https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/) that watches
    /// nothing yet; [`RedisSentinel`](crate::RedisSentinel) is a whole group that does.
    pub fn sentinel(mut self) -> RedisServerBuilder {
        self.role = Role::Sentinel;
        self
    }

    /// Starts the server and returns when it answers.
    ///
    /// # Panics
    ///
    /// When the server's program is missing, saying how to install it, or when the server does not start,
    /// with what it said.
    pub fn start(self) -> RedisServer {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        self.role.prepare(folder.path());
        let mut server = RedisServer {
            flavor: self.flavor,
            role: self.role,
            port: 0,
            password: self.password,
            arguments: self.arguments,
            paused: AtomicBool::new(false),
            process: None,
            folder,
        };
        // Between the choice of a port and the server's start another process may take it.
        for _ in 0..20 {
            server.choose_ports();
            if server.launch().is_ok() {
                return server;
            }
        }
        panic!("{} found each of 20 free ports taken", self.flavor);
    }
}

impl fmt::Debug for RedisServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServerBuilder")
            .field("flavor", &self.flavor)
            .finish_non_exhaustive()
    }
}
