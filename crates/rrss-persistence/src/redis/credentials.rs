//! What a connection is made with: who logs in, and the certificates of TLS. It is kept up to date with the files that it
//! comes from.

use std::sync::{Arc, Mutex, PoisonError};

use redis::TlsCertificates;
use rrss_core::{Error, ErrorKind, Secret};

use super::address::Address;
use super::certificates::Certificates;
use super::url::RedisUrl;

/// Who logs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: u16,
    /// The text of the URL that named the user and the password, where it came from a file.
    pub(super) url: Option<(Secret, Address)>,
}

/// What all connections to the servers of one kind are made with.
#[derive(Clone)]
pub(super) struct Credentials(Arc<Inner>);

struct Inner {
    certificates: Certificates,
    /// What worked last, for when a file cannot be read.
    known: Mutex<Known>,
}

#[derive(Clone)]
struct Known {
    login: Login,
    tls: Option<TlsCertificates>,
}

/// What a new connection is made with.
pub(super) struct Renewed {
    pub(super) login: Login,
    pub(super) tls: Option<TlsCertificates>,
    /// The options whose files could not be read, and why.
    pub(super) failed: Vec<(&'static str, Error)>,
}

impl Credentials {
    /// Opens nothing yet.
    pub(super) fn new(login: Login, certificates: Certificates) -> Self {
        Self(Arc::new(Inner {
            certificates,
            known: Mutex::new(Known { login, tls: None }),
        }))
    }

    /// Whether an authority of their own vouches for the servers.
    pub(super) fn names_authorities(&self) -> bool {
        self.0.certificates.authorities.is_some()
    }

    /// Whether they show a certificate of this client.
    pub(super) fn shows_certificate(&self) -> bool {
        self.0.certificates.own.is_some()
    }

    /// Whether there are files to read for a new connection.
    pub(super) fn are_in_files(&self) -> bool {
        let in_file = |secret: &Secret| secret.file().is_some();
        let login = &self.known().login;
        self.0.certificates.given().is_some()
            || login.url.is_some()
            || login.password.as_ref().is_some_and(in_file)
    }

    /// What was read last.
    pub(super) fn last(&self) -> Renewed {
        let Known { login, tls } = self.known().clone();
        let failed = Vec::new();
        Renewed { login, tls, failed }
    }

    /// What the files say now; where one cannot be read, what it said before. It blocks while it reads.
    pub(super) fn renewed(&self) -> Renewed {
        let Renewed {
            mut login,
            mut tls,
            mut failed,
        } = self.last();
        if let Some(password) = &login.password {
            match password.read_again() {
                Ok(password) => login.password = Some(password),
                Err(error) => failed.push(("password", error)),
            }
        }
        if let Some((url, address)) = &login.url {
            match url.read_again().and_then(RedisUrl::try_from) {
                Ok(url) if url.address == *address => login.take(&url),
                Ok(_) => failed.push(("url", another_server())),
                Err(error) => failed.push(("url", error)),
            }
        }
        match self.0.certificates.read() {
            Ok(read) => tls = Some(read),
            Err(error) => failed.push(("cacert, cert, key", error)),
        }
        *self.known() = Known {
            login: login.clone(),
            tls: tls.clone(),
        };
        Renewed { login, tls, failed }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn another_server() -> Error {
    let message =
        "the file names another server than at the start; start again to connect to that one";
    Error::new(ErrorKind::Config, message)
}
