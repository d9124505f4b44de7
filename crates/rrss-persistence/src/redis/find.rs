//! Finding sessions by a value, a page at a time: [`ZRANGE`](https://redis.io/docs/latest/commands/zrange/).
//!
//! A score only ever grows, so an entry that moves while the pages are read moves ahead: it may be named twice, but not
//! missed. A session that gets a deadline moves from the second set to the first, so the second is read first.

use std::collections::BTreeSet;

use redis::{Cmd, Value};
use rrss_core::{Cursor, Error, ErrorKind, KeySpace, Page, Result, StorageKey, Timestamp};

use super::commands::{Nonsense, Part, Request};
use super::index::{Sets, command, long_past};

/// The most entries of one page: a fraction of a millisecond of the server's time.
const AT_ONCE: usize = 1_000;

/// One page of the sessions of a value.
pub(super) struct Find {
    sets: Sets,
    place: Place,
    limit: usize,
    now: Timestamp,
}

/// Where a page begins: in which set, and behind which of its entries.
#[derive(Debug, PartialEq)]
struct Place {
    set: Set,
    behind: Option<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Set {
    /// Of the sessions that never end; read first.
    Endless,
    /// Of those that end.
    Ending,
}

/// The last entry of a page. Entries of one score are in the order of their bytes.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    score: f64,
    /// How many entries of this score, this one included, were seen so far: they are read again, since there may be more.
    seen: usize,
    session: Vec<u8>,
}

impl Find {
    pub(super) fn new(
        sets: Sets,
        cursor: Option<&Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            sets,
            place: place(cursor)?,
            limit: limit.clamp(1, AT_ONCE),
            now,
        })
    }

    /// What is asked. The first page also removes what is long past; nothing is removed because its session is not there,
    /// since that may be about to be created.
    pub(super) fn request(&self) -> Request<'static> {
        let behind = self.place.behind.as_ref();
        let parts = match self.place.set {
            Set::Endless => {
                let mut ending = Vec::with_capacity(2);
                ending.push(self.range(Set::Ending, None));
                if behind.is_none() {
                    ending.push(long_past(&self.sets.ending, self.now));
                }
                vec![vec![self.range(Set::Endless, behind)], ending]
            }
            Set::Ending => vec![vec![self.range(Set::Ending, behind)]],
        };
        Request::InOrder(parts.into_iter().map(Part::Commands).collect())
    }

    fn range(&self, set: Set, behind: Option<&Entry>) -> Cmd {
        let first = match set {
            Set::Endless => f64::NEG_INFINITY,
            // What ends now has ended; an entry that was put several times is a little above its deadline.
            Set::Ending => self.now.as_millis().saturating_add(1) as f64,
        };
        let from = behind.map_or(first, |entry| entry.score.max(first));
        let key = match set {
            Set::Endless => &self.sets.endless,
            Set::Ending => &self.sets.ending,
        };
        command("ZRANGE", key, |c| {
            c.arg(from.to_string()).arg("+inf").arg("BYSCORE");
            c.arg("LIMIT").arg(0);
            c.arg(self.at_most(behind)).arg("WITHSCORES")
        })
    }

    fn at_most(&self, behind: Option<&Entry>) -> usize {
        self.limit + behind.map_or(0, |entry| entry.seen)
    }

    /// The page that the replies are, of keys of `space`.
    pub(super) fn page(&self, reply: Value, space: &KeySpace) -> Result<Page, Nonsense> {
        let Value::Array(replies) = reply else {
            return Err(Nonsense);
        };
        let mut replies = replies.into_iter();
        let sets: &[Set] = match self.place.set {
            Set::Endless => &[Set::Endless, Set::Ending],
            Set::Ending => &[Set::Ending],
        };
        let (mut named, mut next) = (Vec::new(), None);
        let mut behind = self.place.behind.as_ref();
        for &set in sets {
            let at_most = self.at_most(behind);
            let mut entries = entries(replies.next().ok_or(Nonsense)?)?;
            let room = self.limit.saturating_sub(named.len());
            let mut is_last = entries.len() < at_most;
            let known = entries
                .iter()
                .filter(|entry| entry.is_known(behind))
                .count();
            if entries.len() > known + room {
                entries.truncate(known + room);
                is_last = false;
            }
            let fresh = entries.iter().filter(|entry| !entry.is_known(behind));
            named.extend(fresh.map(|entry| entry.session.clone()));
            if !is_last {
                let behind = entries.pop();
                next = Some(Place { set, behind });
                break;
            }
            behind = None;
        }
        let mut seen = BTreeSet::new();
        let keys = named
            .into_iter()
            .filter_map(|key| String::from_utf8(key).ok())
            .filter(|key| space.middle(key).is_some() && seen.insert(key.clone()))
            .map(StorageKey::from)
            .collect();
        Ok(Page::new(keys, next.map(Place::cursor)))
    }
}

impl Entry {
    /// Whether an earlier page has named it.
    fn is_known(&self, behind: Option<&Self>) -> bool {
        behind.is_some_and(|last| self.score == last.score && self.session <= last.session)
    }
}

/// The reply of `ZRANGE … WITHSCORES`.
fn entries(reply: Value) -> Result<Vec<Entry>, Nonsense> {
    let Value::Array(pairs) = reply else {
        return Err(Nonsense);
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let Value::Array(pair) = pair else {
            return Err(Nonsense);
        };
        let Ok([Value::BulkString(session), Value::Double(score)]) = <[Value; 2]>::try_from(pair)
        else {
            return Err(Nonsense);
        };
        let before = entries.last().filter(|last| last.score == score);
        let seen = before.map_or(0, |last| last.seen) + 1;
        entries.push(Entry {
            score,
            seen,
            session,
        });
    }
    Ok(entries)
}

impl Place {
    /// The set, the score and the count, then the session.
    fn cursor(self) -> Cursor {
        let mut bytes = vec![match self.set {
            Set::Endless => b'f',
            Set::Ending => b'e',
        }];
        if let Some(entry) = self.behind {
            bytes.extend(entry.score.to_be_bytes());
            bytes.extend((entry.seen as u64).to_be_bytes());
            bytes.extend(entry.session);
        }
        bytes.into()
    }
}

/// The place that a cursor of ours stands for.
fn place(cursor: Option<&Cursor>) -> Result<Place> {
    let Some(cursor) = cursor else {
        return Ok(Place {
            set: Set::Endless,
            behind: None,
        });
    };
    parse(cursor.as_bytes()).ok_or_else(|| {
        Error::new(
            ErrorKind::Value,
            "this cursor is not one of the `redis` backend; find from the first page again",
        )
    })
}

fn parse(bytes: &[u8]) -> Option<Place> {
    let (set, rest) = bytes.split_first()?;
    let set = match set {
        b'f' => Set::Endless,
        b'e' => Set::Ending,
        _ => return None,
    };
    if rest.is_empty() {
        return Some(Place { set, behind: None });
    }
    let (score, rest) = rest.split_first_chunk()?;
    let (seen, session) = rest.split_first_chunk()?;
    let score = f64::from_be_bytes(*score);
    let seen = usize::try_from(u64::from_be_bytes(*seen)).ok()?;
    let is_ours = score.is_finite() && (1..=MOST_SEEN).contains(&seen);
    is_ours.then(|| Place {
        set,
        behind: Some(Entry {
            score,
            seen,
            session: session.to_vec(),
        }),
    })
}

/// No value has more sessions than this that end in the same millisecond; a cursor is not trusted to make the server
/// answer any number of entries.
const MOST_SEEN: usize = 1 << 20;
