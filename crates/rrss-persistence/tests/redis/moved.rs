//! One address behind which another server takes over, as managed Redis and service names do.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use rrss_core::{Backend, ErrorKind, Written};
use rrss_test_servers::{RedisServer, refused_port};

use super::support::*;

on_both_servers![
    a_server_that_has_lost_its_primary_is_left_by_loads_alone,
    a_server_that_has_become_a_replica_is_left_by_a_write,
];

/// New connections are to whichever server it points to; those that are open stay.
struct Endpoint {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Endpoint {
    fn to(server: &RedisServer) -> Self {
        let listener = TcpListener::bind((server.host(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(server.port()));
        let (current, host) = (Arc::clone(&target), server.host());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect((host, current.load(Ordering::SeqCst))).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        Self { port, target }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn move_to(&self, server: &RedisServer) {
        self.target.store(server.port(), Ordering::SeqCst);
    }
}

/// It becomes a replica of a primary that is not there.
fn demote(server: &RedisServer, answers_reads: bool) {
    let answers = if answers_reads { "yes" } else { "no" };
    server.command(&["CONFIG", "SET", "replica-serve-stale-data", answers]);
    server.command(&["REPLICAOF", "127.0.0.1", &refused_port().to_string()]);
}

/// With one command, and with several, of which each is refused by itself.
async fn a_server_that_has_lost_its_primary_is_left_by_loads_alone(old: RedisServer) {
    for wants_deadline in [false, true] {
        let new = RedisServer::start(old.flavor());
        new.command(&["SET", "sessions:1", "{}", "PX", "3600000"]);
        old.command(&["REPLICAOF", "NO", "ONE"]);
        let endpoint = Endpoint::to(&old);
        let redis = connect_to(&endpoint.url());
        let mut op = load("sessions:1");
        op.wants_deadline = wants_deadline;
        assert!(redis.load(&op).await.unwrap().is_none());

        demote(&old, false);
        endpoint.move_to(&new);
        let error = redis.load(&op).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("lost its primary"), "{error}");
        assert!(redis.load(&op).await.unwrap().is_some());
    }
}

async fn a_server_that_has_become_a_replica_is_left_by_a_write(old: RedisServer) {
    let new = RedisServer::start(old.flavor());
    let endpoint = Endpoint::to(&old);
    let redis = connect_to(&endpoint.url());
    redis.ping().await.unwrap();
    demote(&old, true);
    endpoint.move_to(&new);
    let write = create("sessions:1", b"{}", in_an_hour());
    let error = redis.write(&write).await.unwrap_err();
    assert!(error.message().contains("is a replica"), "{error}");
    assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
    assert_eq!(new.command(&["GET", "sessions:1"]), "{}");
}
