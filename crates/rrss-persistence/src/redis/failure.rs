//! What went wrong between rrss and Redis, as errors of rrss.
//!
//! A reply of the server may quote what was sent to it, so no text of a server is passed on: its error code, one
//! word, says enough. What the operating system and TLS say holds nothing of ours and becomes the source.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind as Kind, RedisError};
use rrss_core::{Action, DurationOption, Error, ErrorKind};

use super::address::Address;
use super::credentials::Credentials;
use super::refusal;

/// What was being done when it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Load,
    Write,
    Rotate,
    Touch,
    Delete,
    Find,
    Tidy,
    List,
    Count,
    Sweep,
    Expired,
    Ping,
}

impl Doing {
    /// What an operation with this action does.
    pub(super) fn of(action: &Action) -> Self {
        match action {
            Action::Load => Self::Load,
            Action::Rotate => Self::Rotate,
            Action::Touch | Action::Reindex => Self::Touch,
            Action::Delete => Self::Delete,
            Action::Find { .. } => Self::Find,
            Action::List { .. } => Self::List,
            Action::Count => Self::Count,
            Action::Sweep { .. } => Self::Sweep,
            Action::TakeExpired { .. } | Action::ForgetExpired { .. } => Self::Expired,
            _ => Self::Write,
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Load => "loading a session",
            Self::Write => "storing a session",
            Self::Rotate => "giving a session a new id",
            Self::Touch => "renewing a session",
            Self::Delete => "deleting a session",
            Self::Find => "finding sessions",
            Self::Tidy => "removing stale entries of the index",
            Self::List => "listing sessions",
            Self::Count => "counting sessions",
            Self::Sweep => "removing sessions that have ended",
            Self::Expired => "looking for sessions that have expired",
            Self::Ping => "reaching Redis",
        }
    }

    /// Whether doing it twice is as good as doing it once, whatever others do in between. What is removed of the index, or
    /// has ended, may be removed twice; of what is leased out twice, some is given later.
    pub(super) fn only_reads(self) -> bool {
        match self {
            Self::Load
            | Self::Find
            | Self::Tidy
            | Self::List
            | Self::Count
            | Self::Sweep
            | Self::Expired
            | Self::Ping => true,
            Self::Write | Self::Rotate | Self::Touch | Self::Delete => false,
        }
    }

    /// What to say of an operation that was sent and not answered.
    fn aftermath(self) -> &'static str {
        match self {
            Self::Write => "; it may have been stored",
            Self::Rotate => "; it may have its new id",
            Self::Touch => "; it may have been renewed",
            Self::Delete => "; it may have been deleted",
            Self::Load
            | Self::Find
            | Self::Tidy
            | Self::List
            | Self::Count
            | Self::Sweep
            | Self::Expired
            | Self::Ping => "",
        }
    }
}

/// Whether a node refused two keys at once because their slot is on its way to another node; nothing was done then.
pub(super) fn is_moving(error: &Error) -> bool {
    error.message().ends_with(refusal::MOVING)
}

/// No connection could be made.
pub(super) fn unreachable(
    doing: Doing,
    address: &Address,
    credentials: &Credentials,
    error: &RedisError,
) -> Error {
    if error.code().is_some() || error.kind() == Kind::AuthenticationFailed {
        let (kind, why) = refusal::meaning_of_first(error);
        return error_of(kind, doing, address, &why);
    }
    let why = match error.kind() {
        Kind::Parse | Kind::RESP3NotSupported => {
            "what answers there does not speak the protocol of Redis 6 and newer (RESP3)"
        }
        _ if address.uses_tls() && shows_an_authority(error) => {
            "its certificate is that of an authority (`CA:TRUE`), which TLS does not accept of a server; make a certificate for \
             the server (`CA:FALSE`), signed by that authority"
        }
        _ if address.uses_tls() && wants_certificate(error) => {
            if credentials.shows_certificate() {
                "it does not accept the certificate in `cert`; check which authorities it trusts"
            } else {
                "it wants a certificate of this client; set `cert` and `key`"
            }
        }
        _ if address.uses_tls() && is_of_tls(error) && credentials.names_authorities() => {
            "no TLS connection could be made; check that its certificate is for this host and of an authority in \
             `cacert`, and that the server speaks TLS on this port"
        }
        _ if address.uses_tls() && is_of_tls(error) => {
            "no TLS connection could be made; check that its certificate is for this host and of an authority \
             that this system trusts, and that the server speaks TLS on this port"
        }
        _ if address.may_want_tls() && hangs_up(error) => {
            "it hung up on the greeting (`HELLO 3`) of Redis 6.0 and newer; check that Redis itself listens there, not a proxy that \
             does not know the greeting, and begin its URL with `rediss://` if it speaks TLS"
        }
        _ if hangs_up(error) => {
            "it hung up on the greeting (`HELLO 3`) of Redis 6.0 and newer; check that Redis itself listens there, not a proxy that \
             does not know the greeting"
        }
        _ if address.may_want_tls() && !error.is_connection_refusal() => {
            "no connection could be made; check that it runs there and can be reached from here, and begin its URL with \
             `rediss://` if it speaks TLS"
        }
        _ => "no connection could be made; check that it runs there and can be reached from here",
    };
    let failure = error_of(ErrorKind::Unavailable, doing, address, why);
    with_cause(failure, error)
}

