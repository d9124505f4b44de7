//! A server that is not there, goes away, or does not answer.
//!
//! Where a limit must run out, tokio's clock stands still and jumps to the next timer when nothing else is to be
//! done. So a test sees exactly how long the limits let an operation take, and waits for none of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rrss_core::{Backend, DurationOption, Error, ErrorKind, Written};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Blackhole, Flavor, RedisServer, refused_port};
use tokio::time::Instant;

use super::support::*;

/// Long enough for a busy machine while the clock runs, and no time at all while it stands still.
const TIMEOUT: Duration = Duration::from_secs(90);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(120);

/// tokio's timers have a resolution of a millisecond.
const RESOLUTION: Duration = Duration::from_millis(2);

on_both_servers![
    a_server_that_hangs_is_a_timeout_and_is_used_again_when_it_goes_on,
    a_server_that_was_restarted_while_nobody_asked_is_just_used,
    a_write_after_a_restart_that_was_noticed_is_done,
    a_server_that_stops_is_unavailable_and_its_return_is_noticed,
    a_hang_after_a_lost_connection_stays_within_both_limits,
    a_write_whose_connection_breaks_is_not_repeated,
    an_operation_that_waits_for_a_lost_attempt_makes_its_own,
];

fn limited(url: &str) -> Redis {
    Redis::new(Options {
        timeout: DurationOption::new(TIMEOUT),
        connect_timeout: DurationOption::new(CONNECT_TIMEOUT),
        ..to(url)
    })
    .unwrap()
}

fn names_the_server(error: &Error, port: u16) {
    let at = format!("Redis at 127.0.0.1:{port}");
    assert!(error.message().contains(&at), "{error}");
}

fn within_the_connect_limit() -> String {
    let limit = DurationOption::new(CONNECT_TIMEOUT);
    format!("within {limit} (`connect_timeout`)")
}

#[tokio::test]
async fn a_refused_connection_is_unavailable_before_any_limit_and_names_the_server() {
    let port = refused_port();
    let redis = connect_to(&format!("redis://127.0.0.1:{port}"));
    for error in every_failure(&redis, "sessions:1").await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_temporary());
        names_the_server(&error, port);
        // A limit that had run out would be said.
        assert!(all_that_it_says(&error).contains("refused"), "{error:?}");
    }
}

/// A label of a name has 63 characters at most (RFC 1035, 2.3.4), so no name server is asked.
#[tokio::test]
async fn a_host_name_that_cannot_exist_is_unavailable_and_named() {
    let host = "x".repeat(64);
    let redis = connect_to(&format!("redis://{host}:6399"));
    let error = redis.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let at = format!("Redis at {host}:6399");
    assert!(error.message().contains(&at), "{error}");
}

#[tokio::test]
async fn a_socket_that_does_not_exist_is_unavailable_and_named() {
    let redis = connect_to("redis+unix:///nowhere/redis.sock");
    let error = redis.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.message().contains("Redis at /nowhere/redis.sock"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_a_timeout_after_the_connect_limit() {
    let hole = Blackhole::start();
    let redis = limited(&hole.url());
    tokio::time::pause();
    for operation in ["load", "write"] {
        let begun = Instant::now();
        let error = match operation {
            "load" => redis.load(&load("sessions:1")).await.unwrap_err(),
            _ => {
                let write = create("sessions:1", b"{}", in_an_hour());
                redis.write(&write).await.unwrap_err()
            }
        };
        let took = begun.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.is_temporary());
        names_the_server(&error, hole.port());
        assert!(
            error.message().contains(&within_the_connect_limit()),
            "{error}"
        );
        assert!(took <= CONNECT_TIMEOUT + RESOLUTION, "{took:?}");
    }
}

/// Many wait for one attempt, and none of them longer than one alone.
#[tokio::test]
async fn operations_at_once_wait_for_the_same_attempt() {
    let hole = Blackhole::start();
    let redis = std::sync::Arc::new(limited(&hole.url()));
    tokio::time::pause();
    let begun = Instant::now();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let redis = std::sync::Arc::clone(&redis);
            tokio::spawn(async move { redis.ping().await.unwrap_err().kind() })
        })
        .collect();
    for one in waiting {
        assert_eq!(one.await.unwrap(), ErrorKind::Timeout);
    }
    let took = begun.elapsed();
    assert!(took <= CONNECT_TIMEOUT + RESOLUTION, "{took:?}");
    assert!(hole.accepted() <= 2, "{}", hole.accepted());
}

