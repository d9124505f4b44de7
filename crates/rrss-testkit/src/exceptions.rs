//! Which promises some backends cannot keep, each with the reason: one list.
//!
//! A test of a promise that is listed for its subject fails where the promise is kept all the same: so the list is never
//! longer than it must be.

use std::cell::Cell;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::run::block_on;
use crate::{Specimen, Subject};

/// What a backend is without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// It keeps the fields of sessions, and no bytes.
    Bytes,
    /// It stores of a session its fields and when it ends, and nothing else.
    Times,
}

/// Promises to stores that cannot be kept: what the backend is without, the name of the promise, and the reason.
pub const EXCEPTIONS: &[(Lack, &str, &str)] = &[
    (
        Lack::Bytes,
        "what_is_no_session_is_corrupt_and_stays_as_it_is",
        "a session is no bytes that could be damaged; a key of another type is `Corrupt`",
    ),
    (
        Lack::Times,
        "save_of_a_new_session_stores_it_under_a_fresh_id",
        "no creation time is stored",
    ),
    (
        Lack::Times,
        "save_leaves_the_creation_time",
        "no creation time is stored",
    ),
    (
        Lack::Times,
        "rotate_gives_a_new_id_with_the_same_data_and_creation_time",
        "no creation time is stored",
    ),
    (
        Lack::Times,
        "touch_moves_the_deadline_and_never_the_data",
        "no creation time is stored",
    ),
    (
        Lack::Times,
        "an_emptied_session_is_stored_empty",
        "a hash without entries is no hash, so the session ends",
    ),
    (
        Lack::Times,
        "a_deadline_of_its_own_stays_through_saves_and_rotations",
        "no deadline of its own is stored, only when the session ends",
    ),
    (
        Lack::Times,
        "a_deadline_of_its_own_survives_the_save_of_another",
        "no deadline of its own is stored, only when the session ends",
    ),
    (
        Lack::Times,
        "a_save_moves_the_time_of_the_last_write_alone",
        "no time of the last write is stored, only when the session ends",
    ),
];

/// Suites that are not for every backend: the suite, the backends, and the reason.
const SUITES: &[[&str; 3]] = &[
    [
        "`backend_promises!`",
        "that keep fields",
        "its sentences are of bytes",
    ],
    [
        "`index_promises!`, `find_promises!`, `expired_promises!`",
        "that keep fields",
        "they keep no index and no notes; a pipeline with an `index` step above them is refused when it is built",
    ],
    [
        "all, on a Cluster",
        "that keep no times",
        "`sessions:all` is one key for all sessions, so `compat` goes with one server only",
    ],
];

impl Lack {
    fn is_of(self, subject: &Subject) -> bool {
        match self {
            Self::Bytes => subject.keeps_fields(),
            Self::Times => !subject.keeps_times(),
        }
    }
}

/// What promises are held by, and which of them it cannot keep.
#[doc(hidden)]
pub trait Held {
    /// The reason why it cannot keep the promise of this name; `None` where it must.
    fn exception(&self, promise: &str) -> Option<&'static str>;
}

impl Held for Subject {
    fn exception(&self, promise: &str) -> Option<&'static str> {
        let excepted = |(lack, name, _): &&(Lack, &str, &str)| *name == promise && lack.is_of(self);
        EXCEPTIONS
            .iter()
            .find(excepted)
            .map(|(_, _, reason)| *reason)
    }
}

impl Held for Specimen {
    fn exception(&self, _: &str) -> Option<&'static str> {
        None
    }
}

/// Makes as many as a promise needs.
impl<T, F: Fn() -> T> Held for F {
    fn exception(&self, _: &str) -> Option<&'static str> {
        None
    }
}

#[doc(hidden)]
pub fn hold<T: Held, P: Future<Output = ()>>(
    name: &str,
    make: impl Future<Output = T>,
    promise: impl FnOnce(T) -> P,
) {
    let exception = Cell::new(None);
    let check = || {
        block_on(async {
            let held = make.await;
            exception.set(held.exception(name));
            promise(held).await;
        });
    };
    let kept = catch_unwind(AssertUnwindSafe(check));
    match (kept, exception.get()) {
        (Ok(()), None) | (Err(_), Some(_)) => {}
        (Err(broken), None) => resume_unwind(broken),
        (Ok(()), Some(reason)) => {
            panic!("{name} is listed as impossible to keep, since {reason}; but it is kept")
        }
    }
}

/// The list in Markdown, for the documentation.
///
/// # Examples
///
/// ```
/// let list = rrss_testkit::exceptions::markdown();
/// assert!(list.contains("`save_leaves_the_creation_time`"));
/// ```
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "## What some backends cannot promise\n\n\
         Backends that keep fields: `redis` with `layout = \"hash\"`. Those that keep no times: the same with \
         `compat = \"rrss-0.2\"`. All promises of the suites but these are held by all backends; a test fails where one \
         of these is kept all the same.\n\n\
         | promise | not by backends | since |\n\
         |---|---|---|\n",
    );
    for (lack, name, reason) in EXCEPTIONS {
        let backends = match lack {
            Lack::Bytes => "that keep fields",
            Lack::Times => "that keep no times",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "| `{name}` | {backends} | {reason} |");
    }
    text.push_str("\n| suite | not for backends | since |\n|---|---|---|\n");
    for [suite, backends, reason] in SUITES {
        let _ = writeln!(text, "| {suite} | {backends} | {reason} |");
    }
    text
}
