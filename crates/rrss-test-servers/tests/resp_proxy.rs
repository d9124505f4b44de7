//! Chosen commands meet their faults, and no others do.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rrss_test_servers::{Fault, Flavor, Gate, RedisCluster, RedisServer, RespProxy};

fn client(proxy: &RespProxy, at: usize) -> TcpStream {
    let client = TcpStream::connect(("127.0.0.1", proxy.ports()[at])).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    client
}

/// Sends commands of words without blanks, in one write.
fn send(client: &mut TcpStream, commands: &[&str]) {
    let mut text = String::new();
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        text += &format!("*{}\r\n", words.len());
        for word in words {
            text += &format!("${}\r\n{word}\r\n", word.len());
        }
    }
    client.write_all(text.as_bytes()).unwrap();
}

fn expect(client: &mut TcpStream, answers: &str) {
    let mut read = vec![0; answers.len()];
    client.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8(read).unwrap(), answers);
}

#[test]
fn a_transaction_with_a_refused_command_is_not_carried_out() {
    for flavor in [Flavor::Redis, Flavor::Redis8, Flavor::Valkey] {
        let server = RedisServer::start(flavor);
        let proxy = RespProxy::to([server.port()]);
        proxy.on("set", 2, Fault::Refuse("OOM full".to_owned()));
        let mut client = client(&proxy, 0);
        send(
            &mut client,
            &["MULTI", "SET a 1", "SET b 2", "EXEC", "SET c 3"],
        );
        expect(
            &mut client,
            "+OK\r\n+QUEUED\r\n-OOM full\r\n\
             -EXECABORT Transaction discarded because of previous errors.\r\n+OK\r\n",
        );
        assert_eq!(server.scan("*"), ["c"], "{flavor}");
        assert_eq!((proxy.refused(), proxy.doubts()), (1, 0));
    }
}

#[test]
fn a_command_is_cut_off_before_or_after_it_is_carried_out() {
    let server = RedisServer::start(Flavor::Redis);
    let proxy = RespProxy::to([server.port()]);
    for (fault, keys) in [
        (Fault::CutBefore, vec!["a"]),
        (Fault::CutAfter, vec!["a", "b"]),
    ] {
        server.command(&["FLUSHALL"]);
        proxy.on("SET", 2, fault);
        let mut client = client(&proxy, 0);
        send(&mut client, &["SET a 1", "SET b 2", "SET c 3"]);
        let mut answers = String::new();
        // An end, or a reset where the proxy had not read all.
        let _ = client.read_to_string(&mut answers);
        assert!(answers.is_empty() || answers == "+OK\r\n", "{answers}");
        let stored = server.scan("*");
        assert!(stored.starts_with(&keys.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    assert_eq!(proxy.doubts(), 2);
}

#[test]
fn nothing_comes_back_behind_a_swallowed_answer() {
    let server = RedisServer::start(Flavor::Valkey);
    let proxy = RespProxy::to([server.port()]);
    let swallowed = proxy.on_any(2, Fault::Swallow);
    let mut first = client(&proxy, 0);
    send(&mut first, &["PING", "SET a 1", "SET b 2", "SET c 3"]);
    expect(&mut first, "+PONG\r\n+OK\r\n");
    first
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert!(first.read(&mut [0]).is_err());
    assert!(swallowed.has_come());
    let mut other = client(&proxy, 0);
    send(&mut other, &["EXISTS a b c"]);
    expect(&mut other, ":3\r\n");
}

#[test]
fn a_held_command_waits_and_others_overtake_it() {
    let server = RedisServer::start(Flavor::Redis);
    let proxy = RespProxy::to([server.port()]);
    let gate = Gate::new();
    proxy.on("set", 1, Fault::Hold(gate.clone()));
    let (mut slow, mut fast) = (client(&proxy, 0), client(&proxy, 0));
    send(&mut slow, &["SET k slow"]);
    assert!(gate.wait_arrived(Duration::from_secs(10)));
    send(&mut fast, &["SET k fast"]);
    expect(&mut fast, "+OK\r\n");
    assert_eq!(server.command(&["GET", "k"]), "fast");
    proxy.calm();
    expect(&mut slow, "+OK\r\n");
    assert_eq!(server.command(&["GET", "k"]), "slow");
    assert_eq!(proxy.doubts(), 0);
}

#[test]
fn a_cluster_leads_its_clients_back_to_the_proxy() {
    let cluster = RedisCluster::start(Flavor::Redis);
    let proxy = RespProxy::to((0..RedisCluster::NODES).map(|node| cluster.node(node).port()));
    let slot = RedisCluster::slot_of("k");
    let owner = cluster.master_of("k");
    let other = (owner + 1) % 3;
    let mut client = client(&proxy, other);
    send(&mut client, &["GET k"]);
    let own = proxy.ports()[owner];
    expect(&mut client, &format!("-MOVED {slot} 127.0.0.1:{own}\r\n"));
}
