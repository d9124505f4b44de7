//! What a change that is refused leaves: the session lives on, and is found.

use rrss_core::Written;

use super::ask::{Indexed, ann, bob, loaded};
use crate::Subject;

/// A create under a key that is taken takes nothing from the session that has it.
pub async fn a_create_that_is_refused_leaves_the_entries(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    for put in [&[ann()][..], &[bob()], &[]] {
        let written = index.create("one", index.later(), put).await;
        assert_eq!(written, Written::Taken);
        assert!(index.finds(&ann(), "one").await, "{put:?}");
    }
}

/// An update of what has changed meanwhile takes nothing out of the index, though it was to.
pub async fn an_update_that_is_refused_leaves_the_entries(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    let guard = || loaded(b"another");
    for (put, removed) in [
        (&[bob()][..], &[ann()][..]),
        (&[], &[ann()]),
        (&[ann()], &[]),
    ] {
        let written = index
            .update_if("one", guard(), b"late", index.later(), put, removed)
            .await;
        assert_eq!(written, Written::Changed);
        assert!(index.finds(&ann(), "one").await, "{put:?}, {removed:?}");
    }
}

/// A delete of what has changed meanwhile takes nothing out of the index.
pub async fn a_delete_that_is_refused_leaves_the_entries(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    let deleted = index.delete_if("one", loaded(b"another"), &[ann()]).await;
    assert_eq!(deleted, Written::Changed);
    assert!(index.finds(&ann(), "one").await);
}
