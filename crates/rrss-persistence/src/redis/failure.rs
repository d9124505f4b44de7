//! What went wrong between rrss and Redis, as errors of rrss.
//!
//! A reply of the server may quote what was sent to it, so no text of a server is passed on: its error code, one
//! word, says enough. What the operating system and TLS say holds nothing of ours and becomes the source.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind as Kind, RedisError};
use rrss_core::{DurationOption, Error, ErrorKind};

use super::address::Address;

/// What was being done when it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Load,
    Write,
    Touch,
    Delete,
    List,
    Count,
    Ping,
}

impl Doing {
    fn phrase(self) -> &'static str {
        match self {
            Self::Load => "loading a session",
            Self::Write => "storing a session",
            Self::Touch => "renewing a session",
            Self::Delete => "deleting a session",
            Self::List => "listing sessions",
            Self::Count => "counting sessions",
            Self::Ping => "reaching Redis",
        }
    }

    /// Whether doing it twice is as good as doing it once, whatever others do in between.
    pub(super) fn only_reads(self) -> bool {
        match self {
            Self::Load | Self::List | Self::Count | Self::Ping => true,
            Self::Write | Self::Touch | Self::Delete => false,
        }
    }

    /// What to say of an operation that was sent and not answered.
    fn aftermath(self) -> &'static str {
        match self {
            Self::Write => "; it may have been stored",
            Self::Touch => "; it may have been renewed",
            Self::Delete => "; it may have been deleted",
            Self::Load | Self::List | Self::Count | Self::Ping => "",
        }
    }
}

/// No connection could be made.
pub(super) fn unreachable(doing: Doing, address: &Address, error: &RedisError) -> Error {
    if error.code().is_some() || error.kind() == Kind::AuthenticationFailed {
        return refused(doing, address, error);
    }
    let why = match error.kind() {
        Kind::Parse | Kind::RESP3NotSupported => {
            "what answers there does not speak the protocol of Redis 6 and newer (RESP3)"
        }
        _ if address.uses_tls() && is_of_tls(error) => {
            "no TLS connection could be made; check that its certificate is for this host and of an authority \
             that this system trusts, and that it speaks TLS on this port"
        }
        _ => "no connection could be made; check that it runs there and can be reached from here",
    };
    let failure = error_of(ErrorKind::Unavailable, doing, address, why);
    with_cause(failure, error)
}

/// Connecting took longer than `limit`.
pub(super) fn connecting_took_too_long(doing: Doing, address: &Address, limit: Duration) -> Error {
    let why = format!(
        "it did not accept a connection within {} (`connect_timeout`); check that it runs there and can be \
         reached from here",
        DurationOption::new(limit)
    );
    error_of(ErrorKind::Timeout, doing, address, &why)
}

/// An answer took longer than `limit`.
pub(super) fn answering_took_too_long(doing: Doing, address: &Address, limit: Duration) -> Error {
    let why = format!(
        "it did not answer within {} (`timeout`){}",
        DurationOption::new(limit),
        doing.aftermath()
    );
    error_of(ErrorKind::Timeout, doing, address, &why)
}

/// The connection broke before the answer came.
pub(super) fn interrupted(doing: Doing, address: &Address, error: &RedisError) -> Error {
    let why = match error.kind() {
        Kind::Parse => "what answers there does not speak the protocol of Redis",
        _ => "the connection broke before the answer came",
    };
    let why = format!("{why}{}", doing.aftermath());
    with_cause(
        error_of(ErrorKind::Unavailable, doing, address, &why),
        error,
    )
}

/// The server answered what the command does not answer.
pub(super) fn nonsense(doing: Doing, address: &Address) -> Error {
    let why = "its answer is none that Redis gives; check what runs there";
    error_of(ErrorKind::Unavailable, doing, address, why)
}

/// The server answered with an error.
pub(super) fn refused(doing: Doing, address: &Address, error: &RedisError) -> Error {
    let text = error.detail().unwrap_or_default();
    let code = match error.kind() {
        Kind::AuthenticationFailed => "WRONGPASS",
        _ => error.code().unwrap_or_default(),
    };
    let (kind, why) = match code {
        "WRONGTYPE" => (
            ErrorKind::Corrupt,
            "the key holds another kind of value than a string, which rrss did not write",
        ),
        "ERR" if text.starts_with("unknown command") || text.starts_with("syntax error") => (
            ErrorKind::Unsupported,
            "it does not know a command that rrss needs; use Redis 7.0 or Valkey, or a newer one",
        ),
        _ => (ErrorKind::Unavailable, advice(code, text)),
    };
    let failure = |why: &str| error_of(kind, doing, address, why);
    match why {
        "" if is_a_word(code) => failure(&format!("it refused with the error code {code}")),
        "" => failure("it refused"),
        why => failure(why),
    }
}

