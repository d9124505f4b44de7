//! A Redis Cluster: each request goes to the node that serves the slot of its key.
//!
//! redis-rs has a `ClusterConnection`. It is not used here: it sends a write again when the connection broke after the
//! first, under the same count of retries by which it follows a redirection; it sends `ASKING` apart from its command
//! over a shared connection; and while it looks for the nodes, no operation on any other goes on.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, RedisError, Value};
use rrss_core::{Error, Result};
use tokio::time::{Instant, sleep, timeout_at};

use super::address::Address;
use super::commands::Request;
use super::connection::{Asking, Limits, Server};
use super::failed::Failed;
use super::failure::{self, Doing};
use super::gathering::Gathering;
use super::places::Target;
use super::seek::{Lost, Shared, first_of};
use super::slot_map::{self, SlotMap};

/// The nodes of one cluster, and which of them serves what.
#[derive(Clone)]
pub(super) struct Cluster(Arc<Inner>);

struct Inner {
    /// The nodes that the options name: one that answers is enough.
    seeds: Vec<Target>,
    limits: Limits,
    known: Mutex<Known>,
    seeking: Shared<Result<Arc<SlotMap>, Lost>>,
    /// Turns, so that not always the same node is asked.
    turn: AtomicUsize,
}

#[derive(Default)]
struct Known {
    map: Option<Arc<SlotMap>>,
    /// By address, each with its connection.
    servers: HashMap<Address, Server>,
}

/// How often a request is sent on. A key that is looked for at more nodes than this is being moved in circles.
const MOST_HOPS: u32 = 16;

/// How much longer is waited before each of them, but for the first two: those are the way of every migration.
const PAUSE: Duration = Duration::from_millis(5);

impl Cluster {
    /// Opens nothing yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where redis-rs does not take an address.
    pub(super) fn new(seeds: Vec<Target>, limits: Limits) -> Result<Self> {
        let servers = seeds
            .iter()
            .map(|seed| Ok((seed.address.clone(), Server::new(seed.clone(), limits)?)))
            .collect::<Result<_>>()?;
        Ok(Self(Arc::new(Inner {
            seeds,
            limits,
            known: Mutex::new(Known { map: None, servers }),
            seeking: Shared::new(),
            turn: AtomicUsize::new(0),
        })))
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Sends `request` to the node that serves `slot`, and on to where that says that the key is.
    ///
    /// What a node redirects or refuses it has not done, so that is sent again. So is what was never sent, since there
    /// was no connection, and what only reads. A write whose connection broke is not: it may have happened.
    pub(super) async fn ask(
        &self,
        doing: Doing,
        slot: u16,
        request: &Request<'_>,
        until: Instant,
    ) -> Result<Value> {
        let mut server = self.owner(doing, slot, until).await?;
        let mut asking = Asking::No;
        let mut gathering = Gathering::of(request);
        let (mut hops, mut has_sought, mut may_repeat) = (0, false, doing.only_reads());
        loop {
            let left = gathering.left().unwrap_or(request);
            let refusal = match server.attempt(left, asking, until).await {
                Ok(reply) => match gathering.take(request, reply) {
                    Ok(whole) => return Ok(whole),
                    Err(refusal) => refusal,
                },
                Err(Failed::Refused(refusal)) => refusal,
                Err(failed) => {
                    let may_go_on = match &failed {
                        Failed::Unreachable(_) | Failed::ConnectTimeout => !has_sought,
                        Failed::Interrupted(error) => may_repeat && error.is_io_error(),
                        Failed::AnswerTimeout | Failed::Refused(_) => false,
                    };
                    if may_go_on
                        && let Some(other) = self.other_owner(slot, &failed, &server, until).await
                    {
                        may_repeat &= !failed.was_sent();
                        has_sought = true;
                        (server, asking) = (other, Asking::No);
                        continue;
                    }
                    self.seek_aside();
                    return Err(failed.into_error(doing, &server));
                }
            };
            let Some(redirection) = Redirection::of(&refusal, server.address()) else {
                if ["CLUSTERDOWN", "READONLY", "MASTERDOWN", "LOADING"]
                    .contains(&refusal.code().unwrap_or_default())
                {
                    self.seek_aside();
                }
                return Err(Failed::Refused(refusal).into_error(doing, &server));
            };
            if hops == MOST_HOPS {
                return Err(Failed::Refused(refusal).into_error(doing, &server));
            }
            let pause = PAUSE * hops.saturating_sub(1);
            hops += 1;
            let wakes = (Instant::now() + pause).min(until);
            sleep(wakes.saturating_duration_since(Instant::now())).await;
            match redirection {
                Redirection::Moved(address) => {
                    server = self.server(&address)?;
                    asking = Asking::No;
                    self.learn(slot, &server);
                    self.seek_aside();
                }
                Redirection::Ask(address) => {
                    server = self.server(&address)?;
                    asking = Asking::Yes;
                }
                Redirection::Wait => {}
            }
        }
    }

    /// Sends `request`, which has no key, to any node that answers.
    pub(super) async fn ask_any(
        &self,
        doing: Doing,
        command: &Cmd,
        until: Instant,
    ) -> Result<Value> {
        let attempts = self.candidates().into_iter().map(|server| {
            let request = Request::One(command.clone());
            async move {
                let reply = server.attempt(&request, Asking::No, until).await;
                reply.map_err(|failed| Lost::Failed(server, failed))
            }
        });
        let answer = timeout_at(until, first_of(attempts)).await;
        match answer {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(Some(lost))) => Err(lost.into_error(doing)),
            Ok(Err(None)) | Err(_) => Err(self.nobody_in_time(doing)),
        }
    }

