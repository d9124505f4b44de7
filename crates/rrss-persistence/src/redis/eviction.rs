//! Whether a server evicts keys when its memory is full, and so can lose an index entry whose session stays.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use redis::{RedisResult, Value};

use super::address::Address;
use super::memory::Memory;

/// What is known of one server.
#[derive(Default)]
pub(super) struct Eviction {
    evicts: AtomicBool,
    is_refused: AtomicBool,
    is_logged: AtomicBool,
}

impl Eviction {
    /// Whether a new connection is to ask. A server that has refused is not asked each time: an ACL logs it.
    pub(super) fn is_wanted_of_new_connections(&self) -> bool {
        !self.is_refused.load(Relaxed)
    }

    /// Takes in what the server answered to [`question`](super::memory::question).
    pub(super) fn learn(&self, reply: RedisResult<Value>) {
        match reply {
            Ok(reply) => {
                if let Some(evicts) = Memory::read(&reply).evicts() {
                    self.evicts.store(evicts, Relaxed);
                }
            }
            Err(refusal) if refusal.code().is_some() => self.is_refused.store(true, Relaxed),
            Err(_) => {}
        }
    }

    /// Whether it is known that the server evicts keys.
    pub(super) fn evicts(&self) -> bool {
        self.evicts.load(Relaxed)
    }

    /// Says once what that means for an index.
    pub(super) fn warn(&self, address: &Address) {
        if self.evicts() && !self.is_logged.swap(true, Relaxed) {
            tracing::warn!(
                server = %address,
                "Redis evicts keys when its memory is full, and can lose index entries of sessions that live, which `find` and \
                 `revoke` then miss; set `maxmemory-policy noeviction`, and run `rrss reindex` where it has evicted keys"
            );
        }
    }
}
