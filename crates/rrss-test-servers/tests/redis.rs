//! What [`RedisServer`] promises, on both flavours.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rrss_test_servers::{Flavor, RedisServer};

fn on_both(test: impl Fn(RedisServer)) {
    for flavor in Flavor::ALL {
        test(RedisServer::start(flavor));
    }
}

#[test]
fn a_server_is_the_one_that_was_asked_for() {
    let redis = RedisServer::start(Flavor::Redis).command(&["INFO", "server"]);
    assert!(redis.contains("redis_version:7."), "{redis}");
    assert!(!redis.contains("valkey_version:"), "{redis}");

    let valkey = RedisServer::start(Flavor::Valkey).command(&["INFO", "server"]);
    assert!(valkey.contains("valkey_version:9.1."), "{valkey}");
}

#[test]
fn a_server_starts_empty_and_on_a_port_of_its_own() {
    on_both(|server| {
        let other = RedisServer::start(server.flavor());
        server.command(&["SET", "mine", "1"]);
        assert_ne!(server.port(), other.port());
        assert_eq!(other.command(&["DBSIZE"]), "0");
    });
}

#[test]
fn command_answers_in_the_style_of_redis_cli() {
    on_both(|server| {
        assert_eq!(server.command(&["SET", "key", "value"]), "OK");
        assert_eq!(server.command(&["GET", "key"]), "value");
        assert_eq!(server.command(&["GET", "nothing"]), "(nil)");
        assert_eq!(server.command(&["PTTL", "key"]), "-1");
        assert_eq!(server.command(&["RPUSH", "list", "a", "b"]), "2");
        assert_eq!(server.command(&["LRANGE", "list", "0", "-1"]), "a\nb");
        let error = server.try_command(&["INCR", "list"]).unwrap_err();
        assert!(error.starts_with("WRONGTYPE "), "{error}");
    });
}

#[test]
#[should_panic(expected = "INCR of redis on 127.0.0.1:")]
fn command_panics_on_an_error_reply() {
    let server = RedisServer::start(Flavor::Redis);
    server.command(&["SET", "key", "value"]);
    server.command(&["INCR", "key"]);
}

#[test]
fn scan_lists_every_matching_key_once() {
    on_both(|server| {
        for number in 0..3000 {
            server.command(&["SET", &format!("sessions:{number:04}"), ""]);
        }
        server.command(&["SET", "other", ""]);
        let keys = server.scan("sessions:*");
        assert_eq!(keys.len(), 3000);
        assert_eq!(
            (keys[0].as_str(), keys[2999].as_str()),
            ("sessions:0000", "sessions:2999")
        );
        assert_eq!(server.scan("nothing:*"), [""; 0]);
    });
}

#[test]
fn counts_name_each_command_and_nothing_else() {
    on_both(|server| {
        server.reset_counts();
        assert_eq!(server.command_counts(), [].into());
        server.command(&["SET", "key", "value"]);
        server.command(&["GET", "key"]);
        server.command(&["GET", "key"]);
        server.command(&["CLIENT", "ID"]);
        let expected =
            [("client|id", 1), ("get", 2), ("set", 1)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(server.command_counts(), expected.into());
        server.reset_counts();
        assert_eq!(server.command_counts(), [].into());
    });
}

#[test]
fn counts_leave_out_the_servers_own_authentication() {
    let server = RedisServer::builder(Flavor::Valkey)
        .password("secret")
        .start();
    server.reset_counts();
    server.command(&["GET", "key"]);
    assert_eq!(server.command_counts(), [("get".to_owned(), 1)].into());
}

#[test]
fn a_password_is_demanded_and_never_printed() {
    for flavor in Flavor::ALL {
        let builder = RedisServer::builder(flavor).password("s3cr:t@/");
        assert!(!format!("{builder:?}").contains("s3cr"));
        let server = builder.start();
        assert_eq!(
            server.url(),
            format!("redis://:s3cr%3At%40%2F@127.0.0.1:{}", server.port())
        );
        assert!(!format!("{server:?}").contains("s3cr"));

        let mut stranger = connect(&server).unwrap();
        stranger.write_all(b"PING\r\n").unwrap();
        let mut answer = [0; 7];
        stranger.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"-NOAUTH");
    }
}

#[test]
fn a_stopped_server_refuses_and_a_restarted_one_answers_on_the_same_port() {
    on_both(|mut server| {
        let (url, folder) = (server.url(), server.folder().to_owned());
        for end in [RedisServer::stop, RedisServer::kill] {
            end(&mut server);
            assert_eq!(
                connect(&server).unwrap_err().kind(),
                ErrorKind::ConnectionRefused
            );
            server.restart();
            assert_eq!(server.command(&["PING"]), "PONG");
        }
        server.restart();
        assert_eq!((server.url(), server.folder()), (url, folder.as_path()));
    });
}

#[test]
fn appendonly_keeps_the_keys_over_a_restart() {
    for flavor in Flavor::ALL {
        let mut server = RedisServer::builder(flavor)
            .arg("--appendonly", "yes")
            .start();
        server.command(&["SET", "key", "value"]);
        server.restart();
        assert_eq!(server.command(&["GET", "key"]), "value");
    }
}

#[test]
fn a_paused_server_accepts_and_answers_once_resumed() {
    on_both(|server| {
        server.pause();
        let mut client = connect(&server).unwrap();
        client.write_all(b"PING\r\n").unwrap();
        client
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let mut answer = [0; 7];
        let silence = client.read(&mut answer).unwrap_err().kind();
        assert!(
            matches!(silence, ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{silence:?}"
        );

        server.resume();
        client.set_read_timeout(None).unwrap();
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+PONG\r\n");
    });
}

#[test]
fn a_dropped_server_is_gone_with_its_folder() {
    on_both(|server| {
        let (address, folder) = ((server.host(), server.port()), server.folder().to_owned());
        assert!(folder.is_dir());
        server.pause();
        drop(server);
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
        assert!(!folder.exists());
    });
}

#[test]
#[should_panic(expected = "ended at once")]
fn a_directive_that_the_server_does_not_know_is_its_own_message() {
    RedisServer::builder(Flavor::Redis)
        .arg("--no-such-directive", "1")
        .start();
}

fn connect(server: &RedisServer) -> std::io::Result<TcpStream> {
    TcpStream::connect((server.host(), server.port()))
}
