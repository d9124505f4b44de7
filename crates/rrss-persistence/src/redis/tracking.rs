//! Being told of changes: the server says which of the keys that a connection has read are not what it read any more.
//!
//! [Client-side caching](https://redis.io/docs/latest/develop/reference/client-side-caching/) in its default mode: the server
//! remembers what each connection has read, and sends one `invalidate` when that changes, expires, is evicted or moves to
//! another node, also by what this connection itself does. A key is watched before it is read, since the server may tell of
//! a change before whoever reads has looked at the answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, PushInfo, PushKind, RedisResult, Value};
use rrss_core::Validity;
use tokio::sync::OnceCell;

use super::runtimes::Home;

/// One load that wants to be told: its key is watched at each connection that the load is sent over.
pub(super) struct Watch {
    key: Arc<str>,
    at: Mutex<Watches>,
}

#[derive(Default)]
struct Watches {
    watched: Vec<Arc<Watched>>,
    is_refused: bool,
}

impl Watch {
    pub(super) fn of(key: &str) -> Arc<Self> {
        Arc::new(Self {
            key: key.into(),
            at: Mutex::default(),
        })
    }

    /// What tells whether the load is still right, now that it is answered; `None` where a server refused to.
    ///
    /// A load that was redirected may have been answered by two nodes: it is right while neither has told of a change.
    pub(super) fn validity(&self) -> Option<Validity> {
        let Watches {
            watched,
            is_refused,
        } = std::mem::take(&mut *self.at.lock().unwrap_or_else(PoisonError::into_inner));
        let holds = move || watched.iter().all(|watched| watched.holds());
        (!is_refused).then(|| Validity::new(holds))
    }
}

/// What one connection is told of.
pub(super) struct Tracking {
    /// Whether the connection is there: what is not heard of any more does not hold.
    is_up: AtomicBool,
    /// The runtime that listens. While it stands still, changes are not heard of.
    home: Home,
    /// Whether the server tracks for this connection; empty until it was asked to.
    on: OnceCell<bool>,
    watched: Mutex<Keys>,
}

type Keys = HashMap<Arc<str>, Weak<Watched>>;

