//! What an operation sends and gets: a relay between a client and the server that counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rrss_test_servers::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::peer::{Doing, Result, Side};
use crate::report::Wire;

/// Of how many operations the means are.
const OPERATIONS: u64 = 500;

/// What a load costs on the wire, and what a save does, with one task that does nothing else.
pub fn count(
    runtime: &Runtime,
    server: &RedisServer,
    database: usize,
    side: &dyn Side,
) -> Result<[Wire; 2]> {
    let relay = runtime.block_on(Relay::start(server.host(), server.port()))?;
    let side = side.through(&format!("redis://{}/{database}", relay.address))?;
    let count = |doing| -> Result<[f64; 4]> {
        let mut team = side.team(doing, 1)?;
        // What a client does once, when it first works, is no part of an operation.
        team.run(OPERATIONS);
        server.reset_counts();
        let before = relay.counts.read();
        team.run(OPERATIONS);
        let after = relay.counts.read();
        let commands: u64 = server.command_counts().into_values().sum();
        let [round_trips, sent, received] = [0, 1, 2].map(|at| after[at] - before[at]);
        let counts = [round_trips, commands, sent, received];
        Ok(counts.map(|count| count as f64 / OPERATIONS as f64))
    };
    let load = count(Doing::Load)?;
    let request = count(Doing::Request)?;
    let save = [0, 1, 2, 3].map(|at| request[at] - load[at]);
    Ok(
        [load, save].map(|[round_trips, commands, sent, received]| Wire {
            round_trips,
            commands,
            bytes_sent: sent,
            bytes_received: received,
        }),
    )
}

/// Passes on what comes on any connection to a port of its own.
struct Relay {
    address: SocketAddr,
    counts: Arc<Counts>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Counts {
    round_trips: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    /// Whether the server spoke last: what the client sends then begins another round trip.
    answered: AtomicBool,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            round_trips: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            // The first thing that is sent begins one.
            answered: AtomicBool::new(true),
        }
    }
}

impl Counts {
    fn read(&self) -> [u64; 3] {
        [&self.round_trips, &self.sent, &self.received].map(|count| count.load(Ordering::SeqCst))
    }

    fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::SeqCst);
        if self.answered.swap(false, Ordering::SeqCst) {
            self.round_trips.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::SeqCst);
        self.answered.store(true, Ordering::SeqCst);
    }
}

impl Relay {
    async fn start(host: &'static str, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let to = (host, port);
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(to).await else {
                    return;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let counts = Arc::clone(&counted);
                tokio::spawn(pass(from_client, to_server, move |bytes| {
                    counts.sent(bytes);
                }));
                let counts = Arc::clone(&counted);
                tokio::spawn(pass(from_server, to_client, move |bytes| {
                    counts.received(bytes);
                }));
            }
        });
        Ok(Self {
            address,
            counts,
            accepting,
        })
    }
}

/// Until either end closes.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: impl Fn(usize)) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // Before the other side can answer.
        count(read);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_an_answer_is_a_round_trip_and_what_does_not_is_none() {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = server.local_addr().unwrap().port();
            tokio::spawn(async move {
                let (mut client, _) = server.accept().await.unwrap();
                let mut request = [0; 4];
                while client.read_exact(&mut request).await.is_ok() {
                    client.write_all(b"an answer").await.unwrap();
                }
            });
            let relay = Relay::start("127.0.0.1", port).await.unwrap();
            let mut client = TcpStream::connect(relay.address).await.unwrap();
            let mut answer = [0; 9];
            let before = relay.counts.read();
            for halves in [["ab", "cd"], ["ef", "gh"]] {
                for half in halves {
                    client.write_all(half.as_bytes()).await.unwrap();
                }
                client.read_exact(&mut answer).await.unwrap();
            }
            let after = relay.counts.read();
            let counted: Vec<u64> = (0..3).map(|at| after[at] - before[at]).collect();
            assert_eq!(counted, [2, 8, 18]);
        });
    }
}
