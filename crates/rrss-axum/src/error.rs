//! Errors of session operations, as responses.

use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use rrss::ErrorKind;

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with the session of a request.
///
/// As a response it is `503 Service Unavailable` where another try may succeed (an outage, a timeout), else
/// `500 Internal Server Error`, with a short text that tells nothing of the inside; the whole chain goes to the
/// log. So a handler can answer it with `?`.
///
/// # Examples
///
/// ```
/// use axum_core::response::IntoResponse;
///
/// let error = rrss::Error::new(rrss::ErrorKind::Unavailable, "connecting to localhost:6379 failed");
/// let response = rrss_axum::Error::from(error).into_response();
/// assert_eq!(response.status(), 503);
/// ```
#[derive(Debug, Clone)]
pub struct Error(rrss::Error);

impl Error {
    /// What sort of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    /// The status that it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.0.kind() {
            ErrorKind::Unavailable | ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            // Another try begins with what is stored by now, and may succeed.
            ErrorKind::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn log(&self) {
        let error: &dyn std::error::Error = &self.0;
        tracing::error!(error, "the session of a request failed");
    }
}

impl From<rrss::Error> for Error {
    fn from(error: rrss::Error) -> Self {
        Self(error)
    }
}

impl From<Error> for rrss::Error {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let status = self.status();
        let text = if status == StatusCode::SERVICE_UNAVAILABLE {
            "sessions are not available right now; please try again soon\n"
        } else {
            "the session could not be used\n"
        };
        (status, text).into_response()
    }
}
