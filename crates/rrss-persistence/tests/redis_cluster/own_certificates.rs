//! TLS to every node of a Cluster, with an authority and certificates of one's own. On Redis alone: the Valkey that the tests
//! install is built without it.

use std::time::{Duration, Instant};

use rrss_core::{Backend, ErrorKind};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisCluster};

use super::authority::Authority;
use super::support::*;

#[tokio::test]
async fn every_node_is_shown_the_certificate_wherever_a_slot_is() {
    let cluster = RedisCluster::start(Flavor::Redis);
    let authority = Authority::new("ours");
    let nodes: Vec<_> = (0..RedisCluster::NODES)
        .map(|node| cluster.node(node))
        .collect();
    let ports: Vec<u16> = nodes.iter().map(|node| authority.secure(node)).collect();
    for (node, port) in nodes.iter().zip(&ports) {
        node.command(&["CONFIG", "SET", "tls-cluster", "yes"]);
        let port = port.to_string();
        node.command(&["CONFIG", "SET", "cluster-announce-tls-port", &port]);
    }
    let start = Instant::now();
    let knows_all = |said: String| ports.iter().all(|port| said.contains(&port.to_string()));
    while !nodes
        .iter()
        .all(|node| knows_all(node.command(&["CLUSTER", "SHARDS"])))
    {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }

    let seed = format!("rediss://127.0.0.1:{}", ports[0]);
    let with = |options: Options| Options {
        nodes: to(&[&seed]).nodes,
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..options
    };
    let redis = Redis::new(with(authority.client())).unwrap();
    for number in 0..32 {
        let key = format!("sessions:{number}");
        redis.write(&create(&key, "{}")).await.unwrap();
        assert!(redis.load(&load(&key)).await.unwrap().is_some());
    }
    let masters = cluster.masters();
    let has_keys = |node: &&usize| cluster.command_on(**node, &["DBSIZE"]) != "0";
    assert_eq!(masters.iter().filter(has_keys).count(), 3);

    let without = Options {
        cacert: Some(authority.certificate()),
        ..Options::default()
    };
    let error = Redis::new(with(without)).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message().contains("set `cert` and `key`"), "{error}");
}
