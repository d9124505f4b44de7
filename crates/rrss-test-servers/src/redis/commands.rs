//! What a test asks a server, with no Redis client.

use std::collections::{BTreeMap, BTreeSet};

use super::RedisServer;
use crate::poll;
use crate::resp::{Connection, Reply};

impl RedisServer {
    /// Sends one command and returns the reply as text, as redis-cli prints it into a file: strings as they
    /// are, numbers in decimal, the elements of an array one a line; but nil is `(nil)`.
    ///
    /// Bytes that are not UTF-8 are replaced; [`bytes`](Self::bytes) returns them as they are.
    ///
    /// # Panics
    ///
    /// When the server answers with an error; see [`try_command`](Self::try_command).
    pub fn command<A: AsRef<[u8]>>(&self, command: &[A]) -> String {
        self.try_command(command)
            .unwrap_or_else(|error| panic!("{} answered {error}", self.name(command)))
    }

    /// As [`command`](Self::command), for a command that the server may refuse.
    ///
    /// # Errors
    ///
    /// The server's error reply, such as `WRONGTYPE Operation against a key …`.
    pub fn try_command<A: AsRef<[u8]>>(&self, command: &[A]) -> Result<String, String> {
        match self.send(command) {
            Reply::Error(error) => Err(error),
            reply => Ok(reply.to_string()),
        }
    }

    /// Sends one command that answers with a string or nil, and returns its bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_test_servers::{Flavor, RedisServer};
    /// let server = RedisServer::start(Flavor::Redis);
    /// server.command(&["SET".as_bytes(), b"frame", b"\x28\xb5\x2f\xfd"]);
    /// assert_eq!(server.bytes(&["GET", "frame"]).as_deref(), Some(&b"\x28\xb5\x2f\xfd"[..]));
    /// assert_eq!(server.bytes(&["GET", "nothing"]), None);
    /// ```
    pub fn bytes<A: AsRef<[u8]>>(&self, command: &[A]) -> Option<Vec<u8>> {
        match self.send(command) {
            Reply::Bulk(bytes) => Some(bytes),
            Reply::Nil => None,
            reply => panic!("{} answered no string: {reply}", self.name(command)),
        }
    }

    /// The keys that match the pattern, sorted, as `redis-cli --scan --pattern` lists them.
    ///
    /// The patterns are those of [`KEYS`](https://redis.io/docs/latest/commands/keys/); `*` is every key.
    pub fn scan(&self, pattern: &str) -> Vec<String> {
        let mut keys = BTreeSet::new();
        let mut cursor = "0".to_owned();
        loop {
            // The cursor, then an array of keys.
            let Reply::Array(page) =
                self.send(&["SCAN", &cursor, "MATCH", pattern, "COUNT", "1000"])
            else {
                panic!("{self:?} does not scan");
            };
            if let [next, Reply::Array(found)] = page.as_slice() {
                keys.extend(found.iter().map(Reply::to_string));
                cursor = next.to_string();
            }
            if cursor == "0" {
                return keys.into_iter().collect();
            }
        }
    }

    /// How often each command has run since [`reset_counts`](Self::reset_counts), by its lowercase name; the
    /// subcommand of a command that has some follows a bar, as in `client|setinfo`.
    ///
    /// What this value sends by itself is left out: `auth`, `info` and `config|resetstat`. What a script
    /// calls is counted beside the script.
    pub fn command_counts(&self) -> BTreeMap<String, u64> {
        let own = ["auth", "info", "config|resetstat"];
        self.command(&["INFO", "commandstats"])
            .lines()
            .filter_map(|line| {
                let (name, counts) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
                let calls = counts.split(',').next()?.parse().ok()?;
                Some((name.to_lowercase(), calls))
            })
            .filter(|(name, calls)| *calls > 0 && !own.contains(&name.as_str()))
            .collect()
    }

    /// Sets every count of [`command_counts`](Self::command_counts) to nought.
    pub fn reset_counts(&self) {
        self.command(&["CONFIG", "RESETSTAT"]);
    }

