//! The certificates that TLS connections are made with, in files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use redis::{ClientTlsConfig, TlsCertificates};
use rrss_core::{Error, ErrorKind, Result};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::options::misfit;

/// The files that the options `cacert`, `cert` and `key` name. They are read for each new connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Certificates {
    pub(super) authorities: Option<PathBuf>,
    /// This client's certificate and its key.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

/// The largest file of certificates, in bytes; the list of a whole system has a quarter of that.
const LARGEST: u64 = 1024 * 1024;

impl Certificates {
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where one option lacks another.
    pub(super) fn new(
        authorities: Option<PathBuf>,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
    ) -> Result<Self> {
        let own = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => {
                let message = "a certificate is shown with its private key; set `key` too";
                return Err(misfit("cert", message));
            }
            (None, Some(_)) => {
                let message = "a private key belongs to a certificate; set `cert` too";
                return Err(misfit("key", message));
            }
        };
        Ok(Self { authorities, own })
    }

    /// The option that is given, where one is.
    pub(super) fn given(&self) -> Option<&'static str> {
        match (&self.authorities, &self.own) {
            (Some(_), _) => Some("cacert"),
            (None, Some(_)) => Some("cert"),
            (None, None) => None,
        }
    }

    /// What is in the files now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the option whose file is missing, is not PEM, or does not fit. No error shows any of
    /// what is in a file.
    pub(super) fn read(&self) -> Result<TlsCertificates> {
        let authorities = self.authorities.as_deref().map(authorities);
        let own = self.own.as_ref().map(|(cert, key)| own(cert, key));
        Ok(TlsCertificates {
            root_cert: authorities.transpose()?,
            client_tls: own.transpose()?,
        })
    }
}

fn authorities(path: &Path) -> Result<Vec<u8>> {
    let pem = bytes("cacert", path)?;
    let mut trusted = RootCertStore::empty();
    for certificate in chain("cacert", path, &pem)? {
        trusted.add(certificate).map_err(|error| {
            let what =
                "has a certificate that cannot be one of an authority; name the authority's own";
            refused("cacert", path, what).with_source(error)
        })?;
    }
    Ok(pem)
}

fn own(certificate: &Path, key: &Path) -> Result<ClientTlsConfig> {
    let client_cert = bytes("cert", certificate)?;
    let chain = chain("cert", certificate, &client_cert)?;
    let client_key = bytes("key", key)?;
    // Without the errors of the parsers, which may quote a line.
    let parsed = PrivateKeyDer::from_pem_slice(&client_key).map_err(|_| {
        let what = "holds no private key in PEM that is not encrypted; it begins with `-----BEGIN PRIVATE KEY-----`";
        refused("key", key, what)
    })?;
    let signing = aws_lc_rs::default_provider()
        .key_provider
        .load_private_key(parsed)
        .map_err(|_| {
            let what = "holds a private key of a kind that TLS does not take; make one of RSA, ECDSA or Ed25519";
            refused("key", key, what)
        })?;
    match CertifiedKey::new(chain, signing).keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            let what = "holds the private key of another certificate than the first in `cert`";
            return Err(refused("key", key, what));
        }
        Err(error) => {
            let what = "begins with a certificate that cannot be read";
            return Err(refused("cert", certificate, what).with_source(error));
        }
    }
    Ok(ClientTlsConfig {
        client_cert,
        client_key,
    })
}

fn chain(option: &'static str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => {
            let what = "holds no certificate in PEM; it begins with `-----BEGIN CERTIFICATE-----`";
            Err(refused(option, path, what))
        }
    }
}

fn bytes(option: &'static str, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let what = "cannot be read; check that it is there and who may read it";
            refused(option, path, what).with_source(error)
        })?;
    if bytes.len() as u64 > LARGEST {
        let what = "is larger than 1 MiB; name one of certificates in PEM";
        return Err(refused(option, path, what));
    }
    Ok(bytes)
}

fn refused(option: &'static str, path: &Path, what: &str) -> Error {
    let message = format!("the file {} {what}", path.display());
    Error::new(ErrorKind::Config, message).with_option(option)
}
