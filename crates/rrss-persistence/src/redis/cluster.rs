//! The nodes of a Redis Cluster: which there are, and which serves what.
//!
//! redis-rs has a `ClusterConnection`. It is not used here: it sends a write again when the connection broke after the
//! first, under the same count of retries by which it follows a redirection; it sends `ASKING` apart from its command
//! over a shared connection; and while it looks for the nodes, no operation on any other goes on.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rrss_core::{Error, Result};
use tokio::time::{Instant, timeout_at};

use super::address::Address;
use super::clock::ClockOffset;
use super::connection::{Limits, Server};
use super::credentials::Credentials;
use super::failed::Failed;
use super::failure::{self, Doing};
use super::live::Asking;
use super::seek::{Lost, first_of};
use super::single_flight::SingleFlight;
use super::slot_map::{self, SlotMap};

/// The nodes of one cluster, and which of them serves what.
#[derive(Clone)]
pub(super) struct Cluster(Arc<Inner>);

struct Inner {
    /// The nodes that the options name: one that answers is enough.
    seeds: Vec<Address>,
    credentials: Credentials,
    limits: Limits,
    known: Mutex<Known>,
    seeking: SingleFlight<Result<Arc<SlotMap>, Lost>>,
    /// Turns, so that not always the same node is asked.
    turn: AtomicUsize,
}

#[derive(Default)]
struct Known {
    map: Option<Arc<SlotMap>>,
    /// By address, each with its connection.
    servers: HashMap<Address, Server>,
}

impl Cluster {
    /// Opens nothing yet.
    pub(super) fn new(seeds: Vec<Address>, credentials: Credentials, limits: Limits) -> Self {
        let servers = seeds
            .iter()
            .map(|seed| {
                (
                    seed.clone(),
                    Server::node(seed.clone(), credentials.clone(), limits),
                )
            })
            .collect();
        Self(Arc::new(Inner {
            seeds,
            credentials,
            limits,
            known: Mutex::new(Known { map: None, servers }),
            // What was found out may still be from before a failover, so that is braked too.
            seeking: SingleFlight::new(|_| true),
            turn: AtomicUsize::new(0),
        }))
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
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
    pub(super) async fn other_owner(
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
    pub(super) fn seek_aside(&self) {
        self.0.seeking.begin_aside(|| self.clone().found());
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
    pub(super) fn candidates(&self) -> Vec<Server> {
        let map = self.map();
        let mut masters = map.as_ref().map_or(vec![], |map| map.masters().to_vec());
        if !masters.is_empty() {
            let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
            let first = turn % masters.len();
            masters.rotate_left(first);
        }
        let replicas = map.as_ref().map_or(&[][..], |map| map.replicas());
        let seeds = &self.0.seeds;
        for address in replicas.iter().chain(seeds) {
            if !masters.iter().any(|known| known.address() == address) {
                masters.push(self.server(address));
            }
        }
        masters
    }

    /// Keeps what was found out, and lets go of the servers that are not in it, and of the connections to those that have
    /// become replicas: over these, changes are heard of as late as the replica hears of them, or never.
    fn know(&self, shards: Vec<slot_map::Shard>) -> Arc<SlotMap> {
        let map = Arc::new(SlotMap::new(shards, |address| self.server(address)));
        let mut known = self.known();
        known.servers.retain(|address, server| {
            if !map.is_master(address) {
                server.close();
            }
            map.names(address)
        });
        known.map = Some(Arc::clone(&map));
        map
    }

    /// A node has said that `server` serves `slot`.
    pub(super) fn learn(&self, slot: u16, server: &Server) {
        let mut known = self.known();
        if let Some(map) = &known.map {
            known.map = Some(Arc::new(map.with(slot, server)));
        }
    }

    /// The server at `address`, with the connection to it if there is one.
    pub(super) fn server(&self, address: &Address) -> Server {
        if let Some(server) = self.known().servers.get(address) {
            return server.clone();
        }
        let credentials = self.0.credentials.clone();
        let server = Server::node(address.clone(), credentials, self.limits());
        let mut known = self.known();
        known
            .servers
            .entry(address.clone())
            .or_insert(server)
            .clone()
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

    /// All masters, by what is found out now.
    pub(super) async fn masters(&self) -> Result<Vec<Server>> {
        let until = self.limits().end();
        let map = self.seek(Doing::Ping, until, Result::is_ok).await?;
        Ok(map.masters().to_vec())
    }

    pub(super) fn warn_of_eviction(&self) {
        if let Some(map) = self.map() {
            map.masters().iter().for_each(Server::warn_of_eviction);
        }
    }

    /// The largest difference between the clock of a master and ours.
    pub(super) fn clock(&self) -> Option<ClockOffset> {
        let map = self.map()?;
        let offsets = map.masters().iter().filter_map(Server::clock);
        offsets.max_by_key(|offset| offset.ahead.unsigned_abs())
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.0.seeds.iter().any(Address::uses_tls)
    }

    fn map(&self) -> Option<Arc<SlotMap>> {
        self.known().map.clone()
    }

    pub(super) fn close(&self) {
        for server in self.known().servers.values() {
            server.close();
        }
    }

    pub(super) fn nobody_in_time(&self, doing: Doing) -> Error {
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
            write!(f, "{comma}{seed}")?;
        }
        Ok(())
    }
}
