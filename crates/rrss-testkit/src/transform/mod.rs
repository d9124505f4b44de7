//! What every transform promises, whatever it does.
//!
//! Run them all with [`transform_promises!`](crate::transform_promises). Most transforms give back on a load what they
//! took on a save: hold them to [`round_trip`](crate::round_trip) as well; those that make the storage key, to
//! [`keys`](crate::keys).

mod corpus;
mod down;
mod shelf;
mod specimen;
mod stored;

pub use self::corpus::sessions;
pub(crate) use self::corpus::{ann, garbage};
pub use self::down::*;
pub(crate) use self::shelf::Shelf;
pub(crate) use self::specimen::Place;
pub use self::specimen::Specimen;
pub use self::stored::*;
use crate::Promise;

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<fn() -> Specimen>> {
    crate::__transform_promises!(__values { fn() -> Specimen })
}

/// Makes one test of each promise of [`transform`](crate::transform).
///
/// The expression makes a [`Specimen`](crate::Specimen); a test may evaluate it more than once, for another
/// instance of the same step.
///
/// # Examples
///
/// ```
/// mod transform {
///     use rrss_testkit::Specimen;
///     use rrss_testkit::plain::PlainJson;
///
///     rrss_testkit::transform_promises!(Specimen::new(PlainJson::SHAPE, PlainJson));
/// }
/// ```
#[macro_export]
macro_rules! transform_promises {
    ($specimen:expr $(,)?) => {
        $crate::__transform_promises!(__tests { || $specimen });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __transform_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            transform $args

            what_carries_no_session_goes_down_without_one
            list_count_and_sweep_pass
            an_answer_without_a_session_passes
            the_same_operation_twice_asks_for_the_same
            the_guard_arrives_as_it_was_set
            only_a_step_that_says_so_makes_keys
            only_a_step_that_says_so_sets_deadlines
            deadlines_go_by_the_time_of_the_operation
            foreign_bytes_are_corrupt_or_pass_and_stay_as_they_are
            no_error_shows_an_id_a_key_or_a_value
        }
    };
}
