//! Scanning all keys of a cluster, one node after the other, while slots are moved between them.
//!
//! `SCAN` is of one node, and what it promises ends where a key leaves that node. So a scan of a cluster keeps account
//! of slots: one is done when a node that had it from the beginning of that node's scan to the end was scanned. One
//! that was moved meanwhile is scanned again, where it is then. One that is still being moved at the end is scanned at
//! the node that it is moved to as well: each of its keys was at the first one when that was scanned, or is at the
//! second by now.
//!
//! What this cannot see is a slot that goes to another node and comes back while one node is scanned, and the keys of a
//! migration that is begun, called off and undone in that time: to both ends of the scan they were always there. A key of such
//! a slot may be missed. It takes an operator who moves a slot twice within seconds.

use redis::Value;
use rrss_core::{Cursor, Error, ErrorKind, KeySpace, Result};
use tokio::time::Instant;

use super::address::Address;
use super::cluster::Cluster;
use super::commands::Request;
use super::connection::Server;
use super::failed::Failed;
use super::failure::{self, Doing};
use super::live::Asking;
use super::scan::{self, Kind};
use super::slots::Slots;
use super::view::{self, View};

/// How far a scan has come.
#[derive(Debug, PartialEq)]
struct Walk {
    /// The slots that are not done.
    left: Slots,
    /// Those that are done when the scan of `node` is.
    taking: Slots,
    node: Option<Address>,
    /// Where the scan of `node` goes on; `None` where it has not begun.
    place: Option<u64>,
}

impl Cluster {
    /// As [`Link::scan`](super::link::Link::scan).
    pub(super) async fn scan(
        &self,
        doing: Doing,
        from: Option<&Cursor>,
        space: &KeySpace,
        kind: Kind,
        count: usize,
    ) -> Result<(Vec<String>, Option<Cursor>)> {
        let until = self.limits().end();
        let mut walk = match from {
            Some(cursor) => Walk::parse(cursor, self.uses_tls()).ok_or_else(foreign_cursor)?,
            None => Walk::new(),
        };
        let keys = match self.step(doing, &mut walk, space, kind, count, until).await {
            Ok(keys) => keys,
            Err(Stopped::Lost(server, failed)) => {
                // The replica that took over has the slots, and knows nothing of this node's scan.
                let map = self.seek(doing, until, |_| false).await?;
                if map
                    .masters()
                    .iter()
                    .any(|other| other.address() == server.address())
                {
                    return Err(failed.into_error(doing, &server));
                }
                walk.leave();
                match self.step(doing, &mut walk, space, kind, count, until).await {
                    Ok(keys) => keys,
                    Err(stopped) => return Err(stopped.into_error(doing)),
                }
            }
            Err(stopped) => return Err(stopped.into_error(doing)),
        };
        Ok((keys, walk.cursor()))
    }

    async fn step(
        &self,
        doing: Doing,
        walk: &mut Walk,
        space: &KeySpace,
        kind: Kind,
        count: usize,
        until: Instant,
    ) -> Result<Vec<String>, Stopped> {
        // Whoever made the cursor, no password goes to a server that is not of the cluster.
        let begun = match &walk.node {
            Some(address) => self.known_server(doing, address, until).await?,
            None => None,
        };
        let server = match (begun, walk.left.first()) {
            (Some(server), _) => server,
            (None, Some(slot)) => {
                walk.leave();
                self.owner(doing, slot, until).await?
            }
            (None, None) => return Ok(Vec::new()),
        };
        walk.node = Some(server.address().clone());
        let place = match walk.place {
            Some(place) => place,
            None => {
                let view = view(doing, &server, until).await?;
                let promised = walk.taking.clone();
                walk.taking = walk.left.only(|slot| {
                    view.owned.has(slot) || promised.has(slot) && view.importing.has(slot)
                });
                if walk.taking.first().is_none() {
                    // What is known of the nodes is out of date: it has none of the slots that are left.
                    walk.leave();
                    self.seek(doing, until, |_| false).await?;
                    return Ok(Vec::new());
                }
                scan::START
            }
        };
        let reply = attempt(&server, &scan::scan(place, space, kind, count), until).await?;
        let (next, keys) =
            scan::page(reply, space).map_err(|_| failure::nonsense(doing, server.address()))?;
        walk.place = Some(next);
        if next == scan::START {
            walk.finish(&view(doing, &server, until).await?);
            if let Some(next) = &walk.node {
                // It may have no slot of its own yet, and be known to nobody but the node that gives it one.
                self.server(next);
            }
        }
        Ok(keys)
    }
}

impl Walk {
    fn new() -> Self {
        Self {
            left: Slots::all(),
            taking: Slots::none(),
            node: None,
            place: None,
        }
    }

    /// Gives up the scan of a node; its slots are left.
    fn leave(&mut self) {
        self.node = None;
        self.place = None;
        self.taking = Slots::none();
    }

    /// The scan of a node has come round, and the node has `view` of itself then.
    fn finish(&mut self, view: &View) {
        let taken = std::mem::replace(&mut self.taking, Slots::none());
        let moving_to = |slot| view.migrating.iter().find(|(of, _)| *of == slot);
        let is_here = |slot| view.owned.has(slot) || view.importing.has(slot);
        self.left = self
            .left
            .only(|slot| !(taken.has(slot) && is_here(slot) && moving_to(slot).is_none()));
        self.leave();
        let next = taken
            .iter()
            .filter(|slot| view.owned.has(*slot))
            .find_map(moving_to);
        if let Some((_, other)) = next {
            self.taking = taken.only(|slot| moving_to(slot).is_some_and(|(_, to)| to == other));
            self.node = Some(other.clone());
        }
    }

