//! The words that the table is written in, and what they are in English.

use std::fmt;

/// What is done to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// `Store::load`
    Load,
    /// `Store::save` of a copy that was loaded before either operation began, with a field of its own and one that both set.
    Save,
    /// `Store::delete`
    Delete,
    /// `Store::touch_until`, to an earlier deadline: a later one than its own a session does not get from every pipeline.
    Touch,
    /// `Store::rotate` of a copy that was loaded before either operation began.
    Rotate,
    /// The session's deadline passes, and then `Store::sweep`.
    Expire,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Load,
        Self::Save,
        Self::Delete,
        Self::Touch,
        Self::Rotate,
        Self::Expire,
    ];
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Save => "save",
            Self::Delete => "delete",
            Self::Touch => "touch",
            Self::Rotate => "rotate",
            Self::Expire => "expire",
        })
    }
}

/// When the second operation comes, and runs to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The first has begun, and the backend has not carried out the call that decides it.
    Before,
    /// The backend has carried out the first; whether that is answered yet makes no difference.
    After,
}

impl When {
    /// At which points of an operation another can come.
    #[must_use]
    pub fn points_of(_: Act) -> &'static [Self] {
        &[Self::Before, Self::After]
    }

    pub(super) fn text(self, first: Act) -> &'static str {
        match (self, first) {
            (Self::Before, Act::Load) => "before it reads",
            (Self::Before, Act::Save) => "before it writes",
            (Self::Before, Act::Delete) => "before it removes",
            (Self::Before, Act::Touch) => "before it moves the deadline",
            (Self::Before, Act::Rotate) => "before it moves the session",
            (Self::Before, Act::Expire) => "after the deadline, before the sweep",
            (Self::After, Act::Expire) => "after the sweep",
            (Self::After, _) => "after",
        }
    }
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The operation that begins first.
    First,
    /// The one that comes while it runs, or after it.
    Second,
}

/// What an operation answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Load: the session, with what these have saved; where both have, the latter's value of the field that both set.
    Found(&'static [Who]),
    /// Load: `None`, or `ErrorKind::Gone` for an id that was rotated away. Touch, delete: `false`.
    Nothing,
    /// Touch, delete: `true`.
    Done,
    /// Save: `Saved::Replaced`.
    Replaced,
    /// Save: `Saved::Merged`.
    Merged,
    /// Rotate: `Saved::Created`.
    Rotated,
    /// Rotate: `Saved::Merged`.
    RotatedMerged,
    /// Save, rotate: `ErrorKind::Gone`.
    Gone,
    /// Save, rotate: `ErrorKind::Conflict`.
    Refused,
    /// Expire: nothing that depends on the session.
    Passed,
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(saved) => write!(f, "the session{}", with(saved)),
            Self::Nothing => f.write_str("there is none"),
            Self::Done => f.write_str("done"),
            Self::Replaced => f.write_str("saved"),
            Self::Merged => f.write_str("saved, merged"),
            Self::Rotated => f.write_str("rotated"),
            Self::RotatedMerged => f.write_str("rotated, merged"),
            Self::Gone => f.write_str("`Gone`"),
            Self::Refused => f.write_str("`Conflict`"),
            Self::Passed => f.write_str("–"),
        }
    }
}

/// Until when a session lives in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The deadline of its own, which it had before.
    Own,
    /// The one that the touch moved it to.
    Moved,
}

/// What is stored in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// No session.
    Nothing,
    /// The session under its old id, with what these have saved.
    Old(&'static [Who], Until),
    /// The session under the id that this rotation gave it, with what these have saved.
    New(Who, &'static [Who], Until),
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, saved, until) = match self {
            Self::Nothing => return f.write_str("nothing"),
            Self::Old(saved, until) => ("old id", saved, until),
            Self::New(Who::First, saved, until) => ("first's new id", saved, until),
            Self::New(Who::Second, saved, until) => ("second's new id", saved, until),
        };
        write!(f, "{id}{}", with(saved))?;
        if *until == Until::Moved {
            f.write_str(", deadline moved")?;
        }
        Ok(())
    }
}

fn with(saved: &[Who]) -> &'static str {
    match saved {
        [] => "",
        [Who::First] => ", first's changes",
        [Who::Second] => ", second's changes",
        [.., Who::Second] => ", both changes, second's where they meet",
        [.., Who::First] => ", both changes, first's where they meet",
    }
}

/// What comes of two operations on one session, when the second comes at one point of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The operation that begins first.
    pub first: Act,
    /// The other.
    pub second: Act,
    /// When the other comes.
    pub when: When,
    /// What the first answers.
    pub first_says: Says,
    /// What the second answers.
    pub second_says: Says,
    /// What is stored when both have answered.
    pub left: Left,
}
