//! What is questionable in options that work.

use std::borrow::Cow;
use std::fmt;

/// What a step says of options that work, but that somebody should know of: see [`Step::warnings`](crate::Step::warnings).
///
/// `Display` prints the message alone.
///
/// # Examples
///
/// ```
/// use rrss_core::Warning;
///
/// let warning = Warning::new("old passwords are accepted until 2026-12-31")
///     .with_option("accept_old_until")
///     .with_hint("remove it once everybody has a new one");
/// assert_eq!(warning.to_string(), "old passwords are accepted until 2026-12-31");
/// assert_eq!(warning.option(), Some("accept_old_until"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    message: Cow<'static, str>,
    option: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
}

impl Warning {
    /// A warning: what is so, in lower case and without a full stop.
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            option: None,
            hint: None,
        }
    }

    /// The same warning, which is about this option.
    #[must_use]
    pub fn with_option(self, option: impl Into<Cow<'static, str>>) -> Self {
        Self {
            option: Some(option.into()),
            ..self
        }
    }

    /// The same warning, with what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// What is so.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The option that it is about, where it is about one.
    #[must_use]
    pub fn option(&self) -> Option<&str> {
        self.option.as_deref()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
