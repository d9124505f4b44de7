//! What comes of every two operations on one session at once: one table, and a test of each pair.
//!
//! Two copies of one session are loaded. The first operation begins, and is held at a call of the backend; the second comes
//! and runs to its end; then the first goes on. What both answered, and what is stored, is compared with [`TABLE`]. No time
//! is measured: a [`Gate`](crate::Gate) holds the first where it is to be held.
//!
//! Run them all with [`interleaving_promises!`](crate::interleaving_promises). The steps above the backend are those of the
//! subject; the table holds for all that leave a session the deadline that its caller gave it.

mod act;
mod markdown;
mod pair;
mod table;
mod words;

pub use self::markdown::markdown;
pub use self::table::{FIELD_BY_FIELD, OTHERWISE, TABLE, WITHOUT_TIMES};
pub use self::words::{Act, Left, Row, Says, Until, When, Who};
use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__interleaving_promises!(__values { Subject })
}

/// Makes one test of each ordered pair of operations of [`interleavings`](crate::interleavings).
///
/// The expression makes a [`Subject`](crate::Subject); each test evaluates it once, on a tokio runtime, and it may
/// await.
///
/// # Examples
///
/// ```
/// mod interleavings {
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::Subject;
///
///     rrss_testkit::interleaving_promises!(Subject::new(Memory::default()));
/// }
/// ```
#[macro_export]
macro_rules! interleaving_promises {
    ($subject:expr $(,)?) => {
        $crate::__interleaving_promises!(__tests { $subject });
    };
}

/// Names every pair once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __interleaving_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            interleavings $args

            a_load_and_a_load
            a_load_and_a_save
            a_load_and_a_delete
            a_load_and_a_touch
            a_load_and_a_rotation
            a_load_and_an_expiry

            a_save_and_a_load
            a_save_and_a_save
            a_save_and_a_delete
            a_save_and_a_touch
            a_save_and_a_rotation
            a_save_and_an_expiry

            a_delete_and_a_load
            a_delete_and_a_save
            a_delete_and_a_delete
            a_delete_and_a_touch
            a_delete_and_a_rotation
            a_delete_and_an_expiry

            a_touch_and_a_load
            a_touch_and_a_save
            a_touch_and_a_delete
            a_touch_and_a_touch
            a_touch_and_a_rotation
            a_touch_and_an_expiry

            a_rotation_and_a_load
            a_rotation_and_a_save
            a_rotation_and_a_delete
            a_rotation_and_a_touch
            a_rotation_and_a_rotation
            a_rotation_and_an_expiry

            an_expiry_and_a_load
            an_expiry_and_a_save
            an_expiry_and_a_delete
            an_expiry_and_a_touch
            an_expiry_and_a_rotation
            an_expiry_and_an_expiry
        }
    };
}

macro_rules! pairs {
    ($($name:ident: $first:ident, $second:ident;)*) => {
        $(
            #[doc = concat!("What [`TABLE`] says where the first is `", stringify!($first), "` and the second `", stringify!($second), "`.")]
            pub async fn $name(subject: Subject) {
                pair::keeps_to_the_table(&subject, Act::$first, Act::$second).await;
            }
        )*
    };
}

pairs! {
    a_load_and_a_load: Load, Load;
    a_load_and_a_save: Load, Save;
    a_load_and_a_delete: Load, Delete;
    a_load_and_a_touch: Load, Touch;
    a_load_and_a_rotation: Load, Rotate;
    a_load_and_an_expiry: Load, Expire;
    a_save_and_a_load: Save, Load;
    a_save_and_a_save: Save, Save;
    a_save_and_a_delete: Save, Delete;
    a_save_and_a_touch: Save, Touch;
    a_save_and_a_rotation: Save, Rotate;
    a_save_and_an_expiry: Save, Expire;
    a_delete_and_a_load: Delete, Load;
    a_delete_and_a_save: Delete, Save;
    a_delete_and_a_delete: Delete, Delete;
    a_delete_and_a_touch: Delete, Touch;
    a_delete_and_a_rotation: Delete, Rotate;
    a_delete_and_an_expiry: Delete, Expire;
    a_touch_and_a_load: Touch, Load;
    a_touch_and_a_save: Touch, Save;
    a_touch_and_a_delete: Touch, Delete;
    a_touch_and_a_touch: Touch, Touch;
    a_touch_and_a_rotation: Touch, Rotate;
    a_touch_and_an_expiry: Touch, Expire;
    a_rotation_and_a_load: Rotate, Load;
    a_rotation_and_a_save: Rotate, Save;
    a_rotation_and_a_delete: Rotate, Delete;
    a_rotation_and_a_touch: Rotate, Touch;
    a_rotation_and_a_rotation: Rotate, Rotate;
    a_rotation_and_an_expiry: Rotate, Expire;
    an_expiry_and_a_load: Expire, Load;
    an_expiry_and_a_save: Expire, Save;
    an_expiry_and_a_delete: Expire, Delete;
    an_expiry_and_a_touch: Expire, Touch;
    an_expiry_and_a_rotation: Expire, Rotate;
    an_expiry_and_an_expiry: Expire, Expire;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_pair_once_at_each_point() {
        for first in Act::ALL {
            for second in Act::ALL {
                let rows = TABLE
                    .iter()
                    .filter(|row| row.first == first && row.second == second);
                let points: Vec<When> = rows.map(|row| row.when).collect();
                assert_eq!(points, When::points_of(first), "{first}, {second}");
            }
        }
    }

    #[test]
    fn what_is_otherwise_is_otherwise() {
        for row in WITHOUT_TIMES {
            assert!(!TABLE.contains(row), "{row:?}");
        }
        for (policy, row) in OTHERWISE.iter().chain(FIELD_BY_FIELD) {
            assert!(!TABLE.contains(row), "{policy:?}: {row:?}");
            assert!(row.first.writes() && row.second.writes(), "{row:?}");
        }
    }

    #[test]
    fn nothing_that_was_answered_as_saved_is_lost_where_conflicts_are_merged() {
        for row in TABLE {
            let (Left::Old(saved, _) | Left::New(_, saved, _)) = row.left else {
                continue;
            };
            for (who, says) in [(Who::First, row.first_says), (Who::Second, row.second_says)] {
                let is_saved = matches!(says, Says::Replaced | Says::Merged);
                assert_eq!(saved.contains(&who), is_saved, "{row:?}");
            }
        }
    }
}
