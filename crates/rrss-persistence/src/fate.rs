//! What guard and deadline of an operation mean for a session, given what is stored of it. Backends that keep
//! the deadlines themselves share this, so that they cannot disagree.

use rrss_core::{Deadline, Error, ErrorKind, Guard, Operation, Result, Timestamp, Written};

/// What becomes of a session that an operation writes or touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It ends now.
    Ends,
    /// It lives until then; `None`: it never ends by itself.
    Lives(Option<Timestamp>),
}

/// The fate of a session under `op`, where `kept` is the deadline that it has so far.
pub(crate) fn fate(op: &Operation, kept: Option<Timestamp>) -> Fate {
    match op.deadline {
        Deadline::Keep => Fate::Lives(kept),
        Deadline::Never => Fate::Lives(None),
        Deadline::At(_) if op.deadline.is_past(op.now()) => Fate::Ends,
        Deadline::At(instant) => Fate::Lives(Some(instant)),
    }
}

/// Why `op` must not write, given what live bytes are stored under its key.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] for a guard that is younger than this backend: ignoring it could lose an update.
pub(crate) fn refusal(op: &Operation, live: Option<&[u8]>) -> Result<Option<Written>> {
    match (&op.guard, live) {
        (Guard::Absent, Some(_)) => Ok(Some(Written::Taken)),
        (Guard::Absent, None) => Ok(None),
        (Guard::Exists | Guard::Unchanged(_), None) => Ok(Some(Written::Gone)),
        (Guard::Exists, Some(_)) => Ok(None),
        (Guard::Unchanged(loaded), Some(live)) => {
            Ok((loaded.as_bytes() != live).then_some(Written::Changed))
        }
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "this backend does not know the guard of this write; update `rrss-persistence`",
        )),
    }
}

/// Whether a session with this deadline lives at `now`: the deadline itself is past.
pub(crate) fn lives(deadline: Option<Timestamp>, now: Timestamp) -> bool {
    deadline.is_none_or(|deadline| now < deadline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rrss_core::Action;

    const NOW: Timestamp = Timestamp::from_millis(1_000);
    const LATER: Timestamp = Timestamp::from_millis(1_001);

    #[test]
    fn the_deadline_itself_is_past() {
        let mut op = Operation::new(Action::Update, NOW);
        for (deadline, expected) in [
            (Deadline::Keep, Fate::Lives(Some(LATER))),
            (Deadline::Never, Fate::Lives(None)),
            (Deadline::At(NOW), Fate::Ends),
            (Deadline::At(LATER), Fate::Lives(Some(LATER))),
        ] {
            op.deadline = deadline;
            assert_eq!(fate(&op, Some(LATER)), expected, "{deadline:?}");
        }
        assert!(lives(None, NOW) && lives(Some(LATER), NOW));
        assert!(!lives(Some(NOW), NOW));
    }
}