async fn a_server_that_hangs_is_a_timeout_and_is_used_again_when_it_goes_on(server: RedisServer) {
    let redis = limited(&server.url());
    redis
        .write(&create("sessions:1", b"{}", in_an_hour()))
        .await
        .unwrap();

    server.pause();
    tokio::time::pause();
    // The first asks on the connection that there is, the second must connect; each has its limit.
    let within_the_limit = format!("within {} (`timeout`)", DurationOption::new(TIMEOUT));
    for (limit, name) in [
        (TIMEOUT, within_the_limit),
        (CONNECT_TIMEOUT, within_the_connect_limit()),
    ] {
        let begun = Instant::now();
        let error = redis.load(&load("sessions:1")).await.unwrap_err();
        let took = begun.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        names_the_server(&error, server.port());
        assert!(error.message().contains(&name), "{error}");
        assert!(took <= limit + RESOLUTION, "{took:?}");
    }
    tokio::time::resume();
    server.resume();

    assert_eq!(stored(&redis, "sessions:1").await.unwrap().unwrap(), "{}");
}

async fn a_server_that_was_restarted_while_nobody_asked_is_just_used(mut server: RedisServer) {
    let redis = connect(&server);
    redis.ping().await.unwrap();
    server.restart();
    assert_eq!(stored(&redis, "sessions:1").await.unwrap(), None);
    let write = create("sessions:1", b"{}", in_an_hour());
    assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
}

/// A lost connection is noticed when the runtime next looks at its sockets, and not by the write that would be lost.
async fn a_write_after_a_restart_that_was_noticed_is_done(mut server: RedisServer) {
    let redis = connect(&server);
    redis.ping().await.unwrap();
    server.restart();
    connect(&server).ping().await.unwrap();
    let write = create("sessions:1", b"{}", in_an_hour());
    assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
}

async fn a_server_that_stops_is_unavailable_and_its_return_is_noticed(mut server: RedisServer) {
    let redis = connect(&server);
    let write = create("sessions:1", b"{}", in_an_hour());
    redis.ping().await.unwrap();
    for _ in 0..3 {
        server.stop();
        for error in every_failure(&redis, "sessions:1").await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            names_the_server(&error, server.port());
        }
        server.restart();
        // The first operation after the return, though it changes something.
        assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
        assert_eq!(stored(&redis, "sessions:1").await.unwrap().unwrap(), "{}");
    }
}

/// The longest that an operation can take: it finds its connection broken, connects anew to what does not answer.
async fn a_hang_after_a_lost_connection_stays_within_both_limits(mut server: RedisServer) {
    let redis = limited(&server.url());
    redis.ping().await.unwrap();
    server.kill();
    // The kernel accepts for it, and nobody answers.
    let _silent = TcpListener::bind((server.host(), server.port())).unwrap();
    tokio::time::pause();
    let begun = Instant::now();
    let error = redis.load(&load("sessions:1")).await.unwrap_err();
    let took = begun.elapsed();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(took <= CONNECT_TIMEOUT + TIMEOUT + RESOLUTION, "{took:?}");
}

/// The server runs the write, and the connection breaks before the answer has come back. A second try would find
/// the key taken, and the session would be stored under another id as well.
async fn a_write_whose_connection_breaks_is_not_repeated(server: RedisServer) {
    let proxy = CuttingProxy::start(&server);
    let redis = connect_to(&proxy.url());
    redis.ping().await.unwrap();

    proxy.cut_after_the_next_request();
    let write = create("sessions:1", b"{}", in_an_hour());
    let error = redis.write(&write).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.message().contains("it may have been stored"),
        "{error}"
    );
    assert_eq!(server.command(&["GET", "sessions:1"]), "{}");

    redis.ping().await.unwrap();
    proxy.cut_after_the_next_request();
    assert_eq!(stored(&redis, "sessions:1").await.unwrap().unwrap(), "{}");
}

