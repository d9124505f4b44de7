//! A server that sentinels watch: they know which one is the master, also after a failover.
//!
//! See the [guide to clients](https://redis.io/docs/latest/develop/reference/sentinel-clients/).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use redis::{Cmd, Value};
use rrss_core::Result;
use tokio::time::{Instant, timeout_at};

use super::address::Address;
use super::commands::{Request, ping};
use super::connection::{Limits, Server};
use super::credentials::Credentials;
use super::failed::Failed;
use super::failure::{self, Doing};
use super::give_up;
use super::live::{Asking, without_errors};
use super::places::Watched;
use super::seek::{Lost, first_of};
use super::single_flight::SingleFlight;

/// The sentinels, and the master that they named last.
#[derive(Clone)]
pub(super) struct Sentinel(Arc<Inner>);

struct Inner {
    name: String,
    sentinels: Vec<Server>,
    /// For the servers that the sentinels name.
    credentials: Credentials,
    tls: bool,
    limits: Limits,
    master: Mutex<Option<Server>>,
    seeking: SingleFlight<Result<Server, Lost>>,
}

impl Sentinel {
    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Opens nothing yet. The sentinels and the servers that they name each have credentials of their own.
    pub(super) fn new(
        watched: Watched,
        of_sentinels: &Credentials,
        credentials: Credentials,
        limits: Limits,
    ) -> Self {
        let Watched {
            name,
            sentinels,
            tls,
            ..
        } = watched;
        let sentinels = sentinels
            .into_iter()
            .map(|target| Server::sentinel(target.address, of_sentinels.clone(), limits));
        Self(Arc::new(Inner {
            name,
            sentinels: sentinels.collect(),
            credentials,
            tls,
            limits,
            master: Mutex::new(None),
            // What was found out may still be from before a failover, so that is braked too.
            seeking: SingleFlight::new(|_| true),
        }))
    }

    /// Sends `request` to the master, and to the next one where this one is none any more, within both limits together.
    ///
    /// What a server refuses because it is no master, or of no use now, it has not done, so that is sent again. So is what was never sent, since there was no
    /// connection, and what only reads. A write whose connection broke is not: it may have happened.
    pub(super) async fn ask(&self, doing: Doing, request: &Request<'_>) -> Result<Value> {
        let until = self.0.limits.end();
        let known = self.master();
        let mut server = match known {
            Some(master) => master,
            None => self.seek(doing, until, Result::is_ok).await?,
        };
        let (mut has_sought, mut may_repeat) = (false, doing.only_reads());
        loop {
            let failed = match server.attempt(request, Asking::No, until).await {
                Ok(reply) => match without_errors(reply) {
                    Ok(reply) => {
                        if give_up::find(&reply, give_up::is_asked_by).is_some() {
                            self.0.seeking.begin_aside(|| self.clone().found());
                        }
                        return Ok(reply);
                    }
                    Err(refusal) => Failed::Refused(refusal),
                },
                Err(failed) => failed,
            };
            let was_refused = failed.refusal().is_some_and(give_up::is_asked_by);
            let may_go_on = match &failed {
                _ if was_refused => !has_sought,
                Failed::Unreachable(_) | Failed::ConnectTimeout => !has_sought,
                Failed::Interrupted(error) => may_repeat && error.is_io_error(),
                Failed::AnswerTimeout => false,
                Failed::Refused(_) => return Err(failed.into_error(doing, &server)),
            };
            if may_go_on && let Ok(master) = self.seek(doing, until, |_| false).await {
                let is_another = master.address() != server.address();
                if is_another || failed.was_sent() {
                    may_repeat &= was_refused || !failed.was_sent();
                    has_sought = true;
                    server = master;
                    continue;
                }
            }
            self.0.seeking.begin_aside(|| self.clone().found());
            return Err(failed.into_error(doing, &server));
        }
    }

