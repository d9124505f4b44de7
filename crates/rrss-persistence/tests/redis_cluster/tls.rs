//! TLS to every node of a Cluster. On Redis alone: the Valkey that the tests install is built without it.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use rrss_core::{Backend, DurationOption, ErrorKind};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisCluster};

use super::support::*;

/// In the environment of a test that runs itself again, since the system's trust is said by a variable of it.
const NODES: &str = "RRSS_TEST_TLS_NODES";

/// A cluster whose nodes speak TLS on a second port, and name those ports to who asks in TLS.
struct TlsCluster {
    cluster: RedisCluster,
    ports: Vec<u16>,
}

impl TlsCluster {
    /// With a certificate for this host that nobody knows, the same for all nodes; or for all but the first master, which has
    /// one of its own.
    fn start(has_odd: bool) -> Self {
        let cluster = RedisCluster::start(Flavor::Redis);
        let odd = has_odd.then(|| cluster.masters()[0]);
        let own = certificate(&cluster, 0);
        let other = certificate(&cluster, 1);
        let both =
            std::fs::read_to_string(&own.0).unwrap() + &std::fs::read_to_string(&other.0).unwrap();
        let trusted = cluster.node(0).folder().join("trusted.pem");
        std::fs::write(&trusted, both).unwrap();
        let mut ports = Vec::new();
        for node in 0..RedisCluster::NODES {
            let (certificate, key) = if odd == Some(node) { &other } else { &own };
            let set = |name: &str, value: &str| {
                cluster
                    .node(node)
                    .try_command(&["CONFIG", "SET", name, value])
            };
            set("tls-auth-clients", "no").unwrap();
            set("tls-ca-cert-file", trusted.to_str().unwrap()).unwrap();
            cluster.command_on(
                node,
                &[
                    "CONFIG",
                    "SET",
                    "tls-cert-file",
                    certificate.to_str().unwrap(),
                    "tls-key-file",
                    key.to_str().unwrap(),
                ],
            );
            ports.push(listen(&set));
        }
        for (node, port) in ports.iter().enumerate() {
            let set = ["CONFIG", "SET", "tls-cluster", "yes"];
            cluster.command_on(node, &set);
            let port = port.to_string();
            let set = ["CONFIG", "SET", "cluster-announce-tls-port", &port];
            cluster.command_on(node, &set);
        }
        let started = Self { cluster, ports };
        started.wait_until_known();
        if let Some(odd) = odd {
            assert!(
                started.cluster.masters().contains(&odd),
                "it is a master still"
            );
        }
        started
    }