    /// The node that serves `slot`, as far as is known; it is found out where nothing is known.
    pub(super) async fn owner(&self, doing: Doing, slot: u16, until: Instant) -> Result<Server> {
        if let Some(owner) = self.map().and_then(|map| map.owner(slot).cloned()) {
            return Ok(owner);
        }
        let is_of_use = |found: &Result<Arc<SlotMap>, Lost>| {
            found.as_ref().is_ok_and(|map| map.owner(slot).is_some())
        };
        let map = self.seek(doing, until, is_of_use).await?;
        map.owner(slot).cloned().ok_or_else(|| {
            failure::told(
                doing,
                self,
                "no node serves this part of the cluster; see `CLUSTER INFO`",
            )
        })
    }

    /// Who serves `slot`, by what is found out now; `None` where that is no other than `server`, with which it failed
    /// before anything was sent.
    async fn other_owner(
        &self,
        slot: u16,
        failed: &Failed,
        server: &Server,
        until: Instant,
    ) -> Option<Server> {
        let map = self.seek(Doing::Ping, until, |_| false).await.ok()?;
        let owner = map.owner(slot)?;
        (failed.was_sent() || owner.address() != server.address()).then(|| owner.clone())
    }

    /// Asks the nodes who serves what. What is found out by an attempt that has begun already does only if it is
    /// `good_enough`: it may be from before the change that is looked for.
    pub(super) async fn seek(
        &self,
        doing: Doing,
        until: Instant,
        good_enough: impl Fn(&Result<Arc<SlotMap>, Lost>) -> bool,
    ) -> Result<Arc<SlotMap>> {
        let outcome = self.0.seeking.outcome(|| self.clone().found(), good_enough);
        match timeout_at(until, outcome).await {
            Ok(Ok(map)) => Ok(map),
            Ok(Err(lost)) => Err(lost.into_error(doing)),
            Err(_) => Err(self.nobody_in_time(doing)),
        }
    }

    /// The same for the operations that come later.
    fn seek_aside(&self) {
        self.0.seeking.begin(|| self.clone().found());
    }

    async fn found(self) -> Result<Arc<SlotMap>, Lost> {
        let until = self.limits().end();
        let attempts = self.candidates().into_iter().map(|server| async move {
            let reply = server
                .attempt(&slot_map::cluster_slots(), Asking::No, until)
                .await;
            match reply {
                Ok(reply) => match slot_map::shards(reply, server.address()) {
                    Ok(shards) if !shards.is_empty() => Ok(shards),
                    Ok(_) => Err(Lost::Told(
                        server,
                        "it is a node of a Redis Cluster in which no node serves anything".into(),
                    )),
                    Err(_) => Err(Lost::Told(
                        server,
                        "its answer is none that Redis gives; check what runs there".into(),
                    )),
                },
                Err(failed) => Err(Lost::Failed(server, failed)),
            }
        });
        match first_of(attempts).await {
            Ok(shards) => Ok(self.know(shards)),
            Err(Some(lost)) => Err(lost),
            Err(None) => unreachable!("there is a seed"),
        }
    }

