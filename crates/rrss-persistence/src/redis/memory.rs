//! The memory of a server: how full it is, and whether the server evicts keys when it is full.

use redis::{Cmd, Value};
use rrss_core::{Finding, Needs};

use super::examine::text;

/// [`INFO memory`](https://redis.io/docs/latest/commands/info/).
pub(super) fn question() -> Cmd {
    let mut command = Cmd::new();
    command.arg("INFO").arg("memory");
    command
}

/// What `INFO memory` says.
pub(super) struct Memory {
    used: Option<u64>,
    /// 0 where there is no limit.
    most: Option<u64>,
    policy: Option<String>,
}

impl Memory {
    pub(super) fn read(reply: &Value) -> Self {
        let text = text(reply);
        let said = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|value| value.trim().to_owned())
        };
        Self {
            used: said("used_memory").and_then(|bytes| bytes.parse().ok()),
            most: said("maxmemory").and_then(|bytes| bytes.parse().ok()),
            policy: said("maxmemory_policy"),
        }
    }

    /// Whether the server evicts keys when its memory is full; `None` where it does not say.
    pub(super) fn evicts(&self) -> Option<bool> {
        self.policy.as_deref().map(|policy| policy != "noeviction")
    }

    pub(super) fn eviction(&self, needs: &Needs) -> Finding {
        match self.policy.as_deref() {
            None => Finding::warning(
                "eviction",
                "not known",
                "see that `maxmemory-policy` is `noeviction`",
            ),
            Some("noeviction") => Finding::fine("eviction", "noeviction"),
            Some(policy) if needs.index => Finding::warning(
                "eviction",
                policy,
                "a server that evicts keys can lose index entries of sessions that live, which `find` and `revoke` then \
                 miss; `CONFIG SET maxmemory-policy noeviction`, and `rrss reindex` puts the entries back",
            ),
            Some(policy) => Finding::warning(
                "eviction",
                policy,
                "a server that evicts keys can end sessions before their time; `CONFIG SET maxmemory-policy noeviction`",
            ),
        }
    }

    pub(super) fn room(&self) -> Finding {
        let (Some(used), Some(most)) = (self.used, self.most) else {
            return Finding::warning("room", "not known", "see `INFO memory`");
        };
        let mebibytes = |bytes: u64| bytes.div_ceil(1024 * 1024);
        if most == 0 {
            let found = format!("{} MiB used, no `maxmemory`", mebibytes(used));
            return Finding::fine("room", found);
        }
        let found = format!("{} of {} MiB used", mebibytes(used), mebibytes(most));
        let is_kept = self.policy.as_deref() == Some("noeviction");
        if used >= most && is_kept {
            Finding::fatal(
                "room",
                found,
                "the server is full and takes no writes; raise its `maxmemory`",
            )
        } else if used >= most / 10 * 9 {
            Finding::warning(
                "room",
                found,
                "the server is nearly full; raise its `maxmemory`",
            )
        } else {
            Finding::fine("room", found)
        }
    }
}

#[cfg(test)]
mod tests {
    use rrss_core::Severity;

    use super::*;

    fn needs(index: bool) -> Needs {
        let mut needs = Needs::new("sessions:1".to_owned().into());
        needs.index = index;
        needs
    }

    #[test]
    fn a_server_says_how_full_it_is_and_what_it_evicts() {
        let info = |used: u64, most: u64, policy: &str| {
            let text = format!(
                "# Memory\r\nused_memory:{used}\r\nmaxmemory:{most}\r\nmaxmemory_policy:{policy}\r\n"
            );
            Memory::read(&Value::BulkString(text.into_bytes()))
        };
        for (used, most, policy, room, eviction) in [
            (10, 0, "noeviction", Severity::Fine, Severity::Fine),
            (10, 100, "noeviction", Severity::Fine, Severity::Fine),
            (95, 100, "noeviction", Severity::Warning, Severity::Fine),
            (100, 100, "noeviction", Severity::Fatal, Severity::Fine),
            (
                100,
                100,
                "allkeys-lru",
                Severity::Warning,
                Severity::Warning,
            ),
        ] {
            let memory = info(used, most, policy);
            assert_eq!(memory.room().severity, room, "{used} of {most}");
            assert_eq!(memory.eviction(&needs(true)).severity, eviction, "{policy}");
        }
        let advice = |index| {
            info(1, 1, "volatile-ttl")
                .eviction(&needs(index))
                .advice
                .unwrap()
        };
        assert!(advice(true).contains("rrss reindex") && !advice(false).contains("reindex"));
        let nothing = Memory::read(&Value::Nil);
        assert_eq!(nothing.room().found, "not known");
    }
}
