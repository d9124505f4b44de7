//! The connection to one server that all of a runtime share: opened by the first who needs it, and again when it is lost.
//!
//! redis-rs has a `ConnectionManager` that reconnects. It is not used here: after a wrong password or a refused
//! `SELECT` it answers the same error for ever, the first command after an outage gets the failure of an attempt
//! that was made during the outage, and a connection on which nothing answers any more is kept until the operating
//! system gives it up, minutes later.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection, SendError};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, Pipeline, ProtocolVersion,
    PushInfo, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, Value,
};
use rrss_core::Result;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Address;
use super::clock::{self, ClockOffset, Reading, ServerClock};
use super::commands::Request;
use super::credentials::{Credentials, Renewed};
use super::eviction::Eviction;
use super::failed::Failed;
use super::failure::Doing;
use super::give_up;
use super::live::{Asking, Live, without_errors};
use super::memory;
use super::runtimes::{self, PerRuntime};
use super::single_flight::SingleFlight;
use super::tracking::Tracking;

/// One server, and the connection to it.
#[derive(Clone)]
pub(super) struct Server(Arc<Inner>);

struct Inner {
    address: Address,
    limits: Limits,
    kind: Kind,
    credentials: Credentials,
    clock: ServerClock,
    eviction: Eviction,
    /// A connection for each runtime: its driver is a task there, and stands still when that runtime does.
    open: PerRuntime<Live>,
    opening: SingleFlight<RedisResult<Live>>,
    /// Whether `SET` has `IFEQ`, as far as is known: it is tried until the server refuses it.
    has_ifeq: AtomicBool,
}

/// What a server is used for, and so what a new connection to it asks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It keeps sessions, and may be any server: its time.
    Keeper,
    /// The same, of a Redis Cluster.
    Node,
    /// It keeps sessions: its role, which must be that of a master, and its time.
    Master,
    /// It names masters: nothing.
    Sentinel,
}

impl Kind {
    /// After which errors a connection is given up.
    fn gives_up(self) -> fn(&RedisError) -> bool {
        match self {
            Self::Node => give_up::is_asked_by_node,
            Self::Keeper | Self::Master | Self::Sentinel => give_up::is_asked_by,
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) command: Duration,
}

impl Limits {
    /// When an operation that begins now must have answered.
    pub(super) fn end(self) -> Instant {
        Instant::now() + self.connect.saturating_add(self.command).min(LONGEST)
    }
}

/// A limit that is as good as none, and that an instant can still be counted up by.
const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// When `limit` is over that begins `now`, and no later than `until`.
fn soonest(now: Instant, limit: Duration, until: Instant) -> Instant {
    now.checked_add(limit).map_or(until, |end| end.min(until))
}

/// Lies with the connection; that it is dropped means that the connection has ended, for whatever reason.
struct Watchman(Arc<Tracking>);

impl Drop for Watchman {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl AsyncPushSender for Watchman {
    fn send(&self, push: PushInfo) -> Result<(), SendError> {
        self.0.hear(&push);
        Ok(())
    }
}

impl Server {
    /// Opens nothing yet.
    pub(super) fn new(address: Address, credentials: Credentials, limits: Limits) -> Self {
        Self::of_kind(address, credentials, limits, Kind::Keeper)
    }

    /// One of the nodes of a Redis Cluster.
    pub(super) fn node(address: Address, credentials: Credentials, limits: Limits) -> Self {
        Self::of_kind(address, credentials, limits, Kind::Node)
    }

    /// A server that keeps no sessions, but knows who does.
    pub(super) fn sentinel(address: Address, credentials: Credentials, limits: Limits) -> Self {
        Self::of_kind(address, credentials, limits, Kind::Sentinel)
    }

    /// The same, and each new connection is refused as by a replica where the server is one.
    pub(super) fn master(address: Address, credentials: Credentials, limits: Limits) -> Self {
        Self::of_kind(address, credentials, limits, Kind::Master)
    }

    fn of_kind(address: Address, credentials: Credentials, limits: Limits, kind: Kind) -> Self {
        Self(Arc::new(Inner {
            address,
            limits,
            kind,
            credentials,
            clock: ServerClock::default(),
            eviction: Eviction::default(),
            open: PerRuntime::new(),
            opening: SingleFlight::new(Result::is_err),
            has_ifeq: AtomicBool::new(true),
        }))
    }

