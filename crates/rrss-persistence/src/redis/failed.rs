//! How one attempt at one server went wrong.

use redis::RedisError;
use rrss_core::Error;

use super::connection::Server;
use super::failure::{self, Doing};

/// How an attempt went wrong, and so what is known of it.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// There was no connection, so nothing was sent.
    Unreachable(RedisError),
    /// There was no connection in time, so nothing was sent.
    ConnectTimeout,
    /// The connection broke before the answer came: it may have been done.
    Interrupted(RedisError),
    /// No answer came in time: it may have been done.
    AnswerTimeout,
    /// The server answered with an error: it was not done.
    Refused(RedisError),
}

impl Failed {
    pub(super) fn was_sent(&self) -> bool {
        !matches!(self, Self::Unreachable(_) | Self::ConnectTimeout)
    }

    /// The error with which the server answered.
    pub(super) fn refusal(&self) -> Option<&RedisError> {
        match self {
            Self::Unreachable(error) | Self::Refused(error) => {
                error.code().is_some().then_some(error)
            }
            Self::ConnectTimeout | Self::Interrupted(_) | Self::AnswerTimeout => None,
        }
    }

    /// The same for whoever asked for the operation.
    pub(super) fn into_error(self, doing: Doing, server: &Server) -> Error {
        let may_have_happened =
            matches!(self, Self::Interrupted(_) | Self::AnswerTimeout) && !doing.only_reads();
        let error = self.described(doing, server);
        if may_have_happened {
            error.in_doubt()
        } else {
            error
        }
    }

    fn described(self, doing: Doing, server: &Server) -> Error {
        let (address, limits) = (server.address(), server.limits());
        match self {
            Self::Unreachable(error) => {
                failure::unreachable(doing, address, server.credentials(), &error)
            }
            Self::ConnectTimeout => {
                failure::connecting_took_too_long(doing, address, limits.connect)
            }
            Self::Interrupted(error) => failure::interrupted(doing, address, &error),
            Self::AnswerTimeout => failure::answering_took_too_long(doing, address, limits.command),
            Self::Refused(error) => failure::refused(doing, address, &error),
        }
    }
}
