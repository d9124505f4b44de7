//! What the error codes of Redis mean, and what to do about each.

use std::borrow::Cow;

use redis::{ErrorKind as Kind, RedisError};
use rrss_core::ErrorKind;

use super::give_up;

/// What a node says of a command with two keys whose slot is on its way to another node.
pub(super) const MOVING: &str =
    "it is moving this part of its Redis Cluster to another node; try again shortly";

/// What kind of failure an error reply of the server is, and why it happened, in words about "it", the server.
pub(super) fn meaning(error: &RedisError) -> (ErrorKind, Cow<'static, str>) {
    let (code, text) = code_and_text(error);
    match code {
        "WRONGTYPE" => (
            ErrorKind::Corrupt,
            "it holds another type than rrss keeps under the key, which rrss did not write".into(),
        ),
        "ERR" if is_unknown_command(text) || text.starts_with("syntax error") => (
            ErrorKind::Unsupported,
            "it does not know a command that rrss needs; use Redis 7.0 or Valkey, or a newer one"
                .into(),
        ),
        _ => {
            let why = match advice(code, text) {
                Some(advice) => advice.into(),
                None if is_a_word(code) => format!("it refused with the error code {code}").into(),
                None => "it refused".into(),
            };
            (ErrorKind::Unavailable, why)
        }
    }
}

/// The same where it has refused what a new connection says first, of which the greeting is not known everywhere.
pub(super) fn meaning_of_first(error: &RedisError) -> (ErrorKind, Cow<'static, str>) {
    let (code, text) = code_and_text(error);
    let is_generic = code == "ERR" || code == "NOPROTO" || !is_a_word(code);
    match advice(code, text) {
        None if is_generic => (
            ErrorKind::Unsupported,
            "it refused the greeting (`HELLO 3`) of Redis 6.0 and newer; a proxy that does not know it cannot be used: \
             connect to Redis itself, and check its version"
                .into(),
        ),
        _ => meaning(error),
    }
}

fn code_and_text(error: &RedisError) -> (&str, &str) {
    match error.kind() {
        Kind::AuthenticationFailed => ("WRONGPASS", ""),
        _ => give_up::reason(error.code().unwrap_or_default(), error.detail()),
    }
}

fn is_unknown_command(text: &str) -> bool {
    text.starts_with("unknown command")
}

/// A refusal of an ACL within a script, which has no code of its own: in the words of Valkey, and in those of Redis.
fn is_of_an_acl(text: &str) -> bool {
    text.starts_with("ACL failure in script")
        || text.starts_with("The user executing the script can't")
        || text.starts_with("can't run this command or subcommand")
}

/// Why a server that works refuses, and what to do, where that is known.
fn advice(code: &str, text: &str) -> Option<&'static str> {
    Some(match code {
        "WRONGPASS" => {
            "it refused the user or the password; check `username` and `password`, or those in `url`"
        }
        "NOAUTH" => "it wants a password; set `password`",
        "NOPERM" => NOT_ALLOWED,
        "ERR" if is_of_an_acl(text) => NOT_ALLOWED,
        "DENIED" => "it accepts connections of its own machine alone (`protected-mode`)",
        "LOADING" => "it is still loading its data; try again shortly",
        "BUSY" => "it is busy running a script",
        "READONLY" => "it is a replica and takes no writes; connect to the primary",
        "MASTERDOWN" => "it is a replica that has lost its primary",
        "NOREPLICAS" => {
            "it takes no writes while it has too few replicas (`min-replicas-to-write`)"
        }
        "OOM" => "it has no memory left and takes no writes; raise its `maxmemory`",
        "MISCONF" => "it takes no writes because it cannot save to its disk; see its log",
        "MOVED" | "ASK" | "CROSSSLOT" => {
            "it is a node of a Redis Cluster, and another one has the session; name its nodes in `nodes`"
        }
        "TRYAGAIN" => MOVING,
        "CLUSTERDOWN" => {
            "it is of a Redis Cluster that is down, or this part of it; it works again when a replica has taken over"
        }
        "ERR" if text.starts_with("This instance has cluster support disabled") => {
            "it is not a node of a Redis Cluster; name a single server with `url`"
        }
        "ERR" if text.starts_with("max number of clients") => {
            "it has as many clients as it accepts; raise its `maxclients`"
        }
        "ERR" if text.starts_with("DB index") || text.starts_with("invalid DB index") => {
            "it has no database of this number; check `database`, or the one in `url`"
        }
        "EXECABORT" => "it refused a command of a transaction, so it did none of them",
        _ => return None,
    })
}

