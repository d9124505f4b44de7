//! The one error type of rrss.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// A `Result` with rrss's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation, a step or a configuration failed.
///
/// The type is opaque: match on [`Error::kind`], or ask [`Error::is_temporary`] whether another try may
/// succeed. It is cheap to clone. `Display` prints this error's own level; [`source`](StdError::source) gives
/// what caused it. No message holds a session id, a key, a secret or a value of a field.
///
/// # Examples
///
/// ```
/// use rrss_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Unavailable, "connecting to localhost:6379 failed");
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// assert!(error.is_temporary());
/// assert_eq!(error.to_string(), "connecting to localhost:6379 failed");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    step: Option<Cow<'static, str>>,
    option: Option<Cow<'static, str>>,
    in_doubt: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration, or the order of the steps, cannot work. Mend it; another try changes nothing.
    Config,
    /// The backend cannot be reached, refuses us or is not able to work now. It says nothing of the session.
    Unavailable,
    /// The backend did not answer within the configured time. The operation may or may not have happened.
    Timeout,
    /// Stored bytes fit no known form: cut short, of another format, or larger than allowed once decoded.
    /// They stay as they are, unless the store has another [policy](crate::OnCorrupt).
    Corrupt,
    /// The stored session changed since this one was loaded, and the policy is to say so.
    Conflict,
    /// The session that was to be changed does not exist any more: deleted, expired or rotated away.
    Gone,
    /// The session, or the number of sessions, is past a limit that an option sets.
    TooLarge,
    /// A value does not serialise, or a field is not of the type that was asked for.
    Value,
    /// The steps of this pipeline, or its backend, cannot do what was asked.
    Unsupported,
}

impl Error {
    /// An error of `kind`. Say what was being done and what to do next; no ids, secrets or values.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            step: None,
            option: None,
            in_doubt: false,
            source: None,
        }))
    }

    /// The same error, caused by `source`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::error::Error as _;
    /// use rrss_core::{Error, ErrorKind};
    ///
    /// let cause = std::io::Error::other("disk full");
    /// let error = Error::new(ErrorKind::Unavailable, "writing a session failed").with_source(cause);
    /// assert_eq!(error.source().unwrap().to_string(), "disk full");
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::from(source.into()));
        self
    }

    /// The same error, of an operation that the backend may have carried out all the same: its answer was lost, or came
    /// too late. Without this, an error of a write means that nothing was stored.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::{Error, ErrorKind};
    ///
    /// let refused = Error::new(ErrorKind::Unavailable, "the server refused the write");
    /// assert!(!refused.may_have_happened());
    ///
    /// let lost = Error::new(ErrorKind::Unavailable, "the connection broke before the answer came").in_doubt();
    /// assert!(lost.may_have_happened());
    /// ```
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        Arc::make_mut(&mut self.0).in_doubt = true;
        self
    }

    /// The same error, said to be about the option `name` of the step: a report on a file then points at it.
    #[must_use]
    pub fn with_option(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.0).option = Some(name.into());
        self
    }

    /// The same error, raised in the step called `name`, unless it names a step already.
    ///
    /// The pipeline calls this; authors of steps need not.
    #[must_use]
    pub fn in_step(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        if self.0.step.is_none() {
            Arc::make_mut(&mut self.0).step = Some(name.into());
        }
        self
    }

    /// What sort of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The step that raised it, where one did.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.0.step.as_deref()
    }

    /// The option that it is about, where it is about one.
    #[must_use]
    pub fn option(&self) -> Option<&str> {
        self.0.option.as_deref()
    }

    /// The message without the step's name in front.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed later with nothing mended: an outage, a timeout, a conflict.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Conflict
        )
    }

    /// Whether the operation may have been carried out all the same: the answer of the backend was lost, or came too late.
    /// Where it is `false`, a write that failed has stored nothing.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        self.0.in_doubt
    }

    /// Whether the session does not exist any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.kind == ErrorKind::Gone
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.0.step {
            write!(f, "{step}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    /// The kind and the message, and what caused it line by line: a `main` that returns the error prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        let mut source = self.source();
        while let Some(error) = source {
            write!(f, "\n  caused by: {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_prints_its_own_level_and_the_first_step_named() {
        let error = Error::new(ErrorKind::Corrupt, "stored bytes are cut short")
            .with_source(std::io::Error::other("inner"))
            .in_step("compression")
            .in_step("json-codec");
        assert_eq!(error.to_string(), "compression: stored bytes are cut short");
        assert_eq!(error.source().unwrap().to_string(), "inner");
        assert_eq!(
            format!("{error:?}"),
            "Corrupt: compression: stored bytes are cut short\n  caused by: inner"
        );
    }
}
