//! Free ports of the loopback interface.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// The first of the ports that tests use: above the slots of a cluster, so that no number in an answer may be either.
const FIRST: u16 = 16_384;

/// How many ports tests use.
///
/// They end below 32768, where Linux begins to hand out ports to outgoing connections. A server that is
/// stopped and started again must find its port free, and no client that reconnects in between may be given
/// that port as its own: over loopback it would connect to itself.
const COUNT: u16 = 15_616;

/// A port that is free now; another process may still take it before the caller does.
pub(crate) fn free() -> u16 {
    for _ in 0..1_000 {
        // Every `RandomState` has keys of its own, so this is a random number.
        let random = RandomState::new().hash_one(());
        let port = FIRST + (random % u64::from(COUNT)) as u16;
        if is_free(port) {
            return port;
        }
    }
    panic!(
        "no free port on 127.0.0.1 from {FIRST} to {}",
        FIRST + COUNT - 1
    );
}

/// Whether a server could listen on `port` of 127.0.0.1.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_listened_on() {
        let port = free();
        assert!((FIRST..FIRST + COUNT).contains(&port));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
