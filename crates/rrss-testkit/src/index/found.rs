//! What is found.

use rrss_core::{Deadline, Written};

use super::ask::{Indexed, ann, bob, entry, loaded, names};
use crate::Subject;

/// "What the session is found by after a write."
pub async fn a_session_is_found_by_what_its_create_put(subject: Subject) {
    let index = Indexed::of(subject);
    let written = index.create("one", index.later(), &[ann()]).await;
    assert_eq!(written, Written::Done);
    index.create("none", index.later(), &[]).await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["one"]));
}

/// "What the session is found by after a write": one that replaces, guarded or not.
pub async fn a_session_is_found_by_what_an_update_put(subject: Subject) {
    let index = Indexed::of(subject);
    for name in ["one", "two"] {
        index.create(name, index.later(), &[]).await;
    }
    assert_eq!(index.found_by(&ann(), 10).await, names([]));
    index.update("one", index.later(), &[ann()], &[]).await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["one"]));
    let written = index
        .update_if(
            "two",
            loaded(b"created"),
            b"2",
            index.later(),
            &[ann()],
            &[],
        )
        .await;
    assert_eq!(written, Written::Done);
    assert_eq!(index.found_by(&ann(), 10).await, names(["one", "two"]));
}

/// "The entries that it puts are in the index afterwards, also where they were missing."
pub async fn a_touch_puts_an_entry_that_is_missing(subject: Subject) {
    let index = Indexed::of(subject);
    for (name, deadline) in [("kept", Deadline::Keep), ("moved", index.later())] {
        index.create(name, index.later(), &[]).await;
        assert!(!index.finds(&ann(), name).await);
        assert!(index.touch(name, deadline, &[ann()]).await);
        assert!(index.finds(&ann(), name).await, "{name}");
    }
    index.create("endless", Deadline::Never, &[]).await;
    assert!(index.touch("endless", Deadline::Keep, &[ann()]).await);
    assert!(index.finds(&ann(), "endless").await);
    assert!(!index.touch("nobody", Deadline::Keep, &[ann()]).await);
    assert!(!index.finds(&ann(), "nobody").await);
}

/// A session has an entry for each indexed field.
pub async fn a_session_is_found_by_each_of_its_entries(subject: Subject) {
    let index = Indexed::of(subject);
    let all = [ann(), entry("device", "laptop"), entry("tenant", "shop")];
    index.create("one", index.later(), &all).await;
    index.create("two", index.later(), &all[..2]).await;
    assert_eq!(index.found_by(&all[0], 10).await, names(["one", "two"]));
    assert_eq!(index.found_by(&all[1], 10).await, names(["one", "two"]));
    assert_eq!(index.found_by(&all[2], 10).await, names(["one"]));
}

/// The same value in another field is another entry.
pub async fn one_value_in_two_fields_is_two_entries(subject: Subject) {
    let index = Indexed::of(subject);
    let (user, owner) = (ann(), entry("owner", "ann"));
    index
        .create("one", index.later(), std::slice::from_ref(&user))
        .await;
    assert_eq!(index.found_by(&owner, 10).await, names([]));
    index
        .create("two", index.later(), std::slice::from_ref(&owner))
        .await;
    assert_eq!(index.found_by(&user, 10).await, names(["one"]));
    assert_eq!(index.found_by(&owner, 10).await, names(["two"]));
}

/// "Names the keys that were put into the index under `entry`": all of them, and none of another value's.
pub async fn many_sessions_are_found_by_one_entry(subject: Subject) {
    let index = Indexed::of(subject);
    for name in ["one", "two", "three"] {
        index.create(name, index.later(), &[ann()]).await;
    }
    index.create("four", index.later(), &[bob()]).await;
    let anns = names(["one", "two", "three"]);
    assert_eq!(index.found_by(&ann(), 10).await, anns);
    assert_eq!(index.found_by(&bob(), 10).await, names(["four"]));
}

/// Where there is nothing to name, a find ends: before anything is stored, and after.
pub async fn find_of_what_nobody_has_is_empty(subject: Subject) {
    let index = Indexed::of(subject);
    assert_eq!(index.found_by(&ann(), 10).await, names([]));
    index.create("one", index.later(), &[bob()]).await;
    index.create("two", index.later(), &[]).await;
    assert_eq!(index.found_by(&ann(), 10).await, names([]));
}

/// An entry is that of one store: another whose keys begin otherwise has its own, on the same backend.
pub async fn find_stays_in_its_key_space(subject: Subject) {
    let one = Indexed::in_space(subject.clone(), "s:");
    let other = Indexed::in_space(subject.clone(), "t:");
    let longer = Indexed::in_space(subject, "s:s:");
    one.create("one", one.later(), &[ann()]).await;
    other.create("other", one.later(), &[ann()]).await;
    longer.create("longer", one.later(), &[ann()]).await;
    assert_eq!(one.found_by(&ann(), 10).await, names(["one"]));
    assert_eq!(other.found_by(&ann(), 10).await, names(["other"]));
    assert_eq!(longer.found_by(&ann(), 10).await, names(["longer"]));
}

/// Values that are alike are not the same.
pub async fn find_does_not_tell_keys_by_their_value_alone(subject: Subject) {
    let index = Indexed::of(subject);
    index.create("one", index.later(), &[ann()]).await;
    for other in ["Ann", "an", "anna", "ann ", "a*", "", "ann\0"] {
        let found = index.found_by(&entry("user", other), 10).await;
        assert_eq!(found, names([]), "{other:?}");
    }
    for other in ["User", "use", "user:", "user:ann", "*"] {
        let found = index.found_by(&entry(other, "ann"), 10).await;
        assert_eq!(found, names([]), "{other:?}");
    }
}
