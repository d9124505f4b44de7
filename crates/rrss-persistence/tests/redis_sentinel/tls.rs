//! TLS to sentinels, and to the servers that they name. On Redis alone: the Valkey that the tests install is built without it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rrss_core::{Backend, Error, ErrorKind};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisServer};

use super::authority::Authority;
use super::operations::*;
use super::to;

const MASTER: &str = "mymaster";

/// A master, its replica and a sentinel, which speak TLS with each other, and with clients that show a certificate.
///
/// Each listens without TLS too, for the commands of the tests.
struct Secured {
    authority: Authority,
    servers: [(RedisServer, u16); 2],
    sentinel: RedisServer,
    sentinel_port: u16,
}

impl Secured {
    fn start() -> Self {
        let authority = Authority::new("ours");
        let servers = [(); 2].map(|()| {
            let server = RedisServer::builder(Flavor::Redis)
                .arg("--repl-diskless-sync", "no")
                .start();
            let port = authority.secure(&server);
            server.command(&["CONFIG", "SET", "tls-replication", "yes"]);
            (server, port)
        });
        let [(_, master), (replica, _)] = &servers;
        let master = master.to_string();
        replica.command(&["REPLICAOF", "127.0.0.1", &master]);
        let (sentinel, sentinel_port) = sentinel(&authority);
        sentinel.command(&["SENTINEL", "DEBUG", "INFO-PERIOD", "500"]);
        sentinel.command(&["SENTINEL", "MONITOR", MASTER, "127.0.0.1", &master, "1"]);
        let started = Self {
            authority,
            servers,
            sentinel,
            sentinel_port,
        };
        started.wait_until_known();
        started
    }

    /// Until the replica follows, and the sentinel could make it the master.
    fn wait_until_known(&self) {
        until("the sentinel knows the replica", || {
            let replicas = self.sentinel.command(&["SENTINEL", "REPLICAS", MASTER]);
            let flags = replicas.lines().skip_while(|line| *line != "flags").nth(1);
            flags == Some("slave") && replicas.contains("master-link-status\nok")
        });
    }

    fn address_of_master(&self) -> String {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER];
        self.sentinel.command(&ask).replace('\n', ":")
    }

    /// The server that is the master now, by the sentinel.
    fn master(&self) -> &RedisServer {
        let address = self.address_of_master();
        let named = self
            .servers
            .iter()
            .find(|(_, port)| address.ends_with(&format!(":{port}")));
        &named.unwrap().0
    }

    fn replica(&self) -> &RedisServer {
        let master = self.master().port();
        let mut servers = self.servers.iter().map(|(server, _)| server);
        servers.find(|server| server.port() != master).unwrap()
    }

    /// What a client says that `certificates` are the options of.
    fn options(&self, certificates: Options) -> Options {
        let nodes = [format!("rediss://127.0.0.1:{}", self.sentinel_port)];
        Options {
            tls: true,
            timeout: GENEROUS,
            connect_timeout: GENEROUS,
            sentinel: to(MASTER, &nodes).sentinel,
            ..certificates
        }
    }

    async fn refused(&self, options: Options) -> Error {
        let error = Redis::new(options).unwrap().ping().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        error
    }
}

fn sentinel(authority: &Authority) -> (RedisServer, u16) {
    let (cert, key) = authority.make("sentinel");
    let ca = authority.certificate();
    // Between the choice of a port and its use another process may take it, and then the sentinel says so and ends.
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let sentinel = RedisServer::builder(Flavor::Redis)
        .sentinel()
        .arg("--tls-cert-file", cert.to_str().unwrap())
        .arg("--tls-key-file", key.to_str().unwrap())
        .arg("--tls-ca-cert-file", ca.to_str().unwrap())
        .arg("--tls-replication", "yes")
        .arg("--tls-port", &port.to_string())
        .start();
    (sentinel, port)
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn sentinels_and_servers_that_speak_tls_are_followed_through_a_failover() {
    let secured = Secured::start();
    let redis = Redis::new(secured.options(secured.authority.client())).unwrap();
    redis.write(&create("kept:1", "0")).await.unwrap();
    assert_eq!(secured.master().command(&["GET", "kept:1"]), "0");
    whole_life(&redis, "kept:2").await;

    let before = secured.address_of_master();
    assert_eq!(secured.master().command(&["WAIT", "1", "20000"]), "1");
    secured.sentinel.command(&["SENTINEL", "FAILOVER", MASTER]);
    // Until then the old master takes writes, which nobody would see again.
    until("the two have changed their roles", || {
        secured.address_of_master() != before
            && secured.master().command(&["ROLE"]).starts_with("master")
            && secured.replica().command(&["ROLE"]).starts_with("slave")
    });
    assert_eq!(
        stored(&redis, "kept:1").await.unwrap().as_deref(),
        Some("0")
    );
    redis.write(&replace("kept:1", "0", "1")).await.unwrap();
    assert_eq!(secured.master().command(&["GET", "kept:1"]), "1");
}

#[tokio::test]
async fn a_sentinel_of_another_authority_is_unavailable_and_said() {
    let secured = Secured::start();
    let error = secured
        .refused(secured.options(Options {
            cacert: Some(Authority::new("theirs").certificate()),
            ..secured.authority.client()
        }))
        .await;
    let at = format!("127.0.0.1:{}", secured.sentinel_port);
    assert!(error.message().contains(&at), "{error}");
    assert!(
        error.message().contains("an authority in `cacert`"),
        "{error}"
    );
}

/// The sentinel is believed, and asked without TLS; the server that it names has to show who it is all the same.
#[tokio::test]
async fn a_server_that_a_sentinel_names_has_to_show_a_certificate_of_the_authority() {
    let secured = Secured::start();
    let asked_plainly = to(MASTER, &[secured.sentinel.url()]).sentinel;
    let options = Options {
        sentinel: asked_plainly.clone(),
        ..secured.options(secured.authority.client())
    };
    Redis::new(options).unwrap().ping().await.unwrap();

    let error = secured
        .refused(Options {
            sentinel: asked_plainly,
            cacert: Some(Authority::new("theirs").certificate()),
            ..secured.options(secured.authority.client())
        })
        .await;
    let at = secured.address_of_master();
    assert!(error.message().contains(&at), "{error}");
    assert!(
        error.message().contains("an authority in `cacert`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_that_shows_no_certificate_is_told_so() {
    let secured = Secured::start();
    let error = secured
        .refused(secured.options(Options {
            cacert: Some(secured.authority.certificate()),
            ..Options::default()
        }))
        .await;
    assert!(error.message().contains("set `cert` and `key`"), "{error}");
}
