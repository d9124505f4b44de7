//! One shared connection to one server: opened by the first who needs it, and again when it is lost.
//!
//! redis-rs has a `ConnectionManager` that reconnects. It is not used here: after a wrong password or a refused
//! `SELECT` it answers the same error for ever, the first command after an outage gets the failure of an attempt
//! that was made during the outage, and a connection on which nothing answers any more is kept until the operating
//! system gives it up, minutes later.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection, SendError};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, ProtocolVersion,
    PushInfo, RedisConnectionInfo, RedisResult, Value,
};
use rrss_core::{Error, ErrorKind, Result};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::address::Address;
use super::commands::Request;
use super::compare::CompareAndSet;
use super::failure::{self, Doing};
use super::options::Target;

/// One server, and the connection to it.
pub(super) struct Server(Arc<Inner>);

struct Inner {
    address: Address,
    limits: Limits,
    client: Client,
    slot: Mutex<Slot>,
    /// Whether `SET` has `IFEQ`, as far as is known: it is tried until the server refuses it.
    has_ifeq: AtomicBool,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) command: Duration,
}

enum Slot {
    Closed,
    Opening(Attempt),
    Open(Live),
}

/// An attempt to connect, which all who need the connection wait for together. It runs in a task of its own, so it
/// goes on where one who waits gives up.
type Attempt = watch::Receiver<Option<RedisResult<Live>>>;

/// A connection, shared by all operations that are under way.
#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    up: Arc<AtomicBool>,
}

/// Lies with the connection; that it is dropped means that the connection has ended, for whatever reason.
struct Watchman(Arc<AtomicBool>);

impl Drop for Watchman {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl AsyncPushSender for Watchman {
    fn send(&self, _: PushInfo) -> Result<(), SendError> {
        Ok(())
    }
}

impl Server {
    /// Opens nothing yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where redis-rs does not take the address.
    pub(super) fn new(target: Target, limits: Limits) -> Result<Self> {
        let Target {
            address,
            username,
            password,
            database,
        } = target;
        // RESP3, so that a lost connection is noticed before something is sent over it: redis-rs gives a place
        // for a `Watchman` to such connections alone.
        let mut login = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("rrss", env!("CARGO_PKG_VERSION"))
            .set_db(database.into());
        if let Some(username) = username {
            login = login.set_username(username);
        }
        if let Some(password) = password {
            login = login.set_password(password.expose());
        }
        // Without keepalive, a firewall between us forgets a connection that is idle for long, and tells nobody.
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(30));
        let settings = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        let client = match address.clone() {
            Address::Tcp { host, port, tls } if tls => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
            Address::Tcp { host, port, .. } => ConnectionAddr::Tcp(host, port),
            Address::Unix(path) => ConnectionAddr::Unix(path),
        }
        .into_connection_info()
        .map(|info| info.set_tcp_settings(settings).set_redis_settings(login))
        .and_then(Client::open)
        .map_err(|_| {
            let message = format!("redis-rs cannot connect to an address such as {address}");
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(Self(Arc::new(Inner {
            address,
            limits,
            client,
            slot: Mutex::new(Slot::Closed),
            has_ifeq: AtomicBool::new(true),
        })))
    }

    pub(super) fn address(&self) -> &Address {
        &self.0.address
    }

    /// Sends `request` and waits for the answer, for as long as the limits allow: connecting and answering
    /// together never take longer than both limits together.
    ///
    /// What only reads is sent once more where the connection broke before the answer came. What changes something
    /// is not: it may have happened, and others may have changed the same since.
    pub(super) async fn ask(&self, doing: Doing, request: &Request<'_>) -> Result<Value> {
        let Limits { connect, command } = self.0.limits;
        let begun = Instant::now();
        let left = || {
            connect
                .saturating_add(command)
                .saturating_sub(begun.elapsed())
        };
        let address = self.address();
        let mut may_repeat = doing.only_reads();
        loop {
            let mut live = match timeout(connect.min(left()), self.live()).await {
                Ok(Ok(live)) => live,
                Ok(Err(error)) if error.is_timeout() => {
                    return Err(failure::connecting_took_too_long(doing, address, connect));
                }
                Ok(Err(error)) => return Err(failure::unreachable(doing, address, &error)),
                Err(_) => {
                    return Err(failure::connecting_took_too_long(doing, address, connect));
                }
            };
            let error =
                match timeout(command.min(left()), live.send(request, &self.0.has_ifeq)).await {
                    Ok(Ok(value)) => return Ok(value),
                    Ok(Err(error)) => error,
                    Err(_) => {
                        // Those who wait for it go on waiting; those who come get a new one.
                        self.0.let_go(&live);
                        return Err(failure::answering_took_too_long(doing, address, command));
                    }
                };
            if let Some(code) = error.code() {
                if ["NOAUTH", "READONLY"].contains(&code) {
                    // Another login, or another server behind the same name, may help.
                    self.0.let_go(&live);
                }
                return Err(failure::refused(doing, address, &error));
            }
            self.0.let_go(&live);
            if !(may_repeat && error.is_io_error()) {
                return Err(failure::interrupted(doing, address, &error));
            }
            may_repeat = false;
        }
    }

    /// Lets go of the connection; the next operation opens another.
    pub(super) fn close(&self) {
        *self.0.slot() = Slot::Closed;
    }

    /// The connection, opened where there is none.
    ///
    /// An error is that of an attempt which began after this call did, so that no failure of an outage reaches
    /// those who come when it is over.
    async fn live(&self) -> RedisResult<Live> {
        let mut began_since = false;
        loop {
            let mut attempt = {
                let mut slot = self.0.slot();
                match &*slot {
                    Slot::Open(live) if live.is_up() => return Ok(live.clone()),
                    // One whose runtime has ended will never answer.
                    Slot::Opening(attempt) if attempt.has_changed().is_ok() => attempt.clone(),
                    other => {
                        if let Slot::Open(_) = other {
                            tracing::warn!(server = %self.0.address, "lost the connection to Redis");
                        }
                        let attempt = self.open();
                        *slot = Slot::Opening(attempt.clone());
                        began_since = true;
                        attempt
                    }
                }
            };
            let outcome = attempt.wait_for(Option::is_some).await;
            match outcome.as_deref() {
                Ok(Some(Ok(live))) => return Ok(live.clone()),
                Ok(Some(Err(error))) if began_since => return Err(error.clone()),
                Ok(_) => began_since = true,
                Err(_) => {}
            }
        }
    }

    fn open(&self) -> Attempt {
        let (tell, attempt) = watch::channel(None);
        let server = Arc::clone(&self.0);
        tokio::spawn(async move {
            let outcome = server.connect().await;
            *server.slot() = match &outcome {
                Ok(live) => Slot::Open(live.clone()),
                Err(_) => Slot::Closed,
            };
            tell.send_replace(Some(outcome));
        });
        attempt
    }
}

impl Inner {
    async fn connect(&self) -> RedisResult<Live> {
        if self.address.uses_tls() {
            install_cryptography();
        }
        let up = Arc::new(AtomicBool::new(true));
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.limits.connect))
            .set_response_timeout(None)
            .set_push_sender(Watchman(Arc::clone(&up)));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        tracing::debug!(server = %self.address, "connected to Redis");
        Ok(Live { connection, up })
    }

