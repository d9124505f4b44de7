//! An authority of the tests' own, and the certificates that it makes, in files.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rrss_persistence::redis::Options;
use rrss_test_servers::RedisServer;
use tempfile::TempDir;

/// An authority that nobody knows but who is told.
pub(crate) struct Authority {
    pub(crate) folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // By its name a certificate says who made it.
        parameters
            .distinguished_name
            .push(DnType::CommonName, name.to_owned());
        let key = KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.pem()).unwrap();
        std::fs::write(folder.path().join("ca.key"), key.serialize_pem()).unwrap();
        Self {
            folder,
            issuer: Issuer::new(parameters, key),
        }
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Makes a certificate and its key: `name.pem` and `name.key`.
    pub(crate) fn make(&self, name: &str) -> (PathBuf, PathBuf) {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let parameters = CertificateParams::new(hosts).unwrap();
        let key = KeyPair::generate().unwrap();
        let made = parameters.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        std::fs::write(file("pem"), made.pem()).unwrap();
        std::fs::write(file("key"), key.serialize_pem()).unwrap();
        (file("pem"), file("key"))
    }

    /// The options of a client with a certificate of this authority.
    pub(crate) fn client(&self) -> Options {
        let (cert, key) = self.make("client");
        Options {
            cacert: Some(self.certificate()),
            cert: Some(cert),
            key: Some(key),
            ..Options::default()
        }
    }

    /// Makes a server listen for TLS on a second port, to clients with a certificate of this authority alone.
    pub(crate) fn secure(&self, server: &RedisServer) -> u16 {
        let (cert, key) = self.make("server");
        self.secure_with(server, &cert, &key)
    }

    /// The same with this certificate of the server, and its key.
    pub(crate) fn secure_with(&self, server: &RedisServer, cert: &Path, key: &Path) -> u16 {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        for settings in [
            vec![("tls-auth-clients".to_owned(), "yes".to_owned())],
            vec![("tls-ca-cert-file".to_owned(), text(&self.certificate()))],
            vec![
                ("tls-cert-file".to_owned(), text(cert)),
                ("tls-key-file".to_owned(), text(key)),
            ],
        ] {
            let mut command = vec!["CONFIG".to_owned(), "SET".to_owned()];
            for (name, value) in settings {
                command.extend([name, value]);
            }
            server.command(&command);
        }
        // Between the choice of a port and its use another process may take it.
        for _ in 0..20 {
            let free = TcpListener::bind((server.host(), 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let set = ["CONFIG", "SET", "tls-port", &port.to_string()];
            if server.try_command(&set).is_ok() {
                return port;
            }
        }
        panic!("Redis listens on none of 20 free ports");
    }
}