    pub(super) fn address(&self) -> &Address {
        &self.0.address
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Whether it is known that the server evicts keys when its memory is full.
    pub(super) fn evicts(&self) -> bool {
        self.0.eviction.evicts()
    }

    /// Says once that this server evicts keys, where it does: for those who keep an index there.
    pub(super) fn warn_of_eviction(&self) {
        self.0.eviction.warn(&self.0.address);
    }

    /// How far the clock of the server is ahead of ours, as it was measured last; `None` before the first connection, and
    /// where the server does not say its time to this user.
    pub(super) fn clock(&self) -> Option<ClockOffset> {
        self.0.clock.offset()
    }

    /// The same, measured now where it was not measured before: that opens a connection.
    pub(super) async fn measured_clock(&self, until: Instant) -> Option<ClockOffset> {
        if self.clock().is_none() {
            self.reach(until).await.ok()?;
        }
        self.clock()
    }

    /// Opens a connection where there is none.
    pub(super) async fn reach(&self, until: Instant) -> Result<Live, Failed> {
        let now = Instant::now();
        match timeout_at(soonest(now, self.limits().connect, until), self.live()).await {
            Ok(Ok(live)) => Ok(live),
            Ok(Err(error)) if error.is_timeout() => Err(Failed::ConnectTimeout),
            Ok(Err(error)) => Err(Failed::Unreachable(error)),
            Err(_) => Err(Failed::ConnectTimeout),
        }
    }

    /// Sends `request` and waits for the answer, for as long as the limits allow: connecting and answering
    /// together never take longer than both limits together.
    ///
    /// What only reads is sent once more where the connection broke before the answer came. What changes something
    /// is not: it may have happened, and others may have changed the same since.
    pub(super) async fn ask(&self, doing: Doing, request: &Request<'_>) -> Result<Value> {
        let until = self.limits().end();
        let mut may_repeat = doing.only_reads();
        loop {
            match self.attempt(request, Asking::No, until).await {
                Err(Failed::Interrupted(error)) if may_repeat && error.is_io_error() => {
                    may_repeat = false;
                }
                Err(failed) => return Err(failed.into_error(doing, self)),
                Ok(reply) => {
                    return without_errors(reply)
                        .map_err(|error| Failed::Refused(error).into_error(doing, self));
                }
            }
        }
    }

    /// Sends `request` once, and waits for the answer until the limits, or the time, are over. The errors among the
    /// replies of several commands are left in their places.
    pub(super) async fn attempt(
        &self,
        request: &Request<'_>,
        asking: Asking,
        until: Instant,
    ) -> Result<Value, Failed> {
        let command = self.limits().command;
        let mut now = Instant::now();
        let mut open = self.0.open();
        if open.as_ref().is_some_and(|live| live.is_idle(now)) {
            // A runtime of one thread has not looked at its sockets meanwhile. It does now; then the driver reads whether
            // the server has hung up, before something is sent that would be lost.
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
            open = self.0.open();
        }
        let mut live = match open {
            Some(live) => live,
            None => {
                let live = self.reach(until).await?;
                now = Instant::now();
                live
            }
        };
        if self.0.clock.is_due() {
            tokio::spawn(Arc::clone(&self.0).measure_clock(live.connection.clone()));
        }
        let sent = live.send(request, asking, &self.0.has_ifeq);
        let error = match timeout_at(soonest(now, command, until), sent).await {
            Ok(Ok(reply)) => {
                if give_up::find(&reply, self.0.kind.gives_up()).is_some() {
                    self.0.let_go(&live);
                }
                return Ok(reply);
            }
            Ok(Err(error)) => error,
            Err(_) => {
                // Those who wait for it go on waiting; those who come get a new one.
                self.0.let_go(&live);
                return Err(Failed::AnswerTimeout);
            }
        };
        if error.code().is_none() {
            self.0.let_go(&live);
            return Err(Failed::Interrupted(error));
        }
        if self.0.kind.gives_up()(&error) {
            self.0.let_go(&live);
        }
        Err(Failed::Refused(error))
    }

    /// Lets go of the connections; the next operation opens another.
    pub(super) fn close(&self) {
        for live in self.0.open.take_all() {
            live.tracking.end();
        }
    }

    /// The connection of this runtime, opened where there is none.
    ///
    /// An error is that of an attempt which began after this call did, so that no failure of an outage reaches
    /// those who come when it is over.
    async fn live(&self) -> RedisResult<Live> {
        match self.0.open() {
            Some(live) => Ok(live),
            None => {
                let attempt = || Arc::clone(&self.0).opened();
                self.0.opening.outcome(attempt, Result::is_ok).await
            }
        }
    }
}

impl Inner {
    /// The connection of this runtime, where there is one.
    fn open(&self) -> Option<Live> {
        let live = self.open.get(runtimes::current())?;
        if live.is_up() {
            return Some(live);
        }
        if self.take_away(&live) {
            tracing::warn!(server = %self.address, "lost the connection to Redis");
        }
        None
    }

    async fn opened(self: Arc<Self>) -> RedisResult<Live> {
        // An attempt may have succeeded between the look at what is open and the beginning of this one.
        if let Some(live) = self.open() {
            return Ok(live);
        }
        let live = self.connect().await?;
        self.open
            .put(runtimes::current(), live.clone(), Live::is_up);
        Ok(live)
    }

