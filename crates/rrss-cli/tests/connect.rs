//! `check --connect`: what it says of a real server, and of one that a store cannot work with.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use cli::{Folder, Run};
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};

/// What the pipelines have above the codec.
const PLAIN: &str = "";
const INDEX: &str = "[[step]]\ntype = \"index\"\nfields = [\"user\"]\n\n";
const EXPIRED: &str = "[[step]]\ntype = \"index\"\nfields = [\"user\"]\nkeep_expired = \"1h\"\n\n";
const CACHE: &str =
    "[[step]]\ntype = \"index\"\nfields = [\"user\"]\n\n[[step]]\ntype = \"cache\"\n\n";

fn file(steps: &str, server: &str) -> Folder {
    Folder::with(&format!(
        "[[step]]\ntype = \"key-mapper\"\n\n[[step]]\ntype = \"expiry\"\nduration = \"1h\"\n\n{steps}\
         [[step]]\ntype = \"json-codec\"\n\n[[step]]\ntype = \"redis\"\n{server}\n\
         timeout = \"60s\"\nconnect_timeout = \"60s\"\n"
    ))
}

fn to(server: &RedisServer, login: &str) -> String {
    format!(
        "url = \"redis://{login}{}:{}\"",
        server.host(),
        server.port()
    )
}

fn check(steps: &str, server: &str) -> Run {
    file(steps, server).run(["check", "--connect"])
}

/// The line that begins with `topic`.
fn line<'r>(run: &'r Run, topic: &str) -> &'r str {
    let lines = run.out.lines();
    let mut of_topic = lines.filter(|line| line.trim_start().starts_with(topic));
    of_topic
        .next()
        .unwrap_or_else(|| panic!("{topic}: {run:?}"))
}

/// Sets up the user that the README of the backend describes, with `more` rights.
fn documented_user(server: &RedisServer, nth: usize, more: &[&str]) {
    let readme = include_str!("../../rrss-persistence/README.md");
    let mut rules = readme
        .lines()
        .filter(|line| line.starts_with("ACL SETUSER "));
    let words: Vec<_> = rules
        .nth(nth)
        .unwrap()
        .split(' ')
        .chain(more.iter().copied())
        .collect();
    server.command(&words);
}

#[test]
fn a_good_server_passes_every_operation_and_nothing_stays_behind() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        server.command(&["SET", "sessions:other", "{}"]);
        for steps in [PLAIN, INDEX, EXPIRED, CACHE] {
            let run = check(steps, &to(&server, ""));
            assert_eq!(run.code, 0, "{flavor}: {run:?}");
            assert_eq!(run.err, "", "{flavor}");
            let mut operations = vec![
                "create", "load", "save", "touch", "rotate", "list", "delete",
            ];
            if steps != PLAIN {
                operations.extend(["find", "revoke"]);
            }
            for operation in operations {
                assert!(line(&run, operation).ends_with("done"), "{run:?}");
            }
            assert!(line(&run, "role").contains("primary"), "{run:?}");
            assert!(line(&run, "eviction").contains("noeviction"), "{run:?}");
            assert!(line(&run, "rights").contains("all that"), "{run:?}");
            let version = line(&run, "version").split_whitespace().nth(2).unwrap();
            assert!(
                server.command(&["INFO", "server"]).contains(version),
                "{run:?}"
            );
            let left = server.scan("*");
            let left: Vec<_> = left
                .iter()
                .filter(|key| !key.contains("rotated:"))
                .collect();
            assert_eq!(left, ["sessions:other"], "{flavor}");
        }
    }
}

#[test]
fn a_user_with_the_documented_rights_passes_and_the_server_logs_no_refusal() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        for (steps, more) in [
            (PLAIN, &[][..]),
            (INDEX, &[]),
            (
                EXPIRED,
                &["+hset", "+hget", "+hdel", "+hexists", "+zrangebyscore"],
            ),
            (CACHE, &["+client|tracking"]),
        ] {
            documented_user(&server, 0, more);
            let run = check(steps, &to(&server, "rrss:password@"));
            assert_eq!((run.code, &*run.err), (0, ""), "{flavor}: {run:?}");
        }
        assert_eq!(server.command(&["ACL", "LOG"]), "", "{flavor}");
    }
}

#[test]
fn each_right_that_is_missing_is_named() {
    let server = RedisServer::start(Flavor::Redis);
    for right in [
        "get",
        "set",
        "exists",
        "pexpireat",
        "pexpiretime",
        "persist",
        "unlink",
        "scan",
        "zadd",
        "zrem",
        "zrange",
        "zscore",
        "zremrangebyscore",
    ] {
        documented_user(&server, 0, &[&format!("-{right}")]);
        let run = check(INDEX, &to(&server, "rrss:password@"));
        assert!([69, 78].contains(&run.code), "{right}: {run:?}");
        assert!(
            line(&run, "rights").contains(&format!("`{right}`")),
            "{right}: {run:?}"
        );
        assert!(run.err.contains(&format!("+{right}")), "{right}: {run:?}");
        server.command(&["ACL", "DELUSER", "rrss"]);
    }
    // Without the right to remove a session, it ends by itself.
    for key in server.scan("*") {
        let lives: i64 = server.command(&["TTL", &key]).parse().unwrap();
        assert!((-2..=300).contains(&lives) && lives != -1, "{key}: {lives}");
    }
}

#[test]
fn a_server_that_evicts_keys_is_warned_of_and_works() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let run = check(INDEX, &to(&server, ""));
        assert_eq!(run.code, 0, "{run:?}");
        assert!(line(&run, "eviction").ends_with("warning"), "{run:?}");
        assert!(run.err.contains("maxmemory-policy noeviction"), "{run:?}");
        assert!(run.err.contains("`rrss reindex`"), "{run:?}");
    }
}

#[test]
fn a_full_server_and_a_replica_are_named() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        server.command(&["CONFIG", "SET", "maxmemory", "1"]);
        let run = check(INDEX, &to(&server, ""));
        assert_eq!(run.code, 69, "{run:?}");
        assert!(line(&run, "room").ends_with("error"), "{run:?}");
        assert!(run.err.contains("raise its `maxmemory`"), "{run:?}");
        assert!(line(&run, "create").ends_with("error"), "{run:?}");

        let replica = RedisServer::start(flavor);
        let port = server.port().to_string();
        replica.command(&["REPLICAOF", server.host(), &port]);
        let run = check(INDEX, &to(&replica, ""));
        assert_eq!(run.code, 69, "{run:?}");
        assert!(run.err.contains("replica"), "{run:?}");
    }
}

#[test]
fn every_master_of_a_cluster_is_looked_at() {
    let cluster = RedisCluster::start(Flavor::Redis);
    for node in 0..RedisCluster::NODES {
        documented_user(cluster.node(node), 1, &[]);
    }
    let nodes: Vec<_> = cluster.nodes();
    let nodes: Vec<_> = nodes
        .iter()
        .map(|node| node.replace("redis://", "redis://rrss:password@"))
        .collect();
    let run = check(INDEX, &format!("nodes = {nodes:?}"));
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    assert_eq!(run.out.matches("role of ").count(), 3, "{run:?}");
    for node in 0..RedisCluster::NODES {
        assert_eq!(cluster.node(node).command(&["ACL", "LOG"]), "");
    }
}
