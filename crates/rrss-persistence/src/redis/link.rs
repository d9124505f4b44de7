//! What the step speaks to: one server, or several of which the right one must be found.

use std::fmt;

use redis::Value;
use rrss_core::{Action, Cursor, Deadline, KeySpace, Operation, Result, StorageKey, Timestamp};
use tokio::time::Instant;

use super::clock::ClockOffset;
use super::cluster::Cluster;
use super::commands::{self, Nonsense, Request};
use super::connection::{Limits, Server};
use super::credentials::{Credentials, Login};
use super::failure::{self, Doing};
use super::options::Options;
use super::places::{Place, Target};
use super::scan::{self, Kind};
use super::sentinel::Sentinel;
use super::slots;

/// The way to the sessions. Opens nothing before the first operation.
pub(super) enum Link {
    One(Server),
    Cluster(Cluster),
    Sentinel(Sentinel),
}

impl Link {
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where options do not go together, or a file of certificates is
    /// of no use.
    pub(super) fn new(options: Options) -> Result<Self> {
        let (limits, certificates) = (options.limits(), options.certificates()?);
        let place = options.place()?;
        certificates.read()?;
        let with = |login: &Login| Credentials::new(login.clone(), certificates.clone());
        Ok(match place {
            Place::One(Target { address, login }) => {
                Self::One(Server::new(address, with(&login), limits))
            }
            Place::Cluster(seeds) => {
                let credentials = with(&seeds[0].login);
                let seeds = seeds.into_iter().map(|seed| seed.address).collect();
                Self::Cluster(Cluster::new(seeds, credentials, limits))
            }
            Place::Sentinel(watched) => {
                let sentinels = with(&watched.sentinels[0].login);
                let master = with(&watched.login);
                Self::Sentinel(Sentinel::new(watched, &sentinels, master, limits))
            }
        })
    }

    /// Sends `request` to the server that has its key, and waits for the answer: within both limits together,
    /// however many servers fail.
    pub(super) async fn ask(&self, doing: Doing, request: &Request<'_>) -> Result<Value> {
        match self {
            Self::One(server) => server.ask(doing, request).await,
            Self::Cluster(cluster) => cluster.carry_out(doing, request).await,
            Self::Sentinel(sentinel) => sentinel.ask(doing, request).await,
        }
    }

    /// Asks, and reads what the reply means; one that the command does not have is an error.
    pub(super) async fn read<T>(
        &self,
        doing: Doing,
        request: &Request<'_>,
        read: impl FnOnce(Value) -> Result<T, Nonsense>,
    ) -> Result<T> {
        let reply = self.ask(doing, request).await?;
        read(reply).map_err(|Nonsense| failure::nonsense(doing, self))
    }

    /// One step of a scan of all keys that are of `space`: some of them, and where the next step goes on.
    pub(super) async fn scan(
        &self,
        doing: Doing,
        from: Option<&Cursor>,
        space: &KeySpace,
        kind: Kind,
        count: usize,
    ) -> Result<(Vec<String>, Option<Cursor>)> {
        match self {
            Self::Cluster(cluster) => cluster.scan(doing, from, space, kind, count).await,
            Self::One(_) | Self::Sentinel(_) => {
                let request = scan::scan(scan::place(from)?, space, kind, count);
                let reply = self.ask(doing, &request).await?;
                let (next, keys) =
                    scan::page(reply, space).map_err(|_| failure::nonsense(doing, self))?;
                Ok((keys, scan::cursor(next)))
            }
        }
    }

    /// The servers that keep sessions, found out now; of a Cluster all masters.
    pub(super) async fn servers(&self) -> Result<Vec<Server>> {
        match self {
            Self::One(server) => Ok(vec![server.clone()]),
            Self::Cluster(cluster) => cluster.masters().await,
            Self::Sentinel(sentinel) => {
                sentinel.ask(Doing::Ping, &commands::ping()).await?;
                Ok(sentinel.master().into_iter().collect())
            }
        }
    }

    /// Whether it is known of a server that it evicts keys when its memory is full. Of a Cluster it does not matter: there
    /// entries can be lost in any case.
    pub(super) fn evicts(&self) -> bool {
        match self {
            Self::One(server) => server.evicts(),
            Self::Cluster(_) => false,
            Self::Sentinel(sentinel) => sentinel.master().is_some_and(|master| master.evicts()),
        }
    }

    /// Says once of each server that evicts keys what that means for an index.
    pub(super) fn warn_of_eviction(&self) {
        match self {
            Self::One(server) => server.warn_of_eviction(),
            Self::Cluster(cluster) => cluster.warn_of_eviction(),
            Self::Sentinel(sentinel) => {
                if let Some(master) = sentinel.master() {
                    master.warn_of_eviction();
                }
            }
        }
    }

