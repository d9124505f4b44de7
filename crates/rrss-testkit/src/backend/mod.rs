//! What every backend promises: one function for each sentence of [`Backend`](rrss_core::Backend)'s documentation.
//!
//! Run them all with [`backend_promises!`](crate::backend_promises). Each panics where the promise is broken.

mod ask;
mod create;
mod delete;
mod list;
mod load;
mod midway;
mod sweep;
mod touch;
mod unchanged;
mod update;

pub use create::*;
pub use delete::*;
pub use list::*;
pub use load::*;
pub use midway::*;
pub use sweep::*;
pub use touch::*;
pub use unchanged::*;
pub use update::*;

use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__backend_promises!(__values { Subject })
}

/// Makes one test of each promise of [`backend`](crate::backend).
///
/// The expression makes a [`Subject`](crate::Subject); each test evaluates it once, on a tokio runtime, and it may
/// await.
///
/// # Examples
///
/// ```
/// mod backend {
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::Subject;
///
///     rrss_testkit::backend_promises!(Subject::new(Memory::default()));
/// }
/// ```
#[macro_export]
macro_rules! backend_promises {
    ($subject:expr $(,)?) => {
        $crate::__backend_promises!(__tests { $subject });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            backend $args

            load_answers_the_bytes_exactly_as_written
            load_of_a_key_never_written_answers_none
            load_of_a_deleted_key_answers_none
            load_of_a_key_past_its_deadline_answers_none
            load_changes_nothing
            load_tells_the_deadline_or_nothing
            load_that_wants_the_deadline_tells_it_exactly
            load_that_wants_the_deadline_tells_none_where_there_is_none
            keys_match_exactly

            create_under_a_taken_key_answers_taken_and_changes_nothing
            create_under_a_deleted_key_is_done
            create_under_an_expired_key_is_done
            of_two_creates_at_once_exactly_one_is_done
            create_that_keeps_the_deadline_has_none
            create_without_a_deadline_never_ends
            create_with_a_past_deadline_is_done_and_stores_nothing
            create_under_a_taken_key_answers_taken_whatever_its_deadline

            update_replaces_the_bytes
            update_of_a_key_never_written_answers_gone_and_stores_nothing
            update_of_a_deleted_key_answers_gone_and_stores_nothing
            update_of_an_expired_key_answers_gone_and_stores_nothing
            update_that_keeps_the_deadline_leaves_it
            update_moves_the_deadline_later
            update_moves_the_deadline_earlier
            update_without_a_deadline_never_ends
            update_with_a_past_deadline_is_done_and_removes
            update_of_a_missing_key_answers_gone_whatever_its_deadline
            an_update_and_a_delete_at_once_leave_nothing
            updates_at_once_are_never_mixed

            update_of_what_was_loaded_is_done
            update_of_what_has_changed_is_refused_and_stores_nothing
            update_of_what_was_loaded_and_is_gone_is_refused_and_stores_nothing
            update_of_what_was_loaded_minds_the_deadline
            of_two_updates_of_the_same_bytes_exactly_one_is_done

            touch_moves_the_deadline_later
            touch_moves_the_deadline_earlier
            touch_without_a_deadline_never_ends
            touch_never_creates
            touch_never_changes_the_bytes
            touch_that_keeps_the_deadline_says_whether_it_is_there
            touch_with_a_past_deadline_answers_true_and_removes
            a_touch_and_a_delete_at_once_leave_nothing
            sub_second_deadlines_hold

            delete_says_whether_a_live_session_was_there
            delete_removes_no_other_key
            of_two_deletes_at_once_exactly_one_answers_true

            delete_of_what_was_loaded_removes_it
            delete_of_what_has_changed_is_refused_and_leaves_it
            delete_of_what_was_loaded_and_is_gone_is_refused
            of_an_update_and_a_delete_of_the_same_bytes_exactly_one_is_done
            of_two_deletes_of_the_same_bytes_exactly_one_is_done

            list_names_every_key_over_its_pages
            list_names_what_is_there_all_the_while
            list_of_an_empty_key_space_is_empty
            list_and_count_stay_in_their_key_space
            a_key_space_is_text_and_not_a_pattern
            an_expired_key_is_neither_listed_nor_counted
            count_counts_the_live_keys

            sweep_removes_what_is_past_its_deadline_and_says_how_many
            sweep_leaves_what_is_live
            sweep_removes_at_most_its_limit
            sweep_never_removes_what_was_renewed
            sweep_does_not_count_what_is_gone_already
            two_sweeps_at_once_remove_each_once
            a_sweep_and_a_touch_at_once_agree

            a_create_dropped_midway_is_whole_or_absent
            an_update_dropped_midway_is_whole_or_absent
            ping_answers_where_the_backend_is_there
            close_loses_nothing
        }
    };
}