/// An attempt to connect that began during the outage says nothing of the time after it.
async fn an_operation_that_waits_for_a_lost_attempt_makes_its_own(mut server: RedisServer) {
    let (host, port) = (server.host(), server.port());
    server.stop();
    let redis = std::sync::Arc::new(connect_to(&format!("redis://{host}:{port}")));
    // What accepts here hangs up later, when the server is back already: the attempt of the first operation fails.
    let stranger = TcpListener::bind((host, port)).unwrap();
    let first = {
        let redis = std::sync::Arc::clone(&redis);
        tokio::spawn(async move { redis.ping().await })
    };
    stranger.set_nonblocking(true).unwrap();
    let accepted = std::cell::OnceCell::new();
    eventually(|| {
        stranger
            .accept()
            .is_ok_and(|(stream, _)| accepted.set(stream).is_ok())
    })
    .await;
    drop(stranger);
    server.restart();
    let op = load("sessions:1");
    let mut second = Box::pin(redis.load(&op));
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(second.as_mut().poll(context).is_ready())
    });
    assert!(!polled.await);
    drop(accepted);

    let error = first.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(second.await.unwrap().is_none());
}

/// Passes everything on between client and server, until it is told to break a connection in the worst moment.
struct CuttingProxy {
    port: u16,
    cut: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl CuttingProxy {
    fn start(server: &RedisServer) -> Self {
        use std::sync::atomic::{AtomicBool, Ordering};

        let listener = TcpListener::bind((server.host(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = std::sync::Arc::new(AtomicBool::new(false));
        let (told, upstream) = (std::sync::Arc::clone(&cut), (server.host(), server.port()));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, told) = (client.unwrap(), std::sync::Arc::clone(&told));
                let mut server = TcpStream::connect(upstream).unwrap();
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    // One request, then its answer: the client of these tests sends one at a time.
                    while let Ok(length @ 1..) = client.read(&mut buffer) {
                        server.write_all(&buffer[..length]).unwrap();
                        let length = server.read(&mut buffer).unwrap();
                        if told.swap(false, Ordering::SeqCst) {
                            return;
                        }
                        client.write_all(&buffer[..length]).unwrap();
                    }
                });
            }
        });
        Self { port, cut }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn cut_after_the_next_request(&self) {
        self.cut.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

#[tokio::test]
async fn what_is_not_redis_at_all_is_unavailable() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut request = [0; 4096];
            let _ = client.read(&mut request);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let error = connect_to(&format!("redis://127.0.0.1:{port}"))
        .ping()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    names_the_server(&error, port);
    assert!(
        error.message().contains("does not speak the protocol"),
        "{error}"
    );
}

/// As twemproxy, which hangs up on a command that it does not know, and Envoy, which refuses it.
#[tokio::test]
async fn a_proxy_that_does_not_know_the_greeting_is_explained() {
    for answer in [
        "",
        "-ERR unknown command 'HELLO'\r\n",
        "-invalid request\r\n",
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let mut request = [0; 4096];
                let _ = client.read(&mut request);
                let _ = client.write_all(answer.repeat(3).as_bytes());
            }
        });
        let error = connect_to(&format!("redis://127.0.0.1:{port}"))
            .ping()
            .await
            .unwrap_err();
        names_the_server(&error, port);
        for part in ["the greeting (`HELLO 3`)", "proxy"] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}

#[tokio::test]
async fn a_socket_of_this_machine_is_as_good_as_a_port() {
    for flavor in Flavor::ALL {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let socket = socket.to_str().unwrap();
        let server = RedisServer::builder(flavor)
            .arg("--unixsocket", socket)
            .start();
        let redis = connect_to(&format!("redis+unix://{socket}?db=2"));
        redis
            .write(&create("sessions:1", b"{}", in_an_hour()))
            .await
            .unwrap();
        assert!(server.command(&["INFO", "keyspace"]).contains("db2:keys=1"));
    }
}
