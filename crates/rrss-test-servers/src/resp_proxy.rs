//! A way to servers on which chosen commands meet a fault.

mod frame;
mod gate;
mod link;
mod plan;
mod redirect;

use std::fmt;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use self::gate::Gate;
use self::plan::Plan;
pub use self::plan::{Expected, Fault};
use self::redirect::Ports;
use crate::port;

/// A way to one server, or to all servers of a cluster or of a group with sentinels, on which chosen commands meet a
/// [`Fault`].
///
/// It reads the protocol (RESP2 and RESP3), so commands are found inside pipelines and transactions too. It counts the
/// commands of all its servers together. What servers answer of each other's addresses leads clients back to this way:
/// `CLUSTER`, `SENTINEL`, `MOVED` and `ASK` name the ports of the proxy.
///
/// A command that is refused between `MULTI` and `EXEC` makes `EXEC` fail, as on a server.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use rrss_test_servers::{Fault, Flavor, RedisServer, RespProxy};
///
/// let server = RedisServer::start(Flavor::Redis);
/// let proxy = RespProxy::to([server.port()]);
/// let full = proxy.on("set", 2, Fault::Refuse("OOM it is full".to_owned()));
///
/// let mut client = TcpStream::connect(("127.0.0.1", proxy.ports()[0]))?;
/// let set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
/// client.write_all(format!("{set}{set}").as_bytes())?;
/// let mut replies = [0; 22];
/// client.read_exact(&mut replies)?;
/// assert_eq!(&replies, b"+OK\r\n-OOM it is full\r\n");
/// assert!(full.has_come());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RespProxy {
    shared: Arc<Shared>,
    ports: Vec<u16>,
    threads: Vec<JoinHandle<()>>,
}

/// What all ways of one proxy share.
struct Shared {
    closing: AtomicBool,
    plan: Plan,
    ports: Ports,
    streams: Mutex<Vec<TcpStream>>,
}

impl RespProxy {
    /// A way to the servers at these ports of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// Where no port is free.
    pub fn to(servers: impl IntoIterator<Item = u16>) -> RespProxy {
        let ways: Vec<(u16, TcpListener)> = servers
            .into_iter()
            .map(|server| (server, listen()))
            .collect();
        let ports: Vec<(u16, u16)> = ways
            .iter()
            .map(|(server, listener)| (*server, address(listener).port()))
            .collect();
        let shared = Arc::new(Shared {
            closing: AtomicBool::new(false),
            plan: Plan::default(),
            ports: Ports::new(&ports),
            streams: Mutex::default(),
        });
        let threads = ways.into_iter().map(|(server, listener)| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || accept(&listener, server, &shared))
        });
        let threads = threads.collect();
        RespProxy {
            shared,
            ports: ports.into_iter().map(|(_, own)| own).collect(),
            threads,
        }
    }

    /// The ports of the proxy, in the order of the servers.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The addresses as `redis://127.0.0.1:PORT`, in the order of the servers.
    pub fn urls(&self) -> Vec<String> {
        let ports = self.ports.iter();
        ports
            .map(|port| format!("redis://127.0.0.1:{port}"))
            .collect()
    }

    /// Lets the `nth` command called `name` from now on meet `fault`, where 1 is the next one. Upper and lower case
    /// are one.
    pub fn on(&self, name: &str, nth: u32, fault: Fault) -> Expected {
        self.shared.plan.expect(Some(name), nth, fault)
    }

    /// Lets the `nth` command of any name from now on meet `fault`.
    ///
    /// Not counted is what belongs to a connection and not to an operation: `AUTH`, `HELLO`, `CLIENT`, `SELECT`,
    /// `READONLY`, `ASKING`, `PING`, `TIME`, `ROLE`, `INFO`, `COMMAND`, `CONFIG`, `ACL`, `CLUSTER`, `SENTINEL`.
    pub fn on_any(&self, nth: u32, fault: Fault) -> Expected {
        self.shared.plan.expect(None, nth, fault)
    }

    /// Expects no fault any more, and opens every gate at which a command stands or might come to stand.
    pub fn calm(&self) {
        self.shared.plan.calm();
    }

    /// How many commands were refused so far; such a command has certainly not happened.
    pub fn refused(&self) -> u64 {
        self.shared.plan.refused()
    }

    /// How many faults have come so far that leave a client in doubt of what has happened: connections that broke, and
    /// answers that were swallowed.
    pub fn doubts(&self) -> u64 {
        self.shared.plan.doubts()
    }

    /// Breaks every connection that is open now.
    pub fn cut_all(&self) {
        self.shared.plan.doubt();
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for RespProxy {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.calm();
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        for port in &self.ports {
            // Wakes the thread, which waits for a connection.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, *port));
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for RespProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proxy on ports {:?}", self.ports)
    }
}

/// A port of five digits, as servers have: see [`Ports`].
fn listen() -> TcpListener {
    loop {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port::free())) {
            return listener;
        }
    }
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a listener has an address")
}

fn accept(listener: &TcpListener, server: u16, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        // A client whose server is not there is hung up on.
        if let Ok(client) = client
            && let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server))
            && let (Ok(one), Ok(other)) = (client.try_clone(), server.try_clone())
        {
            lock(&shared.streams).extend([one, other]);
            link::run(client, server, shared);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
