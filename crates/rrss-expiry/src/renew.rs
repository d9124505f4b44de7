//! What gives a session its time anew.

use rrss_core::Action;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What gives a session its time anew.
///
/// # Examples
///
/// ```
/// use rrss_core::Action;
/// use rrss_expiry::Renew;
///
/// assert!(Renew::Write.renews(&Action::Update));
/// assert!(!Renew::Write.renews(&Action::Load));
/// assert!(Renew::Load.renews(&Action::Load));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Renew {
    /// Saving or touching it: the time counts from the last change. Reading changes nothing.
    #[default]
    Write,
    /// Loading it too: the time counts from the last use, and is moved once `renew_after` of it has passed.
    Load,
}

impl Renew {
    /// Whether this operation gives the session its time anew.
    #[must_use]
    pub fn renews(self, action: &Action) -> bool {
        match action {
            Action::Create | Action::Update | Action::Rotate | Action::Touch => true,
            Action::Load => self == Self::Load,
            _ => false,
        }
    }
}
