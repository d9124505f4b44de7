//! Five servers become one group, and agree again after a change.

use std::collections::BTreeMap;

use super::{MASTER_NAME, RedisSentinel};
use crate::poll;
use crate::redis::{Flavor, RedisServer};

/// How many sentinels must take the master for dead before one of them is elected to replace it.
const QUORUM: &str = "2";

/// What a sentinel is told of the master; see
/// [its options](https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#other-sentinel-options).
const OPTIONS: [(&str, &str); 2] = [
    ("down-after-milliseconds", "1000"),
    ("failover-timeout", "5000"),
];

/// How often a sentinel asks the servers and tells the others, in milliseconds. By themselves they take
/// seconds for that, and 30 s to trust their clock again after a machine was too busy to run them.
///
/// A sentinel that was not run for half a second trusts nothing for a second: a machine that is busy with other
/// tests must not look like a dead master.
///
/// The period of `PING` stays as it is: a replica that was not heard of for five of them is not promoted.
const PERIODS: [(&str, &str); 6] = [
    ("INFO-PERIOD", "500"),
    ("ASK-PERIOD", "200"),
    ("PUBLISH-PERIOD", "200"),
    ("MIN-LINK-RECONNECT-PERIOD", "200"),
    ("TILT-TRIGGER", "500"),
    ("TILT-PERIOD", "1000"),
];

impl RedisSentinel {
    /// Makes a group of servers that know nothing of each other; the first of them becomes the master.
    pub(super) fn form(
        flavor: Flavor,
        servers: [RedisServer; 2],
        sentinels: [RedisServer; 3],
    ) -> RedisSentinel {
        let group = RedisSentinel {
            flavor,
            sentinels,
            servers,
        };
        let [master, replica] = &group.servers;
        let port = master.port().to_string();
        replica.command(&["REPLICAOF", master.host(), &port]);
        for sentinel in &group.sentinels {
            let mut debug = vec!["SENTINEL", "DEBUG"];
            debug.extend(PERIODS.iter().flat_map(|&(name, value)| [name, value]));
            sentinel.command(&debug);
            sentinel.command(&[
                "SENTINEL",
                "MONITOR",
                MASTER_NAME,
                master.host(),
                &port,
                QUORUM,
            ]);
            let mut set = vec!["SENTINEL", "SET", MASTER_NAME];
            set.extend(OPTIONS.iter().flat_map(|&(name, value)| [name, value]));
            if let Some(password) = master.password() {
                set.extend(["auth-pass", password]);
            }
            sentinel.command(&set);
        }
        poll::until("the sentinels find each other", || group.settled());
        group
    }

    /// Whether the sentinels know each other and agree on the master, which is one, and whether every other
    /// server that answers follows it and is known to them.
    pub(super) fn settled(&self) -> Result<(), String> {
        let master = self.agreed_master()?;
        let mut replicas = 0;
        for server in self.servers.iter().filter(|server| server.answers()) {
            if server.port() == master.port() {
                continue;
            }
            replicas += 1;
            let follows = server.replication("master_port") == Some(master.port().to_string())
                && server.replication("master_link_status").as_deref() == Some("up");
            if !follows {
                return Err(format!("{server:?} does not follow {master:?}"));
            }
        }
        for sentinel in &self.sentinels {
            let seen = seen_master(sentinel);
            let slaves = strings(sentinel, &["SENTINEL", "REPLICAS", MASTER_NAME]);
            // A replica's flags are `slave` alone where nothing is wrong with it.
            let well = slaves.iter().filter(|&word| word == "slave").count() / 2;
            let others = seen.get("num-other-sentinels").map(String::as_str);
            if seen.get("flags").map(String::as_str) != Some("master")
                || others != Some("2")
                || well < replicas
            {
                return Err(format!(
                    "{sentinel:?} sees {seen:?} with replicas {slaves:?}"
                ));
            }
        }
        Ok(())
    }

    /// The server that all sentinels call the master, and that says so of itself.
    pub(super) fn agreed_master(&self) -> Result<&RedisServer, String> {
        let named: Vec<String> = self
            .sentinels
            .iter()
            .map(|sentinel| sentinel.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME]))
            .collect();
        let master = self
            .servers
            .iter()
            .filter(|server| server.answers())
            .find(|server| {
                let address = format!("{}\n{}", server.host(), server.port());
                named.iter().all(|name| *name == address)
            })
            .ok_or_else(|| format!("the sentinels name {named:?}"))?;
        if master.replication("role").as_deref() == Some("master") {
            Ok(master)
        } else {
            Err(format!("{master:?} is not the master yet"))
        }
    }
}

/// What the sentinel says of the master, by the name of the field.
fn seen_master(sentinel: &RedisServer) -> BTreeMap<String, String> {
    let words = strings(sentinel, &["SENTINEL", "MASTER", MASTER_NAME]);
    words
        .chunks_exact(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect()
}

fn strings(sentinel: &RedisServer, command: &[&str]) -> Vec<String> {
    sentinel
        .command(command)
        .lines()
        .map(str::to_owned)
        .collect()
}
