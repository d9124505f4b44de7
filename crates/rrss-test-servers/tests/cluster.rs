//! What [`RedisCluster`] promises, on both flavours.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rrss_test_servers::{Flavor, RedisCluster, RedisServer};

fn on_both(test: impl Fn(RedisCluster)) {
    for flavor in Flavor::ALL {
        test(RedisCluster::start(flavor));
    }
}

#[test]
fn a_cluster_starts_well_with_three_masters_that_each_have_a_replica() {
    on_both(|cluster| {
        assert_eq!(cluster.nodes().len(), RedisCluster::NODES);
        assert_eq!(cluster.seed_url(), cluster.nodes()[0]);
        assert_eq!(cluster.masters(), [0, 1, 2]);
        assert_eq!(
            [0, 5460, 5461, 10921, 10922, 16383].map(|slot| cluster.master_of_slot(slot)),
            [0, 0, 1, 1, 2, 2]
        );
        for node in 0..RedisCluster::NODES {
            let info = cluster.command_on(node, &["CLUSTER", "INFO"]);
            for line in [
                "cluster_state:ok",
                "cluster_slots_ok:16384",
                "cluster_known_nodes:6",
            ] {
                assert!(info.contains(line), "{info}");
            }
            let replication = cluster.command_on(node, &["INFO", "replication"]);
            let expected = match node {
                0..3 => "connected_slaves:1\r\n".to_owned(),
                _ => format!(
                    "master_port:{}\r\nmaster_link_status:up\r\n",
                    cluster.node(node - 3).port()
                ),
            };
            assert!(replication.contains(&expected), "{replication}");
        }
        assert_eq!(cluster.keys(), [""; 0]);
    });
}

#[test]
fn slot_of_agrees_with_the_servers() {
    on_both(|cluster| {
        for key in [
            "",
            "a",
            "sessions:1",
            "{user}:a",
            "a{}b",
            "a{{b}}c",
            "{",
            "ä{ö}ü",
        ] {
            let slot = cluster.command_on(0, &["CLUSTER", "KEYSLOT", key]);
            assert_eq!(slot, RedisCluster::slot_of(key).to_string(), "{key}");
        }
    });
}

#[test]
fn keys_are_those_of_all_masters_once_and_sorted() {
    on_both(|cluster| {
        let keys: Vec<String> = (0..60)
            .map(|number| format!("sessions:{number:02}"))
            .collect();
        for key in keys.iter().rev() {
            cluster.command_on(cluster.master_of(key), &["SET", key, ""]);
        }
        for master in cluster.masters() {
            assert_ne!(cluster.command_on(master, &["DBSIZE"]), "0");
        }
        assert_eq!(cluster.keys(), keys);
    });
}

#[test]
fn a_slot_that_is_moved_answers_ask_first_and_moved_in_the_end() {
    on_both(|cluster| {
        let slot = RedisCluster::slot_of("{user}");
        let (from, to) = (
            cluster.master_of("{user}"),
            (cluster.master_of("{user}") + 1) % 3,
        );
        let (source, target) = (cluster.node(from), cluster.node(to));
        for key in ["{user}:1", "{user}:2"] {
            source.command(&["SET", key, "here"]);
        }

        cluster.begin_migration(slot, to);
        assert_eq!(cluster.master_of("{user}"), from);
        assert_eq!(source.command(&["GET", "{user}:1"]), "here");
        let ask = Err(format!("ASK {slot} 127.0.0.1:{}", target.port()));
        let moved_back = Err(format!("MOVED {slot} 127.0.0.1:{}", source.port()));
        assert_eq!(source.try_command(&["GET", "{user}:3"]), ask);
        assert_eq!(target.try_command(&["GET", "{user}:1"]), moved_back);
        let both = source
            .try_command(&["MGET", "{user}:1", "{user}:3"])
            .unwrap_err();
        assert!(both.starts_with("TRYAGAIN "), "{both}");

        cluster.move_keys(slot, to);
        assert_eq!(source.try_command(&["GET", "{user}:1"]), ask);
        assert_eq!(target.try_command(&["GET", "{user}:1"]), moved_back);
        assert_eq!(asking(target, "GET {user}:1"), "here");
        assert_eq!(asking(target, "SET {user}:4 new"), "+OK");
        assert_eq!(cluster.keys(), ["{user}:1", "{user}:2", "{user}:4"]);

        cluster.finish_migration(slot, to);
        assert_eq!(cluster.master_of("{user}"), to);
        let moved = Err(format!("MOVED {slot} 127.0.0.1:{}", target.port()));
        for node in (0..RedisCluster::NODES).filter(|&node| node != to) {
            assert_eq!(
                cluster.node(node).try_command(&["GET", "{user}:1"]),
                moved,
                "{node}"
            );
        }
        assert_eq!(
            target.command(&["MGET", "{user}:2", "{user}:4"]),
            "here\nnew"
        );
    });
}

