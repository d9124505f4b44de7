//! Servers whose clock is not that of this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rrss_core::{Backend, Written};
use rrss_test_servers::RedisServer;
use rrss_testkit::Log;
use tracing::Level;

use super::support::*;

on_both_servers![
    a_clock_that_is_ahead_is_logged_once_for_each_connection,
    a_clock_that_is_behind_is_logged,
    a_clock_that_is_right_is_not_logged,
    the_clock_is_measured_again_after_ten_minutes_of_use,
    a_user_who_may_not_ask_for_the_time_can_do_everything_else,
];

/// Passes everything on, but the server's time is another.
struct WrongClock {
    port: u16,
}

impl WrongClock {
    fn start(server: &RedisServer, ahead: i64) -> Self {
        let listener = TcpListener::bind((server.host(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream = (server.host(), server.port());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(upstream).unwrap();
                let (mut requests, mut to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut requests, &mut to_server);
                    let _ = to_server.shutdown(std::net::Shutdown::Both);
                });
                std::thread::spawn(move || pass_on(server, client, ahead));
            }
        });
        Self { port }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// The seconds of a time have ten digits until the year 2286, and are small enough for one packet.
fn pass_on(mut server: TcpStream, mut client: TcpStream, ahead: i64) {
    const TIME: &[u8] = b"*2\r\n$10\r\n";
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        let reply = &mut buffer[..length];
        if let Some(at) = reply.windows(TIME.len()).position(|part| part == TIME) {
            let digits = &mut reply[at + TIME.len()..][..10];
            let seconds: i64 = std::str::from_utf8(digits).unwrap().parse().unwrap();
            digits.copy_from_slice((seconds + ahead).to_string().as_bytes());
        }
        if client.write_all(reply).is_err() {
            break;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
}

async fn a_clock_that_is_ahead_is_logged_once_for_each_connection(server: RedisServer) {
    let log = Log::listen();
    let redis = connect_to(&WrongClock::start(&server, 600).url());
    for _ in 0..3 {
        redis.ping().await.unwrap();
    }
    assert_eq!(log.lines(Level::WARN), 1, "{}", log.text());
    for part in ["ahead of", "NTP", "offset_ms="] {
        assert!(log.text().contains(part), "{}", log.text());
    }
    redis.close().await.unwrap();
    redis.ping().await.unwrap();
    assert_eq!(log.lines(Level::WARN), 2, "{}", log.text());
}

async fn a_clock_that_is_behind_is_logged(server: RedisServer) {
    let log = Log::listen();
    let redis = connect_to(&WrongClock::start(&server, -600).url());
    redis.ping().await.unwrap();
    assert!(log.text().contains("behind"), "{}", log.text());
}

async fn a_clock_that_is_right_is_not_logged(server: RedisServer) {
    let log = Log::listen();
    connect(&server).ping().await.unwrap();
    assert!(server.command_counts().contains_key("time"));
    assert_eq!(log.lines(Level::WARN), 0, "{}", log.text());
}

/// No operation waits for it.
async fn the_clock_is_measured_again_after_ten_minutes_of_use(server: RedisServer) {
    let redis = connect(&server);
    redis.ping().await.unwrap();
    server.reset_counts();
    redis.ping().await.unwrap();
    assert_eq!(server.command_counts(), [("ping".to_owned(), 1)].into());

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(600)).await;
    tokio::time::resume();
    redis.ping().await.unwrap();
    for _ in 0..1000 {
        if server.command_counts().contains_key("time") {
            return;
        }
        redis.ping().await.unwrap();
    }
    panic!("it was not measured");
}

async fn a_user_who_may_not_ask_for_the_time_can_do_everything_else(server: RedisServer) {
    let rule = "ACL SETUSER web on >pw ~* +@all -time";
    server.command(&rule.split(' ').collect::<Vec<_>>());
    let log = Log::listen();
    let redis = connect_to(&format!(
        "redis://web:pw@{}:{}",
        server.host(),
        server.port()
    ));
    for number in 0..3 {
        let write = create(&format!("sessions:{number}"), b"{}", in_an_hour());
        assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
        redis.close().await.unwrap();
    }
    assert_eq!(log.lines(Level::WARN), 0, "{}", log.text());
    assert!(log.text().contains("allow `TIME`"), "{}", log.text());
    // The connections after the first do not ask again, since the server logs each refusal.
    assert_eq!(server.error_counts().get("NOPERM"), Some(&1));
}
