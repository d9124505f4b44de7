//! What was promised and not kept.

use std::fmt;

/// One of the promises that a run is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Promise {
    /// What was acknowledged is in the session.
    NothingLost,
    /// What was ended is never there again.
    NothingBack,
    /// A live session is found by its user, and ended with the user's sessions.
    AlwaysFound,
    /// Nobody is ended who should not be.
    NobodyEnded,
    /// What an error answered was not stored, and the caller's session knows that.
    ErrorsStoreNothing,
    /// A session has one id at a time.
    OneId,
    /// No user has more sessions than are allowed, and nobody is refused below that.
    LimitHeld,
    /// The store works again once the weather has calmed.
    WorksAgain,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingLost => "no update is lost",
            Self::NothingBack => "nothing ended comes back",
            Self::AlwaysFound => {
                "a live session has its index entry, and sign-out everywhere ends it"
            }
            Self::NobodyEnded => "nobody is ended who should not be",
            Self::ErrorsStoreNothing => "an error means that nothing was stored",
            Self::OneId => "a rotation is never seen half-way: a session has one id at a time",
            Self::LimitHeld => {
                "no more sessions than `max_per_value` stay, and nobody is refused below it"
            }
            Self::WorksAgain => "the store works again when the fault has gone",
        })
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What was promised.
    pub promise: Promise,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promised: {}\nseen:     {}", self.promise, self.seen)
    }
}
