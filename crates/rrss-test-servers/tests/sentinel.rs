//! What [`RedisSentinel`] promises, on both flavours.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};

use rrss_test_servers::{Flavor, RedisSentinel, RedisServer};

fn on_both(test: impl Fn(RedisSentinel)) {
    for flavor in Flavor::ALL {
        test(RedisSentinel::start(flavor));
    }
}

#[test]
fn a_group_starts_with_a_replica_that_follows_and_sentinels_that_know_all() {
    on_both(|group| {
        assert_eq!(group.sentinels().len(), 3);
        let master = group.master();
        for url in group.sentinels() {
            let address = ask(&url, "GET-MASTER-ADDR-BY-NAME", group.master_name());
            assert_eq!(
                address,
                ["*2", "$9", "127.0.0.1", "$5", &master.port().to_string()]
            );
            let checked = ask(&url, "CKQUORUM", group.master_name());
            assert!(checked[0].starts_with("+OK 3 usable"), "{checked:?}");
        }
        assert_eq!(group.master_url(), master.url());
        group.command_on_master(&["SET", "key", "value"]);
        group.wait_for_replica();
        assert_eq!(group.replica().command(&["GET", "key"]), "value");
        let error = group
            .replica()
            .try_command(&["SET", "key", "other"])
            .unwrap_err();
        assert!(error.starts_with("READONLY "), "{error}");
    });
}

#[test]
fn the_replica_becomes_the_master_when_the_master_is_killed_and_that_comes_back_as_replica() {
    on_both(|mut group| {
        let (first, second) = (group.master().port(), group.replica().port());
        group.command_on_master(&["SET", "key", "kept"]);
        group.wait_for_replica();

        group.kill_master();
        assert_eq!(refusal(first), ErrorKind::ConnectionRefused);
        group.wait_for_failover();
        assert_eq!(
            (group.master().port(), group.replica().port()),
            (second, first)
        );
        assert_eq!(group.command_on_master(&["GET", "key"]), "kept");

        group.restart();
        assert_eq!(group.master().port(), second);
        assert_eq!(group.replica().command(&["GET", "key"]), "kept");

        group.kill_master();
        group.wait_for_failover();
        assert_eq!(group.master().port(), first);
        assert_eq!(group.command_on_master(&["GET", "key"]), "kept");
    });
}

#[test]
fn a_paused_master_is_replaced_and_follows_once_it_is_resumed() {
    on_both(|mut group| {
        let port = group.master().port();
        group.master().pause();
        group.wait_for_failover();
        assert_ne!(group.master().port(), port);
        group.replica().resume();
        group.restart();
        assert_eq!(group.replica().port(), port);
        let replication = group.replica().command(&["INFO", "replication"]);
        assert!(replication.contains("role:slave"), "{replication}");
    });
}

#[test]
fn fail_over_swaps_the_two_and_can_be_repeated() {
    on_both(|group| {
        let (first, second) = (group.master().port(), group.replica().port());
        group.command_on_master(&["SET", "key", "kept"]);
        group.fail_over();
        assert_eq!(
            (group.master().port(), group.replica().port()),
            (second, first)
        );
        group.fail_over();
        assert_eq!(
            (group.master().port(), group.replica().port()),
            (first, second)
        );
        assert_eq!(group.command_on_master(&["GET", "key"]), "kept");
    });
}

#[test]
fn a_password_is_demanded_by_the_servers_and_kept_over_a_failover() {
    for flavor in Flavor::ALL {
        let builder = RedisSentinel::builder(flavor).password("s3cr:t@/");
        assert!(!format!("{builder:?}").contains("s3cr"));
        let mut group = builder.start();
        assert!(!format!("{group:?}").contains("s3cr"));
        group.kill_master();
        group.wait_for_failover();
        let expected = format!(
            "redis://:s3cr%3At%40%2F@127.0.0.1:{}",
            group.master().port()
        );
        assert_eq!(group.master_url(), expected);
        assert_eq!(send(group.master().port(), "GET key")[0][..7], *"-NOAUTH");
    }
}

#[test]
fn a_dropped_group_is_gone_with_all_its_processes_and_folders() {
    on_both(|group| {
        let servers = [group.master(), group.replica()];
        let folders = servers.map(|server| server.folder().to_owned());
        let mut ports = servers.map(RedisServer::port).to_vec();
        ports.extend(group.sentinels().iter().map(|url| port(url)));
        group.replica().pause();
        drop(group);
        for port in ports {
            assert_eq!(refusal(port), ErrorKind::ConnectionRefused);
        }
        assert!(!folders.iter().any(|folder| folder.exists()));
    });
}

/// The lines of a sentinel's answer.
fn ask(url: &str, question: &str, name: &str) -> Vec<String> {
    send(port(url), &format!("SENTINEL {question} {name}"))
}

/// The lines that a server answers before it closes the connection.
fn send(port: u16, command: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(format!("{command}\r\n").as_bytes())
        .unwrap();
    // The server sees the end of the input after the command, so it answers and then closes.
    stream.shutdown(Shutdown::Write).unwrap();
    let lines = BufReader::new(stream).lines();
    lines.map(Result::unwrap).collect()
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

fn refusal(port: u16) -> ErrorKind {
    TcpStream::connect(("127.0.0.1", port)).unwrap_err().kind()
}