    /// Until each node has heard from all others where they speak TLS.
    fn wait_until_known(&self) {
        let start = Instant::now();
        for node in 0..RedisCluster::NODES {
            loop {
                let nodes = self.cluster.command_on(node, &["CLUSTER", "SHARDS"]);
                let said = |port: &u16| nodes.contains(&port.to_string());
                if self.ports.iter().all(said) {
                    break;
                }
                assert!(start.elapsed() < Duration::from_secs(60), "{nodes}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn nodes(&self) -> String {
        let nodes = self
            .ports
            .iter()
            .map(|port| format!("rediss://127.0.0.1:{port}"));
        nodes.collect::<Vec<_>>().join(" ")
    }

    /// Runs a test of this file again, with trust in the certificate of all nodes but the odd one.
    fn run_again(&self, test: &str) {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", test])
            .env("SSL_CERT_FILE", self.cluster.node(0).folder().join("0.pem"))
            .env(NODES, self.nodes())
            .status();
        assert!(status.unwrap().success());
    }
}

/// A certificate and its key, in files of the first node.
fn certificate(cluster: &RedisCluster, number: usize) -> (std::path::PathBuf, std::path::PathBuf) {
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    // By its name the nodes find what they trust.
    let name = format!("certificate {number}");
    let names = &mut parameters.distinguished_name;
    names.push(rcgen::DnType::CommonName, name);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = parameters.self_signed(&key).unwrap();
    let folder = cluster.node(0).folder();
    let files = (
        folder.join(format!("{number}.pem")),
        folder.join(format!("{number}.key")),
    );
    std::fs::write(&files.0, made.pem()).unwrap();
    std::fs::write(&files.1, key.serialize_pem()).unwrap();
    files
}

/// Listens for TLS on a free port. Between the choice of a port and its use another process may take it.
fn listen(set: &dyn Fn(&str, &str) -> Result<String, String>) -> u16 {
    for _ in 0..20 {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        if set("tls-port", &port.to_string()).is_ok() {
            return port;
        }
    }
    panic!("Redis listens on none of 20 free ports");
}

/// The backend over the nodes that the environment names, in the run with the trust.
fn again() -> Option<Redis> {
    let nodes = std::env::var(NODES).ok()?;
    let nodes: Vec<&str> = nodes.split(' ').collect();
    Some(Redis::new(to(&nodes)).unwrap())
}

#[tokio::test]
async fn every_node_is_spoken_to_in_tls_wherever_a_slot_is() {
    let Some(redis) = again() else {
        let cluster = TlsCluster::start(false);
        let slot = RedisCluster::slot_of("sessions:0");
        let from = cluster.cluster.master_of_slot(slot);
        let to = cluster
            .cluster
            .masters()
            .into_iter()
            .find(|&node| node != from);
        cluster.cluster.begin_migration(slot, to.unwrap());
        cluster.cluster.reset_counts();
        cluster.run_again("tls::every_node_is_spoken_to_in_tls_wherever_a_slot_is");
        assert_eq!(cluster.cluster.keys().len(), 31);
        let sent_on = cluster.cluster.error_counts();
        assert!(sent_on.get("ASK") >= Some(&3), "{sent_on:?}");
        let masters = cluster.cluster.masters();
        let has_keys = |node: &&usize| cluster.cluster.command_on(**node, &["DBSIZE"]) != "0";
        assert_eq!(masters.iter().filter(has_keys).count(), 3);
        return;
    };
    for number in 0..32 {
        let key = format!("sessions:{number}");
        redis.write(&create(&key, "{}")).await.unwrap();
        let record = redis.load(&load(&key)).await.unwrap();
        assert!(record.is_some());
    }
    // In a slot on its way to another node: each of these was sent on, in TLS.
    redis.delete(&delete("sessions:0")).await.unwrap();
    let record = redis.load(&load("sessions:0")).await.unwrap();
    assert!(record.is_none());
}

#[tokio::test]
async fn a_node_with_a_certificate_that_nobody_knows_is_an_error_and_the_others_serve() {
    let Some(redis) = again() else {
        let cluster = TlsCluster::start(true);
        cluster.run_again(
            "tls::a_node_with_a_certificate_that_nobody_knows_is_an_error_and_the_others_serve",
        );
        return;
    };
    let (mut served, mut refused) = (0, 0);
    for number in 0..64 {
        let key = format!("sessions:{number}");
        match redis.write(&create(&key, "{}")).await {
            Ok(_) => served += 1,
            Err(error) => {
                refused += 1;
                assert!(error.is_temporary(), "{error:?}");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                assert!(error.message().contains("Redis at 127.0.0.1:"), "{error}");
                assert!(
                    error.message().contains("check that its certificate"),
                    "{error}"
                );
            }
        }
    }
    assert!(
        served > 10 && refused > 5,
        "{served} served, {refused} refused"
    );
}

#[tokio::test]
async fn certificates_that_nobody_knows_are_unavailable_and_said() {
    let cluster = TlsCluster::start(false);
    let nodes = cluster.nodes();
    let nodes: Vec<&str> = nodes.split(' ').collect();
    let error = Redis::new(to(&nodes)).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let all = format!("{error:?}");
    assert!(all.contains("UnknownIssuer"), "{all}");
}

#[tokio::test]
async fn a_client_without_tls_at_nodes_with_it_is_told_how_to_ask_for_it() {
    let cluster = TlsCluster::start(false);
    let nodes = cluster.nodes().replace("rediss://", "redis://");
    let nodes: Vec<&str> = nodes.split(' ').collect();
    let options = Options {
        connect_timeout: DurationOption::new(Duration::from_millis(500)),
        ..to(&nodes)
    };
    let error = Redis::new(options).unwrap().ping().await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    assert!(error.message().contains("`rediss://`"), "{error}");
}
