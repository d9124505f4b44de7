//! What a backend that keeps an index promises: one function for each sentence on
//! [`Backend::find`](rrss_core::Backend::find) and [`IndexChanges`](rrss_core::IndexChanges).
//!
//! "An entry may be stale, but never missing for a live session": so what is found may have ended, and what lives is found.
//! Run them all with [`index_promises!`](crate::index_promises), where the backend
//! [keeps an index](rrss_core::Backend::keeps_index).

mod ask;
mod found;
mod pages;
mod races;
mod refused;
mod removed;
mod until;

pub use found::*;
pub use pages::*;
pub use races::*;
pub use refused::*;
pub use removed::*;
pub use until::*;

use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__index_promises!(__values { Subject })
}

/// Makes one test of each promise of [`index`](crate::index). They fail on a backend that keeps no index.
///
/// The expression makes a [`Subject`](crate::Subject); each test evaluates it once, on a tokio runtime, and it may
/// await.
///
/// # Examples
///
/// ```
/// mod index {
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::Subject;
///
///     rrss_testkit::index_promises!(Subject::new(Memory::default()));
/// }
/// ```
#[macro_export]
macro_rules! index_promises {
    ($subject:expr $(,)?) => {
        $crate::__index_promises!(__tests { $subject });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __index_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            index $args

            a_session_is_found_by_what_its_create_put
            a_session_is_found_by_what_an_update_put
            a_session_is_found_by_each_of_its_entries
            one_value_in_two_fields_is_two_entries
            many_sessions_are_found_by_one_entry
            find_of_what_nobody_has_is_empty
            find_stays_in_its_key_space
            find_does_not_tell_keys_by_their_value_alone

            a_session_is_not_found_by_what_an_update_removed
            a_session_is_not_found_by_what_a_delete_removed
            an_update_that_keeps_its_entries_is_found_by_them
            a_touch_puts_an_entry_that_is_missing
            a_key_that_is_created_again_is_found_again

            a_create_that_is_refused_leaves_the_entries
            an_update_that_is_refused_leaves_the_entries
            a_delete_that_is_refused_leaves_the_entries

            a_touch_keeps_a_session_found_past_its_old_deadline
            an_update_keeps_a_session_found_past_its_old_deadline
            a_session_that_never_ends_is_found_for_ever
            one_that_ends_takes_no_other_out_of_the_index
            a_session_past_its_deadline_is_not_found_after_a_sweep
            what_a_past_deadline_ended_is_not_found_after_a_sweep
            an_entry_that_nobody_removed_ends_with_its_deadline

            find_names_every_session_over_its_pages
            find_names_what_is_there_all_the_while
            entries_are_neither_listed_nor_counted

            what_is_created_while_others_find_is_found
            what_is_created_while_others_sweep_is_found
            of_two_updates_at_once_the_winner_is_found
        }
    };
}
