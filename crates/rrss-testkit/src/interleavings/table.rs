//! What comes of two operations on one session at once, as data.

use rrss::Conflict;

use super::words::{Act, Left, Row, Says, Until, When, Who};
use Act::{Delete, Expire, Load, Rotate, Save, Touch};
use Says::{Done, Found, Gone, Merged, Nothing, Passed, Refused, Replaced, Rotated, RotatedMerged};
use When::{After, Before};
use Who::{First, Second};

const NONE: &[Who] = &[];
const FIRST: &[Who] = &[First];
const SECOND: &[Who] = &[Second];
const BOTH: &[Who] = &[First, Second];
const BOTH_REVERSED: &[Who] = &[Second, First];
const NOTHING: Left = Left::Nothing;

/// Every ordered pair of operations at every point, where conflicts are merged.
pub const TABLE: &[Row] = &[
    row(Load, Load, Before, Found(NONE), Found(NONE), old(NONE)),
    row(Load, Load, After, Found(NONE), Found(NONE), old(NONE)),
    row(Load, Save, Before, Found(SECOND), Replaced, old(SECOND)),
    row(Load, Save, After, Found(NONE), Replaced, old(SECOND)),
    row(Load, Delete, Before, Nothing, Done, NOTHING),
    row(Load, Delete, After, Found(NONE), Done, NOTHING),
    row(Load, Touch, Before, Found(NONE), Done, old(NONE).moved()),
    row(Load, Touch, After, Found(NONE), Done, old(NONE).moved()),
    row(
        Load,
        Rotate,
        Before,
        Nothing,
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(
        Load,
        Rotate,
        After,
        Found(NONE),
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(Load, Expire, Before, Nothing, Passed, NOTHING),
    row(Load, Expire, After, Found(NONE), Passed, NOTHING),
    row(Save, Load, Before, Replaced, Found(NONE), old(FIRST)),
    row(Save, Load, After, Replaced, Found(FIRST), old(FIRST)),
    row(Save, Save, Before, Merged, Replaced, old(BOTH_REVERSED)),
    row(Save, Save, After, Replaced, Merged, old(BOTH)),
    row(Save, Delete, Before, Gone, Done, NOTHING),
    row(Save, Delete, After, Replaced, Done, NOTHING),
    row(Save, Touch, Before, Replaced, Done, old(FIRST)),
    row(Save, Touch, After, Replaced, Done, old(FIRST).moved()),
    row(
        Save,
        Rotate,
        Before,
        Gone,
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(
        Save,
        Rotate,
        After,
        Replaced,
        RotatedMerged,
        renewed_by(Second, FIRST),
    ),
    row(Save, Expire, Before, Gone, Passed, NOTHING),
    row(Save, Expire, After, Replaced, Passed, NOTHING),
    row(Delete, Load, Before, Done, Found(NONE), NOTHING),
    row(Delete, Load, After, Done, Nothing, NOTHING),
    row(Delete, Save, Before, Done, Replaced, NOTHING),
    row(Delete, Save, After, Done, Gone, NOTHING),
    row(Delete, Delete, Before, Nothing, Done, NOTHING),
    row(Delete, Delete, After, Done, Nothing, NOTHING),
    row(Delete, Touch, Before, Done, Done, NOTHING),
    row(Delete, Touch, After, Done, Nothing, NOTHING),
    row(
        Delete,
        Rotate,
        Before,
        Nothing,
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(Delete, Rotate, After, Done, Gone, NOTHING),
    row(Delete, Expire, Before, Nothing, Passed, NOTHING),
    row(Delete, Expire, After, Done, Passed, NOTHING),
    row(Touch, Load, Before, Done, Found(NONE), old(NONE).moved()),
    row(Touch, Load, After, Done, Found(NONE), old(NONE).moved()),
    row(Touch, Save, Before, Done, Replaced, old(SECOND).moved()),
    row(Touch, Save, After, Done, Replaced, old(SECOND)),
    row(Touch, Delete, Before, Nothing, Done, NOTHING),
    row(Touch, Delete, After, Done, Done, NOTHING),
    row(Touch, Touch, Before, Done, Done, old(NONE).moved()),
    row(Touch, Touch, After, Done, Done, old(NONE).moved()),
    row(
        Touch,
        Rotate,
        Before,
        Nothing,
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(
        Touch,
        Rotate,
        After,
        Done,
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(Touch, Expire, Before, Nothing, Passed, NOTHING),
    row(Touch, Expire, After, Done, Passed, NOTHING),
    row(
        Rotate,
        Load,
        Before,
        Rotated,
        Found(NONE),
        renewed_by(First, NONE),
    ),
    row(
        Rotate,
        Load,
        After,
        Rotated,
        Nothing,
        renewed_by(First, NONE),
    ),
    row(
        Rotate,
        Save,
        Before,
        RotatedMerged,
        Replaced,
        renewed_by(First, SECOND),
    ),
    row(Rotate, Save, After, Rotated, Gone, renewed_by(First, NONE)),
    row(Rotate, Delete, Before, Gone, Done, NOTHING),
    row(
        Rotate,
        Delete,
        After,
        Rotated,
        Nothing,
        renewed_by(First, NONE),
    ),
    row(
        Rotate,
        Touch,
        Before,
        Rotated,
        Done,
        renewed_by(First, NONE),
    ),
    row(
        Rotate,
        Touch,
        After,
        Rotated,
        Nothing,
        renewed_by(First, NONE),
    ),
    row(
        Rotate,
        Rotate,
        Before,
        Gone,
        Rotated,
        renewed_by(Second, NONE),
    ),
    row(
        Rotate,
        Rotate,
        After,
        Rotated,
        Gone,
        renewed_by(First, NONE),
    ),
    row(Rotate, Expire, Before, Gone, Passed, NOTHING),
    row(Rotate, Expire, After, Rotated, Passed, NOTHING),
    row(Expire, Load, Before, Passed, Nothing, NOTHING),
    row(Expire, Load, After, Passed, Nothing, NOTHING),
    row(Expire, Save, Before, Passed, Gone, NOTHING),
    row(Expire, Save, After, Passed, Gone, NOTHING),
    row(Expire, Delete, Before, Passed, Nothing, NOTHING),
    row(Expire, Delete, After, Passed, Nothing, NOTHING),
    row(Expire, Touch, Before, Passed, Nothing, NOTHING),
    row(Expire, Touch, After, Passed, Nothing, NOTHING),
    row(Expire, Rotate, Before, Passed, Gone, NOTHING),
    row(Expire, Rotate, After, Passed, Gone, NOTHING),
    row(Expire, Expire, Before, Passed, Passed, NOTHING),
    row(Expire, Expire, After, Passed, Passed, NOTHING),
];

/// Where it is otherwise under another policy for conflicts.
pub const OTHERWISE: &[(Conflict, Row)] = &[
    (
        Conflict::Reject,
        row(Save, Save, Before, Refused, Replaced, old(SECOND)),
    ),
    (
        Conflict::Reject,
        row(Save, Save, After, Replaced, Refused, old(FIRST)),
    ),
    (
        Conflict::Reject,
        row(Save, Rotate, After, Replaced, Refused, old(FIRST)),
    ),
    (
        Conflict::Reject,
        row(Rotate, Save, Before, Refused, Replaced, old(SECOND)),
    ),
    (
        Conflict::LastWrite,
        row(Save, Save, Before, Replaced, Replaced, old(FIRST)),
    ),
    (
        Conflict::LastWrite,
        row(Save, Save, After, Replaced, Replaced, old(SECOND)),
    ),
    (
        Conflict::LastWrite,
        row(
            Save,
            Rotate,
            After,
            Replaced,
            Rotated,
            renewed_by(Second, NONE),
        ),
    ),
    (
        Conflict::LastWrite,
        row(
            Rotate,
            Save,
            Before,
            Rotated,
            Replaced,
            renewed_by(First, NONE),
        ),
    ),
];

/// Where it is otherwise above a backend that keeps fields one by one: saves store the fields that they changed beside each
/// other, so neither has to be merged, and the last write replaces no more than the same field.
pub const FIELD_BY_FIELD: &[(Conflict, Row)] = &[
    (
        Conflict::Merge,
        row(Save, Save, Before, Replaced, Replaced, old(BOTH_REVERSED)),
    ),
    (
        Conflict::Merge,
        row(Save, Save, After, Replaced, Replaced, old(BOTH)),
    ),
    (
        Conflict::LastWrite,
        row(Save, Save, Before, Replaced, Replaced, old(BOTH_REVERSED)),
    ),
    (
        Conflict::LastWrite,
        row(Save, Save, After, Replaced, Replaced, old(BOTH)),
    ),
];

/// Where it is otherwise above a backend that [keeps no times](crate::Subject::without_times): a session has no deadline of
/// its own there, so a save or a rotation that comes after a touch leaves the deadline where that has moved it.
pub const WITHOUT_TIMES: &[Row] = &[
    row(Save, Touch, Before, Replaced, Done, old(FIRST).moved()),
    row(Touch, Save, After, Done, Replaced, old(SECOND).moved()),
    row(
        Touch,
        Rotate,
        After,
        Done,
        Rotated,
        renewed_by(Second, NONE).moved(),
    ),
    row(
        Rotate,
        Touch,
        Before,
        Rotated,
        Done,
        renewed_by(First, NONE).moved(),
    ),
];

const fn row(
    first: Act,
    second: Act,
    when: When,
    first_says: Says,
    second_says: Says,
    left: Left,
) -> Row {
    Row {
        first,
        second,
        when,
        first_says,
        second_says,
        left,
    }
}

const fn old(saved: &'static [Who]) -> Left {
    Left::Old(saved, Until::Own)
}

const fn renewed_by(who: Who, saved: &'static [Who]) -> Left {
    Left::New(who, saved, Until::Own)
}

impl Left {
    const fn moved(self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Old(saved, _) => Self::Old(saved, Until::Moved),
            Self::New(who, saved, _) => Self::New(who, saved, Until::Moved),
        }
    }
}
