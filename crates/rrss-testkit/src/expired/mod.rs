//! What a backend that keeps notes of sessions promises, and a [`Store`](rrss::Store) over it whose `index` step says
//! `keep_expired`: one function for each sentence on [`Backend::take_expired`](rrss_core::Backend::take_expired),
//! [`NoteChange`](rrss_core::NoteChange) and [`Store::on_expired`](rrss::Store::on_expired).
//!
//! "A note may be stale, but it is never missing": so what expires is told, and what is deleted is not. Run them all with
//! [`expired_promises!`](crate::expired_promises), where the backend
//! [keeps notes](rrss_core::Backend::keeps_expired).

mod ask;
mod given;
mod lease;
mod silent;
mod told;

pub use given::*;
pub use lease::*;
pub use silent::*;
pub use told::*;

use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__expired_promises!(__values { Subject })
}

/// Makes one test of each promise of [`expired`](crate::expired). They fail on a backend that keeps no notes.
///
/// The expression makes a [`Subject`](crate::Subject); each test evaluates it once, on a tokio runtime, and it may
/// await.
///
/// # Examples
///
/// ```
/// mod expired {
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::Subject;
///
///     rrss_testkit::expired_promises!(Subject::new(Memory::default()));
/// }
/// ```
#[macro_export]
macro_rules! expired_promises {
    ($subject:expr $(,)?) => {
        $crate::__expired_promises!(__tests { $subject });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __expired_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            expired $args

            the_note_of_an_expired_session_is_given_with_its_deadline
            the_note_that_was_kept_last_is_given
            a_session_that_was_renewed_is_not_given
            a_session_whose_deadline_moved_closer_is_given
            what_a_past_deadline_ended_is_given
            a_delete_that_is_refused_leaves_the_note
            a_delete_that_comes_too_late_leaves_the_note
            every_expired_session_is_given_a_few_at_a_time
            notes_are_given_in_their_key_space

            a_deleted_session_is_not_given
            a_session_without_a_note_is_not_given
            a_session_that_never_ends_is_not_given
            notes_are_neither_listed_nor_counted
            what_is_too_old_is_dropped

            what_is_taken_is_not_given_again_within_its_lease
            what_is_not_forgotten_is_given_again_after_its_lease
            what_is_forgotten_is_given_no_more
            taking_none_claims_none
            of_many_who_take_at_once_one_is_given_each_note

            an_expired_session_is_told_with_its_handle_and_indexed_fields
            a_session_that_was_ended_or_rotated_is_not_told
            a_session_that_was_touched_is_not_told
            a_listener_that_fails_keeps_nobody_from_being_told
            of_two_stores_that_sweep_at_once_one_tells_of_each_session
        }
    };
}
