//! The commands that a pipeline sends, and so the rights that a user of the server needs.

use redis::Cmd;
use rrss_core::Needs;

/// One command: its name as an ACL has it, and words that call it. `{s}` is the key of a session, `{i}` one of the index, `{e}`
/// one of events, `{a}` that of all sessions of `compat`.
type Right = (&'static str, &'static [&'static str]);

/// Every pipeline.
const ALWAYS: &[Right] = &[
    ("exists", &["EXISTS", "{s}"]),
    ("pexpireat", &["PEXPIREAT", "{s}", "1"]),
    ("pexpiretime", &["PEXPIRETIME", "{s}"]),
    ("persist", &["PERSIST", "{s}"]),
    ("unlink", &["UNLINK", "{s}"]),
    ("scan", &["SCAN", "0"]),
    ("ping", &["PING"]),
    ("evalsha", &["EVALSHA", "1", "0"]),
    ("eval", &["EVAL", "1", "0"]),
    ("info", &["INFO", "memory"]),
    ("time", &["TIME"]),
];

/// Where sessions are strings.
const STRINGS: &[Right] = &[("get", &["GET", "{s}"]), ("set", &["SET", "{s}", "1"])];

/// Where sessions are hashes.
const HASHES: &[Right] = &[
    ("type", &["TYPE", "{s}"]),
    ("hscan", &["HSCAN", "{s}", "0"]),
    ("hgetall", &["HGETALL", "{s}"]),
    ("hget", &["HGET", "{s}", "f"]),
    ("hset", &["HSET", "{s}", "f", "1"]),
    ("hdel", &["HDEL", "{s}", "f"]),
    ("hlen", &["HLEN", "{s}"]),
    ("hexists", &["HEXISTS", "{s}", "f"]),
];

/// With `compat` of sessions that are hashes.
const COMPAT: &[Right] = &[
    ("zscore", &["ZSCORE", "{a}", "m"]),
    ("zmscore", &["ZMSCORE", "{a}", "m"]),
    ("zadd", &["ZADD", "{a}", "1", "m"]),
    ("zrem", &["ZREM", "{a}", "m"]),
    ("zrangebyscore", &["ZRANGEBYSCORE", "{a}", "0", "1"]),
];

/// With an `index` step.
const INDEX: &[Right] = &[
    ("zadd", &["ZADD", "{i}", "1", "m"]),
    ("zrem", &["ZREM", "{i}", "m"]),
    ("zrange", &["ZRANGE", "{i}", "0", "1"]),
    ("zscore", &["ZSCORE", "{i}", "m"]),
    ("zremrangebyscore", &["ZREMRANGEBYSCORE", "{i}", "0", "1"]),
];

/// With `keep_expired` of the `index` step.
const EXPIRED: &[Right] = &[
    ("hset", &["HSET", "{e}", "f", "1"]),
    ("hget", &["HGET", "{e}", "f"]),
    ("hdel", &["HDEL", "{e}", "f"]),
    ("hexists", &["HEXISTS", "{e}", "f"]),
    ("zrangebyscore", &["ZRANGEBYSCORE", "{e}", "0", "1"]),
];

/// With a `cache` step.
const CHANGES: &[Right] = &[("client|tracking", &["CLIENT", "TRACKING", "ON"])];

/// On a Cluster.
const CLUSTER: &[Right] = &[
    ("rename", &["RENAME", "{s}", "{s}"]),
    ("asking", &["ASKING"]),
    ("cluster|slots", &["CLUSTER", "SLOTS"]),
    ("cluster|nodes", &["CLUSTER", "NODES"]),
];

const SCRIPT: &str = include_str!("rights.lua");

/// What sessions are stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    Strings,
    Hashes {
        /// Shared with the Clojure rrss.
        compat: bool,
    },
}

/// The commands that a pipeline with these needs sends.
fn of(needs: &Needs, stored: Stored, on_cluster: bool) -> impl Iterator<Item = Right> {
    let chosen = |is_wanted: bool, rights| if is_wanted { rights } else { &[][..] };
    let compat = stored == Stored::Hashes { compat: true };
    let all: [&[Right]; 8] = [
        ALWAYS,
        chosen(stored == Stored::Strings, STRINGS),
        chosen(stored != Stored::Strings, HASHES),
        chosen(compat, COMPAT),
        chosen(needs.index, INDEX),
        chosen(needs.expired, EXPIRED),
        chosen(needs.changes, CHANGES),
        chosen(on_cluster, CLUSTER),
    ];
    all.into_iter().flatten().copied()
}

/// The command that asks which of those the user may not run.
pub(super) fn question(needs: &Needs, stored: Stored, on_cluster: bool) -> Cmd {
    let session = needs.key.as_str();
    let prefix = needs.key_space.as_ref().map_or("", |space| space.prefix());
    let mut command = Cmd::new();
    command.arg("EVAL").arg(SCRIPT).arg(0);
    for (name, words) in of(needs, stored, on_cluster) {
        command.arg(words.len()).arg(name);
        for word in words {
            match *word {
                "{s}" => command.arg(session),
                "{i}" => command.arg(format!("{prefix}index:check:0")),
                "{e}" => command.arg(format!("{prefix}index:expired:00")),
                "{a}" => command.arg("sessions:all"),
                word => command.arg(word),
            };
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const README: &str = include_str!("../../README.md");
    const GUIDE: &str = include_str!("../../../../docs/guides/from-clojure-rrss.md");

    /// The commands that every connection sends when it opens, and those of `[[step]]` options.
    const CONNECTION: [&str; 2] = ["hello", "select"];

    fn needs() -> Needs {
        Needs::new("sessions:1".to_owned().into())
    }

    fn listed(text: &str) -> BTreeSet<String> {
        let rights = text
            .split_whitespace()
            .filter_map(|word| word.strip_prefix('+'));
        rights
            .map(|right| right.trim_end_matches('`').to_owned())
            .collect()
    }

    fn sent(needs: &Needs, stored: Stored, on_cluster: bool) -> BTreeSet<String> {
        let rights = of(needs, stored, on_cluster).map(|(name, _)| name);
        rights.chain(CONNECTION).map(str::to_owned).collect()
    }

    /// The lines of `text` that set up a user.
    fn lines(text: &str) -> Vec<BTreeSet<String>> {
        let lines = text.lines().filter(|line| line.starts_with("ACL SETUSER "));
        lines.map(listed).collect()
    }

    #[test]
    fn the_readme_lists_the_rights_that_each_pipeline_needs() {
        let [one, cluster] = &lines(README)[..] else {
            panic!("a line for one server, and one for a Cluster");
        };
        let mut indexed = needs();
        indexed.index = true;
        assert_eq!(*one, sent(&indexed, Stored::Strings, false));
        let mut of_cluster = sent(&indexed, Stored::Strings, true);
        assert!(of_cluster.remove("select"), "a Cluster has one database");
        assert_eq!(*cluster, of_cluster);

        let sentence = |start: &str| {
            let at = README.find(start).unwrap();
            let text = &README[at..];
            listed(&text[..text.find(". ").or(text.find(".\n")).unwrap()].replace('`', " "))
        };
        let more = |change: fn(&mut Needs)| {
            let mut needs = needs();
            needs.index = true;
            let before = sent(&needs, Stored::Strings, false);
            change(&mut needs);
            let after = sent(&needs, Stored::Strings, false);
            after.difference(&before).cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(
            sentence("With `keep_expired` it needs"),
            more(|needs| needs.expired = true)
        );
        assert_eq!(
            sentence("With a `cache` step it needs"),
            more(|needs| needs.changes = true)
        );
    }

    #[test]
    fn the_guide_lists_the_rights_that_sessions_in_hashes_need() {
        let hashes = sent(&needs(), Stored::Hashes { compat: false }, false);
        assert_eq!(lines(GUIDE)[0], hashes);
        let compat = sent(&needs(), Stored::Hashes { compat: true }, false);
        let more = GUIDE
            .lines()
            .find(|line| line.starts_with("+zscore"))
            .unwrap();
        assert_eq!(listed(more), compat.difference(&hashes).cloned().collect());
    }
}