    async fn connect(&self) -> RedisResult<Live> {
        if self.address.uses_tls() {
            install_cryptography();
        }
        let tracking = Tracking::new();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.limits.connect))
            .set_response_timeout(None)
            .set_push_sender(Watchman(Arc::clone(&tracking)));
        let mut connection = self
            .client()
            .await?
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        self.introduce(&mut connection).await?;
        tracing::debug!(server = %self.address, "connected to Redis");
        Ok(Live::new(connection, tracking))
    }

    /// Asks a new connection what must be known before it is used, in one round trip.
    async fn introduce(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let asks_role = self.kind == Kind::Master;
        let asks_time = self.kind != Kind::Sentinel && self.clock.is_wanted_of_new_connections();
        let asks_memory =
            self.kind != Kind::Sentinel && self.eviction.is_wanted_of_new_connections();
        let mut questions = Pipeline::with_capacity(3);
        if asks_role {
            questions.cmd("ROLE");
        }
        if asks_time {
            questions.add_command(clock::time());
        }
        if asks_memory {
            questions.add_command(memory::question());
        }
        if questions.is_empty() {
            return Ok(());
        }
        let sent = Reading::now();
        let answers = connection.send_packed_commands(&questions, 0, questions.len());
        let answers = timeout(self.limits.connect, answers).await;
        let mut answers = answers
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??
            .into_iter();
        if asks_role && role(answers.next().unwrap_or(Value::Nil))? != b"master" {
            let kind = redis::ErrorKind::Server(ServerErrorKind::ReadOnly);
            return Err((kind, "it is a replica").into());
        }
        if asks_time && let Some(time) = answers.next() {
            let time = time.extract_error();
            self.clock.learn(&self.address, sent, time, true);
        }
        if asks_memory && let Some(memory) = answers.next() {
            self.eviction.learn(memory.extract_error());
        }
        Ok(())
    }

    /// Measures the difference of the clocks again, which no operation waits for.
    async fn measure_clock(self: Arc<Self>, mut connection: MultiplexedConnection) {
        let (sent, question) = (Reading::now(), clock::time());
        let answer = connection.send_packed_command(&question);
        if let Ok(answer) = timeout(self.limits.command, answer).await {
            let time = answer.and_then(Value::extract_error);
            self.clock.learn(&self.address, sent, time, false);
        }
    }

    /// What makes one connection, with what the files of the credentials say now: a server keeps to those who have logged
    /// in, so a change matters to the next connection alone.
    async fn client(&self) -> RedisResult<Client> {
        let credentials = self.credentials.clone();
        let renewed = if credentials.are_in_files() {
            let reading = tokio::task::spawn_blocking(move || credentials.renewed());
            reading.await.map_err(io::Error::other)?
        } else {
            credentials.last()
        };
        let Renewed { login, tls, failed } = renewed;
        for (option, error) in &failed {
            let error: &dyn std::error::Error = error;
            tracing::warn!(server = %self.address, option, error, "connecting to Redis as before: a file cannot be used");
        }
        // RESP3, so that a lost connection is noticed before something is sent over it: redis-rs gives a place
        // for a `Watchman` to such connections alone.
        let mut settings = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(login.database.into());
        settings = match login.username {
            // A user with rights of its own may have none to `CLIENT SETINFO`, and an ACL logs each refusal.
            Some(username) => settings.set_username(username).set_skip_set_lib_name(),
            None => settings.set_lib_name("rrss", env!("CARGO_PKG_VERSION")),
        };
        if let Some(password) = login.password {
            settings = settings.set_password(password.expose());
        }
        // Without keepalive, a firewall between us forgets a connection that is idle for long, and tells nobody.
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(30));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        let info = match self.address.clone() {
            Address::Tcp { host, port, tls } if tls => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
            Address::Tcp { host, port, .. } => ConnectionAddr::Tcp(host, port),
            Address::Unix(path) => ConnectionAddr::Unix(path),
        }
        .into_connection_info()?
        .set_tcp_settings(tcp)
        .set_redis_settings(settings);
        match tls {
            Some(certificates) if self.address.uses_tls() => {
                Client::build_with_tls(info, certificates)
            }
            _ => Client::open(info),
        }
    }

    /// Puts `live` out of use, unless another has taken its place already.
    fn let_go(&self, live: &Live) {
        if self.take_away(live) {
            tracing::warn!(server = %self.address, "gave up a connection to Redis");
            // What is heard over it may be late from here on.
            live.tracking.end();
        }
    }

    /// Whether `live` was still in use. One that was so for a short time alone is as good as none.
    fn take_away(&self, live: &Live) -> bool {
        let taken = self.open.take(|open| open.is_same(live));
        if taken.is_some() && live.is_young() {
            self.opening.strike();
        }
        taken.is_some()
    }
}

/// The first word of what [`ROLE`](https://redis.io/docs/latest/commands/role/) answers.
fn role(reply: Value) -> RedisResult<Vec<u8>> {
    match reply.extract_error()? {
        Value::Array(parts) => match parts.into_iter().next() {
            Some(Value::BulkString(role)) => Ok(role),
            _ => Ok(Vec::new()),
        },
        _ => Ok(Vec::new()),
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