#[test]
fn migrate_slot_moves_more_keys_than_one_batch_with_their_expiry_and_a_password() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::builder(flavor).password("s3cr:t@/").start();
        assert!(!format!("{cluster:?}").contains("s3cr"));
        let (slot, from) = (RedisCluster::slot_of("{user}"), cluster.master_of("{user}"));
        for number in 0..250 {
            cluster.command_on(
                from,
                &["SET", &format!("{{user}}:{number}"), "", "EX", "600"],
            );
        }
        let to = (from + 2) % 3;
        cluster.migrate_slot(slot, to);
        assert_eq!(cluster.command_on(from, &["DBSIZE"]), "0");
        assert_eq!(cluster.command_on(to, &["DBSIZE"]), "250");
        let left: u64 = cluster
            .command_on(to, &["TTL", "{user}:249"])
            .parse()
            .unwrap();
        assert!((1..=600).contains(&left), "{left}");
    }
}

#[test]
#[should_panic(expected = "serves slot 0 already")]
fn a_slot_does_not_move_to_where_it_is() {
    RedisCluster::start(Flavor::Redis).migrate_slot(0, 0);
}

#[test]
fn a_replica_takes_over_from_a_killed_master_which_comes_back_as_its_replica() {
    on_both(|mut cluster| {
        let (key, slot) = ("sessions:1", RedisCluster::slot_of("sessions:1"));
        let master = cluster.master_of(key);
        cluster.command_on(master, &["SET", key, "kept"]);
        cluster.wait_for_replicas();

        cluster.kill_master(master);
        let refused = TcpStream::connect(("127.0.0.1", cluster.node(master).port())).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let successor = cluster.wait_for_failover(slot);
        assert_eq!(successor, master + 3);
        assert_eq!(cluster.master_of(key), successor);
        assert_eq!(cluster.command_on(successor, &["GET", key]), "kept");
        assert_eq!(cluster.keys(), [key]);

        cluster.restart(master);
        assert!(!cluster.masters().contains(&master));
        let error = cluster.node(master).try_command(&["GET", key]).unwrap_err();
        assert_eq!(
            error,
            format!("MOVED {slot} 127.0.0.1:{}", cluster.node(successor).port())
        );
        assert_eq!(cluster.command_on(master, &["DBSIZE"]), "1");
    });
}

#[test]
fn a_paused_master_loses_its_slots_and_yields_once_it_is_resumed() {
    on_both(|cluster| {
        cluster.node(0).pause();
        assert_eq!(cluster.wait_for_failover(0), 3);
        cluster.node(0).resume();
        assert_eq!(cluster.wait_for_failover(0), 3);
        assert_eq!(cluster.master_of_slot(0), 3);
    });
}

