//! TLS. On Redis alone: the Valkey that the tests install is built without it.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use rrss_core::{Backend, DurationOption, ErrorKind};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisServer};

use super::support::*;

/// A server that speaks TLS on a second port, with a certificate for `localhost` that nobody knows.
struct TlsServer {
    server: RedisServer,
    port: u16,
}

impl TlsServer {
    fn start() -> Self {
        let server = RedisServer::start(Flavor::Redis);
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = server.folder().join("certificate.pem");
        let key = server.folder().join("key.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let set = |name: &str, value: &str| server.try_command(&["CONFIG", "SET", name, value]);
        set("tls-auth-clients", "no").unwrap();
        server.command(&[
            "CONFIG",
            "SET",
            "tls-cert-file",
            certificate.to_str().unwrap(),
            "tls-key-file",
            key.to_str().unwrap(),
        ]);
        // Between the choice of a port and its use another process may take it.
        for _ in 0..20 {
            let free = TcpListener::bind((server.host(), 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            if set("tls-port", &port.to_string()).is_ok() {
                return Self { server, port };
            }
        }
        panic!("Redis listens on none of 20 free ports");
    }

    fn url(&self) -> String {
        format!("rediss://localhost:{}", self.port)
    }
}

/// The system's trust is said by a variable of the environment, so this test runs itself again with it.
#[tokio::test]
async fn rediss_connects_to_a_server_whose_certificate_this_system_trusts() {
    const URL: &str = "RRSS_TEST_TLS_URL";
    if let Ok(url) = std::env::var(URL) {
        let redis = connect_to(&url);
        redis
            .write(&create("sessions:1", b"{}", in_an_hour()))
            .await
            .unwrap();
        assert_eq!(stored(&redis, "sessions:1").await.unwrap().unwrap(), "{}");
        return;
    }
    let tls = TlsServer::start();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("tls::rediss_connects_to_a_server_whose_certificate_this_system_trusts")
        .env("SSL_CERT_FILE", tls.server.folder().join("certificate.pem"))
        .env(URL, tls.url())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(tls.server.command(&["GET", "sessions:1"]), "{}");
}

#[tokio::test]
async fn a_certificate_that_nobody_knows_is_unavailable_and_said() {
    let tls = TlsServer::start();
    let redis = connect_to(&tls.url());
    for error in every_failure(&redis, "sessions:1").await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        let at = format!("Redis at localhost:{}", tls.port);
        assert!(error.message().contains(&at), "{error}");
        assert!(
            error.message().contains("check that its certificate"),
            "{error}"
        );
        assert!(
            all_that_it_says(&error).contains("UnknownIssuer"),
            "{error:?}"
        );
    }
    assert_eq!(tls.server.command(&["DBSIZE"]), "0");
}

/// A Redis that is spoken to in TLS waits for the end of what it takes for a command, so a limit must run out.
#[tokio::test]
async fn tls_on_one_side_alone_is_an_error_that_says_so() {
    let tls = TlsServer::start();
    for (url, part) in [
        (
            format!("rediss://localhost:{}", tls.server.port()),
            "speaks TLS on this port",
        ),
        (format!("redis://localhost:{}", tls.port), "`rediss://`"),
    ] {
        let options = Options {
            connect_timeout: DurationOption::new(Duration::from_millis(500)),
            ..to(&url)
        };
        let error = Redis::new(options).unwrap().ping().await.unwrap_err();
        let kinds = [ErrorKind::Unavailable, ErrorKind::Timeout];
        assert!(kinds.contains(&error.kind()), "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}