/// Connecting took longer than `limit`.
pub(super) fn connecting_took_too_long(doing: Doing, address: &Address, limit: Duration) -> Error {
    let why = format!(
        "it did not accept a connection within {} (`connect_timeout`); check that it runs there{} and can be \
         reached from here",
        DurationOption::new(limit),
        // A Redis without TLS takes the greeting for half a command, and waits for the rest.
        if address.uses_tls() {
            ", speaks TLS on this port"
        } else if address.may_want_tls() {
            ", speaks no TLS (else begin its URL with `rediss://`)"
        } else {
            ""
        },
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
pub(super) fn nonsense(doing: Doing, address: &impl Display) -> Error {
    let why = "its answer is none that Redis gives; check what runs there";
    error_of(ErrorKind::Unavailable, doing, address, why)
}

/// None of the servers answered before the time of the operation was over.
pub(super) fn nobody_answered_in_time(doing: Doing, addresses: &impl Display) -> Error {
    let why = "none of its servers answered within `connect_timeout` and `timeout`; check that they run there and \
               can be reached from here";
    error_of(ErrorKind::Timeout, doing, addresses, why)
}

/// What the server answered is of no use, for the reason `why`.
pub(super) fn told(doing: Doing, address: &impl Display, why: &str) -> Error {
    error_of(ErrorKind::Unavailable, doing, address, why)
}

/// The server answered with an error.
pub(super) fn refused(doing: Doing, address: &Address, error: &RedisError) -> Error {
    let (kind, why) = refusal::meaning(error);
    error_of(kind, doing, address, &why)
}

fn error_of(kind: ErrorKind, doing: Doing, address: &impl Display, why: &str) -> Error {
    let phrase = doing.phrase();
    Error::new(kind, format!("{phrase} failed: Redis at {address}: {why}"))
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
    // A server without TLS may also hang up on our greeting.
    let hangs_up = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    let io = cause(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(hangs_up) || tls_error(error).is_some()
}

/// Whether the connection was made, and broke before the first answer.
fn hangs_up(error: &RedisError) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let io = cause(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| {
        [
            BrokenPipe,
            ConnectionAborted,
            ConnectionReset,
            UnexpectedEof,
        ]
        .contains(&error.kind())
    })
}

/// Whether the server shows the certificate of an authority as its own. rustls has no name for it, but for the one that
/// webpki gives.
fn shows_an_authority(error: &RedisError) -> bool {
    matches!(
        tls_error(error),
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)))
            if format!("{:?}", other.0).contains("CaUsedAsEndEntity")
    )
}

/// Whether the server has said that it wants another certificate of this client, or one at all
/// ([RFC 8446, 6.2](https://www.rfc-editor.org/rfc/rfc8446#section-6.2)).
fn wants_certificate(error: &RedisError) -> bool {
    use rustls::AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, DecryptError, UnknownCA, UnsupportedCertificate,
    };
    matches!(
        tls_error(error),
        Some(rustls::Error::AlertReceived(
            AccessDenied
                | BadCertificate
                | CertificateExpired
                | CertificateRequired
                | CertificateRevoked
                | CertificateUnknown
                | DecryptError
                | UnknownCA
                | UnsupportedCertificate
        ))
    )
}

fn tls_error(error: &RedisError) -> Option<&rustls::Error> {
    let cause = cause(error)?;
    match cause.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref()?.downcast_ref(),
        None => cause.downcast_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::certificates::Certificates;
    use crate::redis::credentials::Login;

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

    fn nobody() -> Credentials {
        Credentials::new(Login::default(), Certificates::default())
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
                unreachable(Doing::Write, &address(), &nobody(), &said(reply)),
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
        let error = unreachable(Doing::Ping, &address(), &nobody(), &refused);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "connection refused");
        assert!(source.source().is_none());
        assert!(!error.to_string().contains("connection refused"));
    }
}