/// What an error code of Redis means and what to do; nothing for an unknown one.
fn advice(code: &str, text: &str) -> &'static str {
    match code {
        "WRONGPASS" => {
            "it refused the user or the password; check `username` and `password`, or those in `url`"
        }
        "NOAUTH" => "it wants a password; set `password`",
        "NOPERM" => {
            "it does not let this user do that; `rrss-persistence` lists the commands that rrss needs"
        }
        "DENIED" => "it accepts connections of its own machine alone (`protected-mode`)",
        "LOADING" => "it is still loading its data; try again shortly",
        "BUSY" => "it is busy running a script",
        "READONLY" => "it is a replica and takes no writes; connect to the primary",
        "MASTERDOWN" => "it is a replica that has lost its primary",
        "NOREPLICAS" => {
            "it takes no writes while it has too few replicas (`min-replicas-to-write`)"
        }
        "OOM" => {
            "its memory is full and it takes no writes; raise `maxmemory`, or choose a `maxmemory-policy` that \
             makes room"
        }
        "MISCONF" => "it takes no writes because it cannot save to its disk; see its log",
        "MOVED" | "ASK" | "CROSSSLOT" | "CLUSTERDOWN" => {
            "it is a node of a Redis Cluster; connect to a single server"
        }
        "ERR" if text.starts_with("max number of clients") => {
            "it has as many clients as it accepts; raise its `maxclients`"
        }
        "ERR" if text.starts_with("DB index") || text.starts_with("invalid DB index") => {
            "it has no database of this number; check `database`, or the one in `url`"
        }
        _ => "",
    }
}

fn error_of(kind: ErrorKind, doing: Doing, address: &Address, why: &str) -> Error {
    let phrase = doing.phrase();
    Error::new(kind, format!("{phrase} failed: Redis at {address}: {why}"))
}

/// Whether this is a code as Redis has them, and not a piece of something else.
fn is_a_word(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase())
}

/// Attaches what the operating system or TLS says. `RedisError` prints that itself, so the level in between would
/// say it twice.
fn with_cause(failure: Error, error: &RedisError) -> Error {
    match cause(error) {
        Some(cause) => failure.with_source(Arc::clone(cause)),
        None => failure,
    }
}

type Cause = Arc<dyn StdError + Send + Sync>;

fn cause(error: &RedisError) -> Option<&Cause> {
    error.source()?.downcast_ref::<Cause>()
}

fn is_of_tls(error: &RedisError) -> bool {
    let Some(cause) = cause(error) else {
        return false;
    };
    match cause.downcast_ref::<io::Error>() {
        Some(error) => {
            // A server without TLS may also hang up on our greeting.
            error.kind() == io::ErrorKind::UnexpectedEof
                || error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                    .is_some()
        }
        None => cause.is::<rustls::Error>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reply: &str) -> RedisError {
        redis::parse_redis_value(format!("-{reply}\r\n").as_bytes())
            .and_then(redis::Value::extract_error)
            .unwrap_err()
    }

    fn address() -> Address {
        Address::Tcp {
            host: "localhost".to_owned(),
            port: 6379,
            tls: false,
        }
    }

    #[test]
    fn a_refusal_of_the_server_becomes_an_error_that_says_what_to_do() {
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
                "raise `maxmemory`",
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
                "error code TRYAGAIN",
            ),
            (
                "WRONGTYPE Operation against a key",
                Corrupt,
                "another kind of value",
            ),
            (
                "ERR unknown command 'UNLINK', with args beginning with: 's'",
                Unsupported,
                "Redis 7.0",
            ),
            ("ERR syntax error", Unsupported, "Redis 7.0"),
        ] {
            let error = refused(Doing::Load, &address(), &said(reply));
            assert_eq!(error.kind(), kind, "{reply}");
            let message = error.to_string();
            assert!(
                message.starts_with("loading a session failed: Redis at localhost:6379: it ")
                    || kind == Corrupt,
                "{message}"
            );
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn nothing_that_a_server_quotes_is_passed_on() {
        for reply in [
            "ERR unknown command 'SET', with args beginning with: 'sessions:hunter2' 'hunter2'",
            "ERR Error running script: sessions:hunter2",
            "hunter2 is not what was expected",
            "HUNTER2 hunter2",
        ] {
            for error in [
                refused(Doing::Write, &address(), &said(reply)),
                unreachable(Doing::Write, &address(), &said(reply)),
            ] {
                let shown = format!("{error} {error:?}").to_lowercase();
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(error.source().is_none());
            }
        }
    }

    #[test]
    fn what_the_operating_system_says_is_said_once() {
        let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = unreachable(Doing::Ping, &address(), &refused);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "connection refused");
        assert!(source.source().is_none());
        assert!(!error.to_string().contains("connection refused"));
    }
}