#[test]
fn the_slots_of_the_others_are_served_while_a_master_is_dead() {
    on_both(|mut cluster| {
        // With its replica gone nobody can take over.
        cluster.node(3).pause();
        cluster.kill_master(0);
        let start = Instant::now();
        let dead = |cluster: &RedisCluster| {
            let info = cluster.command_on(1, &["CLUSTER", "INFO"]);
            info.contains("cluster_slots_fail:5461")
        };
        while !dead(&cluster) {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "no node takes the master for dead"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let key = key_of_master(1);
        assert_eq!(cluster.command_on(1, &["SET", &key, ""]), "OK");
    });
}

#[test]
fn counts_are_of_all_masters_and_of_clients_alone() {
    on_both(|cluster| {
        cluster.reset_counts();
        assert_eq!(cluster.command_counts(), [].into());
        for key in ["a", "b", "c", "d"] {
            cluster.command_on(cluster.master_of(key), &["SET", key, ""]);
        }
        let from = cluster.master_of("a");
        cluster.migrate_slot(RedisCluster::slot_of("a"), (from + 1) % 3);
        cluster.node(from).try_command(&["GET", "a"]).unwrap_err();
        assert_eq!(cluster.command_counts(), [("set".to_owned(), 4)].into());
        assert_eq!(cluster.error_counts(), [("MOVED".to_owned(), 1)].into());
        cluster.reset_counts();
        assert_eq!(
            (cluster.command_counts(), cluster.error_counts()),
            ([].into(), [].into())
        );
    });
}

#[test]
fn connections_are_those_of_clients_to_all_nodes() {
    on_both(|cluster| {
        cluster.command_on(cluster.master_of("a"), &["SET", "a", ""]);
        cluster.migrate_slot(RedisCluster::slot_of("a"), (cluster.master_of("a") + 1) % 3);
        assert_eq!(cluster.connections(), 0);
        let clients =
            [1, 4].map(|node| TcpStream::connect(("127.0.0.1", cluster.node(node).port())));
        assert_eq!(cluster.connections(), 2);
        for client in clients {
            let mut client = client.unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
        assert_eq!(cluster.connections(), 0);
    });
}

#[test]
fn a_dropped_cluster_is_gone_with_all_its_processes_and_folders() {
    on_both(|mut cluster| {
        cluster.kill_master(2);
        cluster.node(4).pause();
        let nodes: Vec<&RedisServer> = (0..RedisCluster::NODES)
            .map(|node| cluster.node(node))
            .collect();
        let folders: Vec<PathBuf> = nodes.iter().map(|node| node.folder().to_owned()).collect();
        let buses = [0, 1, 3, 5].map(|node| bus_port(&cluster, node));
        let ports: Vec<u16> = nodes.iter().map(|node| node.port()).chain(buses).collect();
        assert!(
            folders
                .iter()
                .all(|folder| folder.join("nodes.conf").is_file())
        );
        drop(cluster);
        for port in ports {
            let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        }
        assert!(!folders.iter().any(|folder| folder.exists()));
    });
}

/// The answer to a command that a client sends where it was sent by `ASK`.
fn asking(server: &RedisServer, command: &str) -> String {
    let mut stream = TcpStream::connect((server.host(), server.port())).unwrap();
    stream
        .write_all(format!("ASKING\r\n{command}\r\n").as_bytes())
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "+OK");
    let answer = lines.next().unwrap();
    if answer.starts_with('$') {
        lines.next().unwrap()
    } else {
        answer
    }
}

fn key_of_master(master: usize) -> String {
    let first = master * 5461;
    let slots = first..first + 5460;
    (0..)
        .map(|number| number.to_string())
        .find(|key| slots.contains(&RedisCluster::slot_of(key).into()))
        .unwrap()
}

fn bus_port(cluster: &RedisCluster, node: usize) -> u16 {
    let setting = cluster.command_on(node, &["CONFIG", "GET", "cluster-port"]);
    setting.lines().last().unwrap().parse().unwrap()
}
