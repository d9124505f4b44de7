//! Listing, counting, and what an operation must bring.

use rrss_core::{Action, Backend, Cursor, Deadline, ErrorKind, Operation, Payload, Written};
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};

use super::support::*;

on_both_servers![
    a_list_names_every_live_session_of_the_key_space,
    an_operation_without_what_it_needs_is_a_config_error,
    a_backend_without_a_sweep_needs_none,
];

async fn a_list_names_every_live_session_of_the_key_space(server: RedisServer) {
    let redis = connect(&server);
    let mut expected = Vec::new();
    for n in 0..50 {
        let key = format!("sessions:{n:02}");
        redis
            .write(&create(&key, session(&[("a", "1")]), in_an_hour()))
            .await
            .unwrap();
        expected.push(key);
        server.command(&["HSET", &format!("carts:{n}"), "a", "1"]);
        server.command(&["SET", &format!("sessions:{n:02}:written-at"), "5"]);
    }
    server.command(&["ZADD", "sessions:all", "5", "sessions:00"]);
    let list = op(Action::Count, "", now());
    let (mut keys, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let page = redis.list(&list, cursor.as_ref(), 7).await.unwrap();
        keys.extend(page.keys.iter().map(|key| key.as_str().to_owned()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys, expected);
    assert_eq!(redis.count(&list).await.unwrap(), 50);
}

async fn an_operation_without_what_it_needs_is_a_config_error(server: RedisServer) {
    let redis = connect(&server);
    let bare = Operation::new(Action::Create, now());
    let mut bytes = op(Action::Update, KEY, now());
    bytes.payload = Payload::Bytes("{}".into());
    for error in [
        redis.load(&bare).await.unwrap_err(),
        redis.write(&bare).await.unwrap_err(),
        redis.write(&bytes).await.unwrap_err(),
        redis.touch(&bare).await.unwrap_err(),
        redis.delete(&bare).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    for error in [
        redis.list(&bare, None, 1).await.unwrap_err(),
        redis.count(&bare).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}

async fn a_backend_without_a_sweep_needs_none(server: RedisServer) {
    let redis = connect(&server);
    assert!(!redis.needs_sweep());
    server.command(&["ZADD", "sessions:all", "0", KEY]);
    server.command(&["HSET", KEY, "a", "1"]);
    let sweep = op(Action::Sweep { limit: 10 }, "", now());
    assert_eq!(redis.sweep(&sweep, 10).await.unwrap(), 0);
    assert_eq!(server.command(&["DBSIZE"]), "2");
}

#[tokio::test]
async fn hashes_are_kept_in_a_cluster_each_on_the_node_of_its_key() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let nodes = cluster.nodes();
        let redis = rrss_persistence::redis::Hashes::new(rrss_persistence::redis::Options {
            nodes: Some(nodes.iter().map(|node| node.parse().unwrap()).collect()),
            url: None,
            ..generous("redis://localhost")
        })
        .unwrap();
        for n in 0..30 {
            let key = format!("sessions:{n}");
            let write = create(&key, session(&[("n", &n.to_string())]), in_an_hour());
            assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
            let mut changed = read(&redis, &key, now()).await.unwrap();
            changed.insert("b", &2).unwrap();
            let write = update(&key, changed, Deadline::Keep);
            assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
            let node = cluster.node(cluster.master_of(&key));
            let stored = stored_fields(node, &key);
            assert_eq!(stored, ["b=2".to_owned(), format!("n={n}")]);
        }
        assert_eq!(
            redis.count(&op(Action::Count, "", now())).await.unwrap(),
            30
        );
    }
}
