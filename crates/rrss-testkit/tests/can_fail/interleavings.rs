//! Backends with a flaw, under two operations at once.

use rrss_testkit::interleavings;

use crate::backends::subject;
use crate::flaw::Flaw;
use crate::{Case, broken_as_listed, keeps};

/// Which pairs show each flaw.
const BROKEN: &[(Flaw, &[&str])] = &[
    (
        Flaw::Revives,
        &[
            "a_save_and_a_delete",
            "a_save_and_a_rotation",
            "a_save_and_an_expiry",
            "a_delete_and_a_save",
            "a_rotation_and_a_save",
            "an_expiry_and_a_save",
        ],
    ),
    (Flaw::ForgetsWhatWasLoaded, &["a_save_and_a_save"]),
    (
        Flaw::DeletesWhatChanged,
        &["a_save_and_a_rotation", "a_rotation_and_a_save"],
    ),
    (
        Flaw::DeletesWhatIsGone,
        &[
            "a_delete_and_a_rotation",
            "a_rotation_and_a_delete",
            "a_rotation_and_a_rotation",
            "a_rotation_and_an_expiry",
            "an_expiry_and_a_rotation",
        ],
    ),
    (
        Flaw::ForgetsDeletes,
        &[
            "a_load_and_a_delete",
            "a_load_and_a_rotation",
            "a_delete_and_a_load",
            "a_delete_and_a_delete",
            "a_delete_and_a_touch",
            "a_touch_and_a_delete",
            "a_touch_and_a_rotation",
            "a_rotation_and_a_load",
            "a_rotation_and_a_touch",
        ],
    ),
    (
        Flaw::IgnoresDeadlines,
        &[
            "an_expiry_and_a_load",
            "an_expiry_and_a_delete",
            "an_expiry_and_a_touch",
        ],
    ),
    (
        Flaw::TouchDoesNothing,
        &[
            "a_load_and_a_touch",
            "a_save_and_a_touch",
            "a_touch_and_a_load",
            "a_touch_and_a_touch",
        ],
    ),
    (
        Flaw::AnswersEmptyForUnknown,
        &[
            "a_load_and_an_expiry",
            "a_touch_and_an_expiry",
            "an_expiry_and_an_expiry",
        ],
    ),
    (
        Flaw::SaysThatItDeleted,
        &[
            "a_delete_and_a_delete",
            "a_delete_and_an_expiry",
            "an_expiry_and_a_delete",
        ],
    ),
    (Flaw::UpdateLeavesTheDeadline, &["a_touch_and_a_save"]),
    (
        Flaw::RenewsOnRead,
        &["a_load_and_a_load", "a_load_and_a_save"],
    ),
    (Flaw::UpdateAppends, &["a_save_and_a_load"]),
    (Flaw::RevivesExpired, &["an_expiry_and_a_save"]),
];

#[test]
fn a_backend_without_a_flaw_keeps_to_the_table() {
    for promise in interleavings::promises() {
        assert!(
            keeps(&promise, || subject(Flaw::None)),
            "{}",
            promise.name()
        );
    }
}

#[test]
fn every_pair_of_operations_can_be_broken() {
    let cases: Vec<_> = BROKEN
        .iter()
        .map(|(flaw, breaks)| Case::new(flaw, || subject(*flaw), breaks))
        .collect();
    broken_as_listed(&interleavings::promises(), &cases, &[]);
}