    /// `None` where the scan is at its end.
    fn cursor(&self) -> Option<Cursor> {
        self.left.first()?;
        let node = self
            .node
            .as_ref()
            .map_or("-".to_owned(), |node| match node {
                Address::Tcp { host, port, .. } => format!("{host}:{port}"),
                Address::Unix(_) => "-".to_owned(),
            });
        let place = self.place.map_or("-".to_owned(), |place| place.to_string());
        let text = format!("cluster {node} {place} {} {}", self.taking, self.left);
        Some(text.into_bytes().into())
    }

    fn parse(cursor: &Cursor, tls: bool) -> Option<Self> {
        let text = std::str::from_utf8(cursor.as_bytes()).ok()?;
        let [kind, node, place, taking, left] =
            <[&str; 5]>::try_from(text.split(' ').collect::<Vec<_>>()).ok()?;
        let node = match node {
            "-" => None,
            node => {
                let (host, port) = node.rsplit_once(':')?;
                Some(Address::Tcp {
                    host: host.to_owned(),
                    port: port.parse().ok()?,
                    tls,
                })
            }
        };
        let place = match place {
            "-" => None,
            place => Some(place.parse().ok()?),
        };
        let (taking, left) = (Slots::parse(taking)?, Slots::parse(left)?);
        (kind == "cluster" && left.first().is_some()).then_some(Self {
            left,
            taking,
            node,
            place,
        })
    }
}

fn foreign_cursor() -> Error {
    Error::new(
        ErrorKind::Value,
        "this cursor is not one of the `redis` backend on a cluster; list from the first page again",
    )
}

/// Why a step of the scan was not made.
enum Stopped {
    /// The node could not be asked.
    Lost(Server, Failed),
    For(Error),
}

impl Stopped {
    fn into_error(self, doing: Doing) -> Error {
        match self {
            Self::Lost(server, failed) => failed.into_error(doing, &server),
            Self::For(error) => error,
        }
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::For(error)
    }
}

async fn view(doing: Doing, server: &Server, until: Instant) -> Result<View, Stopped> {
    let reply = attempt(server, &view::cluster_nodes(), until).await?;
    let address = server.address();
    View::of(&reply, address).map_err(|_| failure::nonsense(doing, address).into())
}

/// Asks `server`, and once more where the connection breaks: a scan only reads.
async fn attempt(server: &Server, request: &Request<'_>, until: Instant) -> Result<Value, Stopped> {
    let mut reply = server.attempt(request, Asking::No, until).await;
    if matches!(&reply, Err(Failed::Interrupted(error)) if error.is_io_error()) {
        reply = server.attempt(request, Asking::No, until).await;
    }
    reply.map_err(|failed| Stopped::Lost(server.clone(), failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Address {
        Address::Tcp {
            host: "10.0.0.1".to_owned(),
            port,
            tls: false,
        }
    }

    fn slots(text: &str) -> Slots {
        Slots::parse(text).unwrap()
    }

    fn view(owned: &str, importing: &str, migrating: &[(u16, u16)]) -> View {
        View {
            owned: slots(owned),
            importing: slots(importing),
            migrating: migrating
                .iter()
                .map(|(slot, to)| (*slot, at(*to)))
                .collect(),
        }
    }

    fn scanned(taking: &str) -> Walk {
        Walk {
            left: slots("0-99"),
            taking: slots(taking),
            node: Some(at(1)),
            place: Some(0),
        }
    }

    #[test]
    fn a_slot_that_stayed_is_done_and_one_that_left_is_not() {
        let mut walk = scanned("0-9");
        walk.finish(&view("0-7,50-59", "", &[]));
        assert_eq!(walk.left.to_string(), "8-99");
        assert_eq!((walk.node, walk.place), (None, None));
    }

    #[test]
    fn a_slot_that_is_being_moved_is_done_when_its_new_node_was_scanned() {
        let mut walk = scanned("0-9");
        walk.finish(&view("0-9", "", &[(3, 2), (4, 7), (5, 2)]));
        assert_eq!(walk.left.to_string(), "3-5,10-99");
        assert_eq!(walk.taking.to_string(), "3-3,5-5");
        assert_eq!((walk.node.clone(), walk.place), (Some(at(2)), None));
        // The second node scanned, with one of them its own by now and the other on its way still.
        walk.finish(&view("3-3", "5", &[]));
        assert_eq!(walk.left.to_string(), "4-4,10-99");
    }

    #[test]
    fn a_cursor_survives_its_journey_and_another_is_refused() {
        for walk in [
            Walk::new(),
            scanned("0-9"),
            Walk {
                place: None,
                ..scanned("")
            },
        ] {
            let cursor = walk.cursor().unwrap();
            assert_eq!(Walk::parse(&cursor, false), Some(walk));
        }
        let done = Walk {
            left: Slots::none(),
            ..Walk::new()
        };
        assert_eq!(done.cursor(), None);
        for foreign in [
            "",
            "17",
            "cluster - - 0-1",
            "cluster - -  ",
            "cluster a 0 0-1 0-1",
            "cluster - x 0-1 0-1",
            "cluster - - 0-1 99999",
            "other - - 0-1 0-1",
        ] {
            let cursor = Cursor::from(foreign.as_bytes().to_vec());
            assert_eq!(Walk::parse(&cursor, false), None, "{foreign}");
        }
    }
}