const NOT_ALLOWED: &str =
    "it does not let this user do that; `rrss-persistence` lists the commands that rrss needs";

/// Whether this is a code as Redis has them, and not a piece of something else.
fn is_a_word(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        use ErrorKind::{Corrupt, Unavailable, Unsupported};
        for (reply, kind, part) in [
            (
                "WRONGPASS invalid username-password pair",
                Unavailable,
                "check `username` and `password`",
            ),
            (
                "NOAUTH Authentication required.",
                Unavailable,
                "set `password`",
            ),
            (
                "NOPERM No permissions to access a key",
                Unavailable,
                "lists the commands",
            ),
            (
                "ERR The user executing the script can't run this command or subcommand script: 1f",
                Unavailable,
                "lists the commands",
            ),
            (
                "ERR ACL failure in script: User web has no permissions to run the 'set' command",
                Unavailable,
                "lists the commands",
            ),
            (
                "EXECABORT Transaction discarded because of: OOM command not allowed",
                Unavailable,
                "raise its `maxmemory`",
            ),
            (
                "EXECABORT Transaction discarded because of previous errors.",
                Unavailable,
                "none of them",
            ),
            (
                "DENIED Redis is running in protected mode",
                Unavailable,
                "protected-mode",
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                Unavailable,
                "loading its data",
            ),
            (
                "BUSY Redis is busy running a script.",
                Unavailable,
                "script",
            ),
            (
                "READONLY You can't write against a read only replica.",
                Unavailable,
                "the primary",
            ),
            (
                "MASTERDOWN Link with MASTER is down",
                Unavailable,
                "lost its primary",
            ),
            (
                "NOREPLICAS Not enough good replicas to write.",
                Unavailable,
                "too few replicas",
            ),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                Unavailable,
                "raise its `maxmemory`",
            ),
            (
                "MISCONF Redis is configured to save RDB snapshots",
                Unavailable,
                "its disk",
            ),
            ("MOVED 3999 127.0.0.1:6381", Unavailable, "Cluster"),
            ("CLUSTERDOWN Hash slot not served", Unavailable, "Cluster"),
            (
                "ERR max number of clients reached",
                Unavailable,
                "`maxclients`",
            ),
            (
                "ERR DB index is out of range",
                Unavailable,
                "check `database`",
            ),
            (
                "TRYAGAIN Multiple keys request",
                Unavailable,
                "try again shortly",
            ),
            (
                "ERR This instance has cluster support disabled",
                Unavailable,
                "not a node",
            ),
            (
                "NOGOODSLAVE No suitable replica to promote",
                Unavailable,
                "error code NOGOODSLAVE",
            ),
            ("WRONGTYPE Operation against a key", Corrupt, "another type"),
            (
                "ERR unknown command 'UNLINK', with args beginning with: 's'",
                Unsupported,
                "Redis 7.0",
            ),
            ("ERR syntax error", Unsupported, "Redis 7.0"),
        ] {
            let error = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes())
                .and_then(redis::Value::extract_error)
                .unwrap_err();
            let (meant, why) = meaning(&error);
            assert_eq!(meant, kind, "{reply}");
            assert!(why.starts_with("it ") && why.contains(part), "{why}");
        }
    }

    #[test]
    fn a_refused_greeting_is_explained_and_what_is_known_says_what_it_is() {
        for (reply, part) in [
            (
                "ERR unknown command 'HELLO', with args beginning with: '3'",
                "`HELLO 3`",
            ),
            ("ERR unsupported command 'hello'", "`HELLO 3`"),
            ("unsupported command 'hello'", "`HELLO 3`"),
            ("NOPROTO unsupported protocol version", "`HELLO 3`"),
            ("ERR max number of clients reached", "`maxclients`"),
            ("ERR DB index is out of range", "check `database`"),
            (
                "WRONGPASS invalid username-password pair",
                "check `username`",
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                "loading its data",
            ),
            ("SOMETHING else", "error code SOMETHING"),
        ] {
            let error = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes())
                .and_then(redis::Value::extract_error)
                .unwrap_err();
            let (_, why) = meaning_of_first(&error);
            assert!(why.starts_with("it ") && why.contains(part), "{why}");
        }
    }
}
