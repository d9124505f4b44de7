//! What a [`Store`](rrss::Store) with an `index` step promises: to find sessions by a field, to end them, and to bound how many
//! there are.
//!
//! Run them all with [`find_promises!`](crate::find_promises), where the backend
//! [keeps an index](rrss_core::Backend::keeps_index). The steps above the backend are plain ones, unless the subject
//! [has others](crate::Subject::with_indexed_steps).

mod ask;
mod found;
mod limit;
mod revoke;

pub use found::*;
pub use limit::*;
pub use revoke::*;

use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__find_promises!(__values { Subject })
}

/// Makes one test of each promise of [`find`](crate::find). They fail on a backend that keeps no index.
///
/// The expression makes a [`Subject`](crate::Subject); each test evaluates it once, on a tokio runtime, and it may
/// await.
///
/// # Examples
///
/// ```
/// mod find {
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::Subject;
///
///     rrss_testkit::find_promises!(Subject::new(Memory::default()));
/// }
/// ```
#[macro_export]
macro_rules! find_promises {
    ($subject:expr $(,)?) => {
        $crate::__find_promises!(__tests { $subject });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __find_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            find $args

            find_names_the_sessions_of_a_value_over_its_pages
            numbers_and_their_text_are_one_value
            a_save_that_leaves_the_value_leaves_the_session_found
            a_changed_value_moves_the_session
            a_removed_value_takes_the_session_out
            a_deleted_session_is_not_found
            an_expired_session_is_not_found
            a_touched_session_is_found_past_its_old_deadline
            the_index_follows_a_rotation
            what_a_refused_save_left_in_the_index_is_not_found
            what_is_found_tells_its_times_and_hides_its_id
            an_unindexed_field_is_unsupported
            a_value_that_cannot_be_indexed_is_refused_and_not_stored

            revoke_ends_every_session_of_the_value_and_says_how_many
            after_revoke_nothing_brings_a_session_back
            revoke_others_keeps_the_one_that_asks
            revoke_one_ends_the_session_with_that_handle
            revoke_one_ends_none_of_another_value
            revoke_ends_what_is_rotated_meanwhile
            revoke_ends_what_is_saved_meanwhile

            one_session_too_many_ends_the_oldest
            one_session_too_many_is_refused_where_the_limit_rejects
            a_save_that_adds_no_value_ends_nobody
            sessions_that_have_ended_take_up_no_room
            of_many_logins_at_once_no_more_than_the_limit_stay
        }
    };
}