    /// Puts `live` out of use, unless another has taken its place already.
    fn let_go(&self, live: &Live) {
        let mut slot = self.slot();
        if matches!(&*slot, Slot::Open(current) if Arc::ptr_eq(&current.up, &live.up)) {
            tracing::warn!(server = %self.address, "gave up a connection to Redis");
            *slot = Slot::Closed;
        }
    }

    /// Each change of the slot is one assignment, so a panic elsewhere leaves it whole.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    async fn send(&mut self, request: &Request<'_>, has_ifeq: &AtomicBool) -> RedisResult<Value> {
        match request {
            Request::One(command) => self.one(command).await,
            Request::CompareAndSet(write) => self.compare_and_set(write, has_ifeq).await,
            Request::Several(commands) => {
                let replies = self
                    .connection
                    .send_packed_commands(commands, 0, commands.len())
                    .await?;
                let replies: RedisResult<_> =
                    replies.into_iter().map(Value::extract_error).collect();
                replies.map(Value::Array)
            }
        }
    }
}

impl Live {
    async fn one(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.connection
            .send_packed_command(command)
            .await?
            .extract_error()
    }

    /// By `IFEQ` where the server has it, else by the script. What a server refuses as unknown it has not done, so
    /// the next way is tried at once; later writes take the way that worked.
    async fn compare_and_set(
        &mut self,
        write: &CompareAndSet<'_>,
        has_ifeq: &AtomicBool,
    ) -> RedisResult<Value> {
        if has_ifeq.load(Ordering::Relaxed)
            && let Some(set) = write.native()
        {
            match self.one(&set).await {
                Err(error)
                    if error.code() == Some("ERR") && error.detail() == Some("syntax error") =>
                {
                    has_ifeq.store(false, Ordering::Relaxed);
                }
                reply => return reply,
            }
        }
        match self.one(&write.by_hash()).await {
            Err(error) if error.code() == Some("NOSCRIPT") => self.one(&write.whole()).await,
            reply => reply,
        }
    }
}

/// rustls has no cryptography of its own and panics where none, or more than one, is compiled in and none was
/// installed. What the application has installed is left as it is.
fn install_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // It fails where another thread was faster, and then there is one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}
