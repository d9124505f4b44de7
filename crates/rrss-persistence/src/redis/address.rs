//! Where one server is.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// The address of one server, as it stands in messages: never with a user or a password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Address {
    /// A host and a port, with or without TLS.
    Tcp { host: String, port: u16, tls: bool },
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Address {
    /// Another server, reached in the same way.
    pub(super) fn beside(&self, host: &str, port: u16) -> Self {
        Self::Tcp {
            host: host.to_owned(),
            port,
            tls: self.uses_tls(),
        }
    }

    /// The server that one at this address calls `host:port`; it leaves the host out where it is its own, and says
    /// `?` where it does not know it.
    pub(super) fn named_here(&self, place: &str) -> Option<Self> {
        let (host, port) = place.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        match (host, self) {
            ("?", _) => None,
            ("", Self::Tcp { host, .. }) => Some(self.beside(host, port)),
            ("", Self::Unix(_)) => None,
            (host, _) => Some(self.beside(host, port)),
        }
    }

    pub(super) fn uses_tls(&self) -> bool {
        matches!(self, Self::Tcp { tls: true, .. })
    }

    /// Whether what listens there may want TLS, which is not used.
    pub(super) fn may_want_tls(&self) -> bool {
        matches!(self, Self::Tcp { tls: false, .. })
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
    fn a_server_names_others_and_itself() {
        let here = Address::Tcp {
            host: "node-1".to_owned(),
            port: 7000,
            tls: true,
        };
        for (place, named) in [
            ("10.0.0.2:7001", Some("10.0.0.2:7001")),
            (":7001", Some("node-1:7001")),
            ("::1:7001", Some("[::1]:7001")),
            ("?:7001", None),
            ("10.0.0.2:0", None),
            ("10.0.0.2", None),
        ] {
            let address = here.named_here(place);
            assert!(address.as_ref().is_none_or(Address::uses_tls));
            assert_eq!(address.map(|a| a.to_string()).as_deref(), named, "{place}");
        }
    }

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
