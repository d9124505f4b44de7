//! A server that is there and does not do what is asked.

use std::io::{Read, Write};
use std::net::TcpStream;

use rrss_core::{Backend, ErrorKind};
use rrss_test_servers::{Flavor, RedisServer};

use super::support::*;

on_both_servers![
    a_foreign_hash_under_a_key_is_corrupt_and_stays_as_it_was,
    a_replica_takes_no_writes,
    a_replica_that_lost_its_primary_is_unavailable,
    a_server_without_memory_takes_no_writes,
    a_server_without_its_replicas_takes_no_writes,
    a_server_that_cannot_save_takes_no_writes,
    a_server_with_too_many_clients_is_unavailable,
];

async fn a_foreign_hash_under_a_key_is_corrupt_and_stays_as_it_was(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["HSET", "sessions:1", "visits", "1"]);
    let error = redis.load(&load("sessions:1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(!all_that_it_says(&error).contains("sessions:1"));
    let taken = redis
        .write(&create("sessions:1", b"{}", in_an_hour()))
        .await;
    assert_eq!(taken.unwrap(), rrss_core::Written::Taken);
    assert_eq!(server.command(&["HGETALL", "sessions:1"]), "visits\n1");
    assert_eq!(server.command(&["PTTL", "sessions:1"]), "-1");
}

/// Writing fails as `expected` says, and reading works.
async fn refuses_writes(server: &RedisServer, expected: &str) {
    let redis = connect(server);
    let write = create("sessions:hunter2", b"hunter2", in_an_hour());
    let error = redis.write(&write).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let at = format!("Redis at {}:{}", server.host(), server.port());
    assert!(error.message().contains(&at), "{error}");
    assert!(error.message().contains(expected), "{error}");
    assert!(!all_that_it_says(&error).contains("hunter2"));
    assert_eq!(stored(&redis, "sessions:hunter2").await.unwrap(), None);
}

async fn a_replica_takes_no_writes(server: RedisServer) {
    let redis = connect(&server);
    redis.ping().await.unwrap();
    let nowhere = rrss_test_servers::refused_port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &nowhere]);
    refuses_writes(&server, "it is a replica").await;

    let write = create("sessions:1", b"{}", in_an_hour());
    redis.write(&write).await.unwrap_err();
    server.command(&["REPLICAOF", "NO", "ONE"]);
    redis.write(&write).await.unwrap();
}

async fn a_replica_that_lost_its_primary_is_unavailable(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    let nowhere = rrss_test_servers::refused_port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &nowhere]);
    let error = redis.load(&load("sessions:1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("lost its primary"), "{error}");
}

async fn a_server_without_memory_takes_no_writes(server: RedisServer) {
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    refuses_writes(&server, "raise its `maxmemory`").await;
}

async fn a_server_without_its_replicas_takes_no_writes(server: RedisServer) {
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    refuses_writes(&server, "too few replicas").await;
}

async fn a_server_that_cannot_save_takes_no_writes(server: RedisServer) {
    // A folder in place of the file that it saves to.
    std::fs::create_dir(server.folder().join("dump.rdb")).unwrap();
    server.command(&["CONFIG", "SET", "save", "3600 1"]);
    server.command(&["BGSAVE"]);
    let failed = "rdb_last_bgsave_status:err";
    eventually(|| server.command(&["INFO", "persistence"]).contains(failed)).await;
    refuses_writes(&server, "cannot save to its disk").await;
}

async fn a_server_with_too_many_clients_is_unavailable(server: RedisServer) {
    let mut other = TcpStream::connect((server.host(), server.port())).unwrap();
    other.write_all(b"PING\r\n").unwrap();
    other.read_exact(&mut [0; 7]).unwrap();
    server.command(&["CONFIG", "SET", "maxclients", "1"]);
    let error = connect(&server).ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let at = format!("Redis at {}:{}", server.host(), server.port());
    assert!(error.message().contains(&at), "{error}");
}

/// The text of the server's refusal quotes the key.
#[tokio::test]
async fn a_server_without_a_command_is_unsupported_and_the_key_is_not_shown() {
    for flavor in Flavor::ALL {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("redis.conf");
        std::fs::write(&file, "rename-command UNLINK \"\"\n").unwrap();
        let server = RedisServer::builder(flavor)
            .arg("--include", file.to_str().unwrap())
            .start();
        let redis = connect(&server);
        let said = server.try_command(&["UNLINK", "sessions:hunter2"]);
        assert!(said.unwrap_err().contains("hunter2"));
        let error = redis.delete(&delete("sessions:hunter2")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("use Redis 7.0"), "{error}");
        assert!(!all_that_it_says(&error).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_node_of_a_cluster_says_so() {
    for flavor in Flavor::ALL {
        let server = RedisServer::builder(flavor)
            .arg("--cluster-enabled", "yes")
            .start();
        let error = connect(&server)
            .load(&load("sessions:1"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("Redis Cluster"), "{error}");
    }
}
