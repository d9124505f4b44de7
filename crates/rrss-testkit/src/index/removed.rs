//! What is not found any more.

use rrss_core::Written;

use super::ask::{Indexed, ann, bob, entry, names};
use crate::Subject;

/// "What it is not found by any more, once the operation is done": the session moves from one value to another.
pub async fn a_session_is_not_found_by_what_an_update_removed(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    index.create("two", index.later(), &[ann()]).await;
    index.update("one", index.later(), &[bob()], &[ann()]).await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["two"]));
    assert_eq!(index.found_by(&bob(), 10).await, names(["one"]));
    index.update("one", index.later(), &[], &[bob()]).await;
    assert_eq!(index.found_by(&bob(), 10).await, names([]));
}

/// "What it is not found by any more, once the operation is done": the session has ended, in each of its fields.
pub async fn a_session_is_not_found_by_what_a_delete_removed(subject: Subject) {
    let index = Indexed::of(subject);
    let device = entry("device", "laptop");
    let both = [ann(), device.clone()];
    index.create("one", index.later(), &both).await;
    index.create("two", index.later(), &both).await;
    assert_eq!(index.delete("one", &both).await, Written::Done);
    assert_eq!(index.found_by(&ann(), 10).await, names(["two"]));
    assert_eq!(index.found_by(&device, 10).await, names(["two"]));
}

/// An update that puts what is there already changes nothing in the index; nor does removing what is not there.
pub async fn an_update_that_keeps_its_entries_is_found_by_them(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    for _ in 0..3 {
        index.update("one", index.later(), &[ann()], &[bob()]).await;
        assert_eq!(index.found_by(&ann(), 10).await, names(["one"]));
        assert_eq!(index.found_by(&bob(), 10).await, names([]));
    }
}

/// A key that was deleted, or has expired, is found by the entries of the session that has it now.
pub async fn a_key_that_is_created_again_is_found_again(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    index.delete("one", &[ann()]).await;
    index.create("one", index.later(), &[ann()]).await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["one"]));
    index.delete("one", &[ann()]).await;
    index.create("one", index.later(), &[bob()]).await;
    assert_eq!(index.found_by(&ann(), 10).await, names([]));
    index.sweep().await;
    assert_eq!(index.found_by(&bob(), 10).await, names(["one"]));
}
