//! A way to a server that can fall silent.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Passes on what is sent to a server and what it answers, until it is told to fall silent: then nothing more arrives on
/// either side, and no connection breaks, as where a firewall drops every packet.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use std::time::Duration;
///
/// use rrss_test_servers::{Flavor, RedisServer, Relay};
///
/// let server = RedisServer::start(Flavor::Redis);
/// let relay = Relay::to(server.port());
/// let mut client = TcpStream::connect(("127.0.0.1", relay.port()))?;
/// let mut reply = [0; 7];
/// client.write_all(b"PING\r\n")?;
/// client.read_exact(&mut reply)?;
/// assert_eq!(&reply, b"+PONG\r\n");
///
/// relay.fall_silent();
/// client.write_all(b"PING\r\n")?;
/// client.set_read_timeout(Some(Duration::from_millis(50)))?;
/// assert!(client.read_exact(&mut reply).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    closing: AtomicBool,
    silent: Mutex<bool>,
    speaks: Condvar,
    streams: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// A way to the server at this port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// Where no port is free.
    pub fn to(port: u16) -> Relay {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("127.0.0.1 has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || accept(&listener, port, &shared));
        Relay {
            address,
            state,
            thread: Some(thread),
        }
    }

    /// The address as `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From here on nothing is passed on.
    pub fn fall_silent(&self) {
        *lock(&self.state.silent) = true;
    }

    /// Passes on again, first what has waited.
    pub fn speak(&self) {
        *lock(&self.state.silent) = false;
        self.state.speaks.notify_all();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.closing.store(true, Ordering::SeqCst);
        self.speak();
        for stream in lock(&self.state.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, port: u16, state: &Arc<State>) {
    for client in listener.incoming() {
        if state.closing.load(Ordering::SeqCst) {
            return;
        }
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        if let (Ok(client), Ok(server)) = (client, server)
            && let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone())
        {
            // A test counts round trips, not the delay of small packets.
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            lock(&state.streams).extend(
                [client.try_clone(), server.try_clone()]
                    .into_iter()
                    .flatten(),
            );
            for (from, to) in [(from_client, server), (from_server, client)] {
                let state = Arc::clone(state);
                std::thread::spawn(move || pass_on(from, to, &state));
            }
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let silent = lock(&state.silent);
        drop(
            state
                .speaks
                .wait_while(silent, |silent| *silent)
                .unwrap_or_else(PoisonError::into_inner),
        );
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