    /// How far the clock of the server is ahead of ours, as it was measured last; of several masters, the clock that differs
    /// most. `None` where it is not known: before the first connection, and without the right to `TIME`.
    pub(super) fn clock(&self) -> Option<ClockOffset> {
        match self {
            Self::One(server) => server.clock(),
            Self::Cluster(cluster) => cluster.clock(),
            Self::Sentinel(sentinel) => sentinel.master()?.clock(),
        }
    }

    /// The same for the server that has `key`, measured now where it was not measured before. A server that is not
    /// reached until then has none; the operation itself will say why.
    pub(super) async fn clock_of(&self, key: &[u8], until: Instant) -> Option<ClockOffset> {
        match self {
            Self::One(server) => server.measured_clock(until).await,
            Self::Cluster(cluster) => {
                let owner = cluster.owner(Doing::Ping, slots::of(key), until).await;
                owner.ok()?.measured_clock(until).await
            }
            Self::Sentinel(sentinel) => {
                let master = sentinel.found_master(until).await?;
                master.measured_clock(until).await
            }
        }
    }

    /// The present instant by the clock of the server, so far as it was measured.
    pub(super) fn now(&self) -> Option<Timestamp> {
        Some(self.clock()?.now())
    }

    /// The present instant by the clock of the server that has the key of `op`, measured first where it is not known and
    /// something depends on it.
    ///
    /// # Errors
    ///
    /// Where one server cannot be reached to be asked.
    pub(super) async fn now_for(&self, op: &Operation) -> Result<Option<Timestamp>> {
        match self.known_now_for(op) {
            Some(known) => Ok(known),
            // It is rare, and must not make every operation larger.
            None => Box::pin(self.asked_now_for(op)).await,
        }
    }

    /// The instant, measured now.
    async fn asked_now_for(&self, op: &Operation) -> Result<Option<Timestamp>> {
        let doing = Doing::of(op.action());
        if let Self::One(server) = self {
            let until = server.limits().end();
            let reached = server.reach(until).await;
            reached.map_err(|failed| failed.into_error(doing, server))?;
            return Ok(self.now());
        }
        let key = op.key.as_ref().map(StorageKey::as_bytes);
        let until = self.limits().end();
        let clock = self.clock_of(key.unwrap_or_default(), until).await;
        Ok(clock.map(ClockOffset::now))
    }

    /// The instant, where no server has to be asked for it.
    fn known_now_for(&self, op: &Operation) -> Option<Option<Timestamp>> {
        let depends = matches!(op.deadline, Deadline::At(_))
            || matches!(
                op.action(),
                Action::Find { .. } | Action::TakeExpired { .. }
            );
        match self {
            _ if !depends => Some(self.now()),
            Self::One(server) => server.clock().map(|clock| Some(clock.now())),
            Self::Cluster(_) | Self::Sentinel(_) => None,
        }
    }

    fn limits(&self) -> Limits {
        match self {
            Self::One(server) => server.limits(),
            Self::Cluster(cluster) => cluster.limits(),
            Self::Sentinel(sentinel) => sentinel.limits(),
        }
    }

    /// Whether there are several servers that have sessions.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Lets go of all connections; the next operation opens others.
    pub(super) fn close(&self) {
        match self {
            Self::One(server) => server.close(),
            Self::Cluster(cluster) => cluster.close(),
            Self::Sentinel(sentinel) => sentinel.close(),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(server) => server.address().fmt(f),
            Self::Cluster(cluster) => cluster.fmt(f),
            Self::Sentinel(sentinel) => sentinel.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rrss_test_servers::{Flavor, RedisCluster, RedisSentinel, RedisServer};

    use super::*;
    use crate::redis::SentinelOptions;

    async fn the_clock_is_known(options: Options) {
        let link = Link::new(options).unwrap();
        assert_eq!(link.clock(), None, "nothing is connected");
        let until = Instant::now() + Duration::from_secs(20);
        // Server and test are on one machine, and have one clock.
        let one = link.clock_of(b"sessions:1", until).await.unwrap();
        let whole = link.clock().unwrap();
        for offset in [one, whole] {
            assert!(
                offset.ahead.unsigned_abs() <= offset.within + 1,
                "{offset:?}"
            );
        }
    }

    #[tokio::test]
    async fn the_clock_of_whichever_server_has_a_key_is_known_once_it_is_connected() {
        let server = RedisServer::start(Flavor::Redis);
        the_clock_is_known(Options {
            url: Some(server.url().parse().unwrap()),
            ..Options::default()
        })
        .await;

        let cluster = RedisCluster::start(Flavor::Valkey);
        let nodes = cluster.nodes();
        the_clock_is_known(Options {
            nodes: Some(nodes.iter().map(|node| node.parse().unwrap()).collect()),
            ..Options::default()
        })
        .await;

        let group = RedisSentinel::start(Flavor::Redis);
        let sentinels = group.sentinels();
        the_clock_is_known(Options {
            sentinel: Some(SentinelOptions {
                master: group.master_name().to_owned(),
                nodes: sentinels.iter().map(|node| node.parse().unwrap()).collect(),
                username: None,
                password: None,
            }),
            ..Options::default()
        })
        .await;
    }
}