    /// The master that was named last, or one that is named until then.
    pub(super) async fn found_master(&self, until: Instant) -> Option<Server> {
        match self.master() {
            Some(master) => Some(master),
            None => self.seek(Doing::Ping, until, Result::is_ok).await.ok(),
        }
    }

    async fn seek(
        &self,
        doing: Doing,
        until: Instant,
        good_enough: impl Fn(&Result<Server, Lost>) -> bool,
    ) -> Result<Server> {
        let outcome = self.0.seeking.outcome(|| self.clone().found(), good_enough);
        match timeout_at(until, outcome).await {
            Ok(Ok(master)) => Ok(master),
            Ok(Err(lost)) => Err(lost.into_error(doing)),
            Err(_) => Err(failure::nobody_answered_in_time(doing, self)),
        }
    }

    /// The master by the first sentinel that names one which says so itself.
    async fn found(self) -> Result<Server, Lost> {
        let until = self.0.limits.end();
        let attempts = self.0.sentinels.iter().cloned().map(|sentinel| {
            let this = self.clone();
            async move {
                let address = this.address_by(&sentinel, until).await?;
                let master = this.server(address);
                // Its role is asked for when the connection is made.
                match master.attempt(&ping(), Asking::No, until).await {
                    Ok(_) => Ok(master),
                    Err(failed) => Err(Lost::Failed(master, failed)),
                }
            }
        });
        match first_of(attempts).await {
            Ok(master) => {
                *self.slot() = Some(master.clone());
                Ok(master)
            }
            Err(Some(lost)) => Err(lost),
            Err(None) => unreachable!("there is a sentinel"),
        }
    }

    /// [`SENTINEL GET-MASTER-ADDR-BY-NAME`](https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/).
    async fn address_by(&self, sentinel: &Server, until: Instant) -> Result<Address, Lost> {
        let mut command = Cmd::new();
        command.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME");
        command.arg(&self.0.name);
        let reply = sentinel.attempt(&command.into(), Asking::No, until).await;
        if let Err(Failed::Refused(refusal)) = &reply
            && refusal.code() == Some("ERR")
        {
            let why = "it is not a sentinel; name a single server with `url`";
            return Err(Lost::Told(sentinel.clone(), why.into()));
        }
        let words = match reply.map_err(|failed| Lost::Failed(sentinel.clone(), failed))? {
            Value::Array(words) => words,
            Value::Nil => {
                let why = "it is a sentinel that watches no server of this name; check `master`";
                return Err(Lost::Told(sentinel.clone(), why.into()));
            }
            _ => return Err(nonsense(sentinel)),
        };
        let text = |word: &Value| match word {
            Value::BulkString(text) => String::from_utf8(text.clone()).ok(),
            _ => None,
        };
        let place = match words.as_slice() {
            [host, port] => text(host).zip(text(port).and_then(|port| port.parse().ok())),
            _ => None,
        };
        let (host, port) = place.ok_or_else(|| nonsense(sentinel))?;
        let tls = self.0.tls;
        Ok(Address::Tcp { host, port, tls })
    }

    /// The server at `address`, with the connection to it where it is the one that was used last.
    fn server(&self, address: Address) -> Server {
        match self.master() {
            Some(known) if *known.address() == address => known,
            _ => Server::master(address, self.0.credentials.clone(), self.0.limits),
        }
    }

    pub(super) fn close(&self) {
        if let Some(master) = self.slot().take() {
            master.close();
        }
        self.0.sentinels.iter().for_each(Server::close);
    }

    /// The master that was named last.
    pub(super) fn master(&self) -> Option<Server> {
        self.slot().clone()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Server>> {
        self.0.master.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nonsense(sentinel: &Server) -> Lost {
    let why = "its answer is none that a sentinel gives; check what runs there";
    Lost::Told(sentinel.clone(), why.into())
}

/// The name of the master, and the sentinels.
impl fmt::Display for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of the sentinels at ", self.0.name)?;
        for (index, sentinel) in self.0.sentinels.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", sentinel.address())?;
        }
        Ok(())
    }
}