    /// Whom to ask: the masters, whose connections are open, then all others of whom something is known.
    fn candidates(&self) -> Vec<Server> {
        let map = self.map();
        let mut masters = map.as_ref().map_or(vec![], |map| map.masters().to_vec());
        if !masters.is_empty() {
            let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
            let first = turn % masters.len();
            masters.rotate_left(first);
        }
        let replicas = map.as_ref().map_or(&[][..], |map| map.replicas());
        let seeds = self.0.seeds.iter().map(|seed| &seed.address);
        for address in replicas.iter().chain(seeds) {
            if !masters.iter().any(|known| known.address() == address)
                && let Ok(server) = self.server(address)
            {
                masters.push(server);
            }
        }
        masters
    }

    /// Keeps what was found out, and lets go of the servers that are not in it.
    fn know(&self, shards: Vec<slot_map::Shard>) -> Arc<SlotMap> {
        let map = Arc::new(SlotMap::new(shards, |address| self.server(address).ok()));
        let mut known = self.known();
        known.servers.retain(|address, _| map.names(address));
        known.map = Some(Arc::clone(&map));
        map
    }

    /// A node has said that `server` serves `slot`.
    fn learn(&self, slot: u16, server: &Server) {
        let mut known = self.known();
        if let Some(map) = &known.map {
            known.map = Some(Arc::new(map.with(slot, server)));
        }
    }

    /// The server at `address`, with the connection to it if there is one.
    pub(super) fn server(&self, address: &Address) -> Result<Server> {
        if let Some(server) = self.known().servers.get(address) {
            return Ok(server.clone());
        }
        let target = Target {
            address: address.clone(),
            login: self.0.seeds[0].login.clone(),
        };
        let server = Server::new(target, self.limits())?;
        let mut known = self.known();
        Ok(known
            .servers
            .entry(address.clone())
            .or_insert(server)
            .clone())
    }

    /// The server at `address`, if it is known to be of this cluster.
    pub(super) async fn known_server(
        &self,
        doing: Doing,
        address: &Address,
        until: Instant,
    ) -> Result<Option<Server>> {
        if self.map().is_none() {
            self.seek(doing, until, Result::is_ok).await?;
        }
        Ok(self.known().servers.get(address).cloned())
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.0.seeds.iter().any(|seed| seed.address.uses_tls())
    }

    fn map(&self) -> Option<Arc<SlotMap>> {
        self.known().map.clone()
    }

    pub(super) fn close(&self) {
        for server in self.known().servers.values() {
            server.close();
        }
    }

    fn nobody_in_time(&self, doing: Doing) -> Error {
        failure::nobody_answered_in_time(doing, self)
    }

    /// Each change is one assignment, so a panic elsewhere leaves it whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The nodes that the options name.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, seed) in self.0.seeds.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", seed.address)?;
        }
        Ok(())
    }
}

/// Where else a request is to go.
enum Redirection {
    /// The slot has another master.
    Moved(Address),
    /// The slot is being moved, and this key is not here any more.
    Ask(Address),
    /// The slot is being moved, and some keys are here and some are not.
    Wait,
}

impl Redirection {
    /// What a node at `here` means by `refusal`, if it is a redirection.
    fn of(refusal: &RedisError, here: &Address) -> Option<Self> {
        let address = || here.named_here(refusal.redirect_node()?.0);
        match refusal.code()? {
            "MOVED" => address().map(Self::Moved),
            "ASK" => address().map(Self::Ask),
            "TRYAGAIN" => Some(Self::Wait),
            _ => None,
        }
    }
}

/// Whether `refusal` sends a command elsewhere.
pub(super) fn redirects(refusal: &RedisError) -> bool {
    matches!(refusal.code(), Some("MOVED" | "ASK" | "TRYAGAIN"))
}
