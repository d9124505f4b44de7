//! Addresses that no answer comes from.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// A server that accepts every connection and never answers: what a client sees of one that hangs.
///
/// Connections stay open until it is dropped.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use std::time::Duration;
///
/// use rrss_test_servers::Blackhole;
///
/// let hole = Blackhole::start();
/// let mut client = TcpStream::connect((hole.host(), hole.port()))?;
/// client.write_all(b"PING\r\n")?;
/// client.set_read_timeout(Some(Duration::from_millis(50)))?;
/// assert!(client.read(&mut [0; 16]).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Blackhole {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    closing: AtomicBool,
    accepted: AtomicUsize,
}

impl Blackhole {
    /// Starts to accept on a free port of 127.0.0.1.
    pub fn start() -> Blackhole {
        let listener = listen();
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                if shared.closing.load(Ordering::SeqCst) {
                    return;
                }
                held.push(stream);
                shared.accepted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Blackhole {
            address,
            state,
            thread: Some(thread),
        }
    }

    /// The address as `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// The host, always `127.0.0.1`.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections have been accepted.
    ///
    /// A client may see its connection established shortly before it is counted here.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Blackhole {
    fn drop(&mut self) {
        self.state.closing.store(true, Ordering::SeqCst);
        // Wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A port of 127.0.0.1 that refuses connections, for as long as this process runs.
///
/// Nothing listens on it, and nothing can begin to: it is held as the near end of a connection.
///
/// # Examples
///
/// ```
/// use std::io::ErrorKind;
/// use std::net::TcpStream;
///
/// let refused = TcpStream::connect(("127.0.0.1", rrss_test_servers::refused_port()));
/// assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
/// ```
pub fn refused_port() -> u16 {
    static HELD: OnceLock<(TcpListener, TcpStream)> = OnceLock::new();
    let (_, near) = HELD.get_or_init(|| {
        let listener = listen();
        let far = listener.local_addr().expect("a listener has an address");
        let near = TcpStream::connect(far).expect("a listener of this process can be reached");
        (listener, near)
    });
    near.local_addr()
        .expect("a connection has an address")
        .port()
}

fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("127.0.0.1 has a free port")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read, Write};
    use std::time::Duration;

    #[test]
    fn a_blackhole_accepts_and_never_answers() {
        let hole = Blackhole::start();
        let mut clients: Vec<_> = (0..3)
            .map(|_| TcpStream::connect((hole.host(), hole.port())).unwrap())
            .collect();
        while hole.accepted() < clients.len() {
            std::thread::yield_now();
        }
        for client in &mut clients {
            client.write_all(b"PING\r\n").unwrap();
            client
                .set_read_timeout(Some(Duration::from_millis(20)))
                .unwrap();
            let silence = client.read(&mut [0; 16]).unwrap_err().kind();
            assert!(
                matches!(silence, ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{silence:?}"
            );
        }
    }

    #[test]
    fn a_dropped_blackhole_refuses() {
        let hole = Blackhole::start();
        let address = (hole.host(), hole.port());
        assert_eq!(hole.url(), format!("redis://127.0.0.1:{}", hole.port()));
        drop(hole);
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
    }

    #[test]
    fn a_refused_port_refuses_and_cannot_be_taken() {
        let port = refused_port();
        assert_eq!(port, refused_port());
        for _ in 0..10 {
            let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        }
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    }
}