    /// How often the server has refused a command with each error since [`reset_counts`](Self::reset_counts),
    /// by the first word of the error, such as `WRONGTYPE`, `MOVED` or `ASK`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_test_servers::{Flavor, RedisServer};
    /// let server = RedisServer::start(Flavor::Redis);
    /// server.command(&["SET", "greeting", "hello"]);
    /// server.try_command(&["LPOP", "greeting"]).unwrap_err();
    /// assert_eq!(server.error_counts(), [("WRONGTYPE".to_owned(), 1)].into());
    /// ```
    pub fn error_counts(&self) -> BTreeMap<String, u64> {
        self.command(&["INFO", "errorstats"])
            .lines()
            .filter_map(|line| {
                let (name, count) = line.strip_prefix("errorstat_")?.split_once(":count=")?;
                Some((name.to_owned(), count.trim_end().parse().ok()?))
            })
            .collect()
    }

    /// How many connections clients hold open now.
    ///
    /// Those of replicas, of masters, of this value, and of servers that move keys here are left out.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_test_servers::{Flavor, RedisServer};
    /// let server = RedisServer::start(Flavor::Redis);
    /// assert_eq!(server.connections(), 0);
    /// let client = std::net::TcpStream::connect((server.host(), server.port())).unwrap();
    /// assert_eq!(server.connections(), 1);
    /// ```
    pub fn connections(&self) -> usize {
        let field = |line: &str, name: &str| {
            line.split(' ')
                .find_map(|field| field.strip_prefix(name).map(str::to_owned))
                .unwrap_or_default()
        };
        let clients = self.command(&["CLIENT", "LIST"]);
        clients
            .lines()
            .filter(|line| !field(line, "flags=").contains(['S', 'M']))
            .filter(|line| {
                let own = ["client|list", "restore-asking"];
                !own.contains(&field(line, "cmd=").as_str())
            })
            .count()
    }

    /// Sends one command that answers with an array of strings, and returns their bytes.
    pub(crate) fn strings<A: AsRef<[u8]>>(&self, command: &[A]) -> Vec<Vec<u8>> {
        let Reply::Array(elements) = self.send(command) else {
            panic!("{} answered no array", self.name(command));
        };
        let strings = elements.into_iter().map(|element| match element {
            Reply::Bulk(bytes) => bytes,
            other => panic!("{} answered no string: {other}", self.name(command)),
        });
        strings.collect()
    }

    /// A field of [`INFO replication`](https://redis.io/docs/latest/commands/info/), where there is one and the
    /// server does not hang up: a sentinel that makes a server a replica disconnects all its clients.
    pub(crate) fn replication(&self, name: &str) -> Option<String> {
        let mut connection = Connection::open(self.port, self.password.as_deref()).ok()?;
        let info = connection.send(&["INFO", "replication"]).ok()?.to_string();
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(field, _)| *field == name)?;
        Some(value.trim_end().to_owned())
    }

    /// Waits until the replica has run all that its master has run by now.
    ///
    /// `WAIT` would not do: it waits for what its own connection wrote.
    pub(crate) fn wait_for_replica(&self, replica: &RedisServer) {
        let offset = |server: &RedisServer, name| -> Result<u64, String> {
            let offset = server
                .replication(name)
                .and_then(|offset| offset.parse().ok());
            offset.ok_or_else(|| format!("{server:?} tells no {name}"))
        };
        let target = poll::until("the master tells its offset", || {
            offset(self, "master_repl_offset")
        });
        poll::until(
            "the replica has caught up with its master",
            || match offset(replica, "slave_repl_offset")? {
                reached if reached >= target => Ok(()),
                reached => Err(format!("{replica:?} is at {reached}, {self:?} at {target}")),
            },
        );
    }

    fn send<A: AsRef<[u8]>>(&self, command: &[A]) -> Reply {
        Connection::open(self.port, self.password.as_deref())
            .and_then(|mut connection| connection.send(command))
            .unwrap_or_else(|error| panic!("{} got no answer: {error}", self.name(command)))
    }

    fn name<A: AsRef<[u8]>>(&self, command: &[A]) -> String {
        let name = command.first().map_or(&b""[..], AsRef::as_ref);
        format!("{} of {self:?}", String::from_utf8_lossy(name))
    }
}
