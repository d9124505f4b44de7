//! Where one server is.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// The address of one server, as it stands in messages: never with a user or a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A host and a port, with or without TLS.
    Tcp { host: String, port: u16, tls: bool },
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Address {
    pub(super) fn uses_tls(&self) -> bool {
        matches!(self, Self::Tcp { tls: true, .. })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // RFC 3986, 3.2.2: brackets keep the colons of the address apart from the one before the port.
            Self::Tcp { host, port, .. } if host.parse::<Ipv6Addr>().is_ok() => {
                write!(f, "[{host}]:{port}")
            }
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_as_host_and_port_or_path() {
        let tcp = |host: &str, tls| Address::Tcp {
            host: host.to_owned(),
            port: 6379,
            tls,
        };
        for (address, text) in [
            (tcp("localhost", false), "localhost:6379"),
            (tcp("10.0.0.1", true), "10.0.0.1:6379"),
            (tcp("::1", false), "[::1]:6379"),
            (Address::Unix("/run/redis.sock".into()), "/run/redis.sock"),
        ] {
            assert_eq!(address.to_string(), text);
        }
    }
}