impl Tracking {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            is_up: AtomicBool::new(true),
            home: Home::here(),
            on: OnceCell::new(),
            watched: Mutex::default(),
        })
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// Nothing that was told holds from here on: the connection has ended, or is not heard of in time.
    pub(super) fn end(&self) {
        self.is_up.store(false, Ordering::Release);
    }

    /// Watches the key from now on.
    ///
    /// # Errors
    ///
    /// Where the connection breaks. A server that refuses to track has answered.
    pub(super) async fn begin(
        self: &Arc<Self>,
        watch: &Watch,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<()> {
        let is_on = *self.on.get_or_try_init(|| ask_for(connection)).await?;
        let watched = is_on.then(|| self.watched(&watch.key));
        let mut at = watch.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_refused |= !is_on;
        at.watched.extend(watched);
        Ok(())
    }

    fn watched(self: &Arc<Self>, key: &Arc<str>) -> Arc<Watched> {
        // Dropped after the lock, which dropping it may take.
        let known;
        let mut keys = self.keys();
        known = keys.get(key).and_then(Weak::upgrade);
        if let Some(watched) = known.as_ref().filter(|watched| watched.holds()) {
            return Arc::clone(watched);
        }
        let watched = Arc::new(Watched {
            key: Arc::clone(key),
            is_unchanged: AtomicBool::new(true),
            tracking: Arc::clone(self),
        });
        keys.insert(Arc::clone(key), Arc::downgrade(&watched));
        watched
    }

    /// Hears what the server says by itself.
    pub(super) fn hear(&self, push: &PushInfo) {
        if push.kind != PushKind::Invalidate {
            return;
        }
        let mut keys = self.keys();
        let changed: Vec<Arc<Watched>> = match push.data.first() {
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(|name| match name {
                    Value::BulkString(name) => std::str::from_utf8(name).ok(),
                    _ => None,
                });
                names
                    .filter_map(|name| keys.remove(name)?.upgrade())
                    .collect()
            }
            // All keys at once, as after `FLUSHALL`.
            _ => keys.drain().filter_map(|(_, key)| key.upgrade()).collect(),
        };
        drop(keys);
        for watched in changed {
            watched.is_unchanged.store(false, Ordering::Release);
        }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One key, from before it was read until it changed.
struct Watched {
    key: Arc<str>,
    is_unchanged: AtomicBool,
    tracking: Arc<Tracking>,
}

impl Watched {
    fn holds(&self) -> bool {
        self.tracking.home.is_driven()
            && self.tracking.is_up()
            && self.is_unchanged.load(Ordering::Acquire)
    }
}

impl Drop for Watched {
    /// What nobody holds any more is not looked for.
    fn drop(&mut self) {
        let mut keys = self.tracking.keys();
        if keys
            .get(&self.key)
            .is_some_and(|of_key| std::ptr::eq(of_key.as_ptr(), self))
        {
            keys.remove(&self.key);
        }
    }
}

/// Asks the server to track for this connection; whether it does.
async fn ask_for(connection: &mut MultiplexedConnection) -> RedisResult<bool> {
    let mut command = Cmd::with_capacity(3, 16);
    command.arg("CLIENT").arg("TRACKING").arg("ON");
    let reply = connection.send_packed_command(&command).await;
    match reply.and_then(Value::extract_error) {
        Ok(_) => Ok(true),
        Err(refusal) if refusal.code().is_some() => {
            tracing::warn!(
                refusal = refusal.code(),
                "the server refuses `CLIENT TRACKING`, so it tells of no changes of sessions that were loaded; allow it, or \
                 remove the `cache` step"
            );
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: Vec<Value>) -> PushInfo {
        PushInfo {
            kind: PushKind::Invalidate,
            data,
        }
    }

    fn of(key: &str) -> PushInfo {
        let key = Value::BulkString(key.as_bytes().to_vec());
        told(vec![Value::Array(vec![key])])
    }

    #[tokio::test]
    async fn a_key_that_changed_does_not_hold_and_others_do() {
        let tracking = Tracking::new();
        let [a, b] = ["a", "b"].map(|key| tracking.watched(&key.into()));
        tracking.hear(&of("a"));
        assert!(!a.holds() && b.holds());
        assert!(tracking.watched(&"a".into()).holds(), "it is read anew");
        assert!(!a.holds(), "what was read before does not come back");
        tracking.hear(&told(vec![Value::Nil]));
        assert!(!b.holds());
    }

    #[tokio::test]
    async fn nothing_holds_without_a_connection() {
        let tracking = Tracking::new();
        let watched = tracking.watched(&"a".into());
        tracking.end();
        assert!(!watched.holds());
    }

    /// One thread that drives another runtime, or none, hears of no changes.
    #[test]
    fn nothing_holds_while_the_runtime_that_listens_stands_still() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build();
        let (home, other) = (runtime().unwrap(), runtime().unwrap());
        let watched = home.block_on(async { Tracking::new().watched(&"a".into()) });
        assert!(home.block_on(async { watched.holds() }));
        assert!(!other.block_on(async { watched.holds() }));
    }

    #[tokio::test]
    async fn what_nobody_holds_is_not_kept() {
        let tracking = Tracking::new();
        let one = tracking.watched(&"a".into());
        let same = tracking.watched(&"a".into());
        drop(one);
        assert_eq!(tracking.keys().len(), 1);
        tracking.hear(&of("a"));
        let next = tracking.watched(&"a".into());
        drop(same);
        assert_eq!(tracking.keys().len(), 1, "that of another reading stays");
        drop(next);
        assert!(tracking.keys().is_empty());
    }
}
