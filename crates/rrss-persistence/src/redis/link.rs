//! What the step speaks to: one server, or several of which the right one must be found.

use std::fmt;

use redis::Value;
use rrss_core::{Cursor, KeySpace, Result};

use super::cluster::Cluster;
use super::commands::{Nonsense, Request};
use super::connection::Server;
use super::credentials::{Credentials, Login};
use super::failure::{self, Doing};
use super::options::Options;
use super::places::{Place, Target};
use super::scan::{self, Kind};
use super::sentinel::Sentinel;

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
