//! Until when something is found.

use std::time::Duration;

use rrss_core::{Deadline, Timestamp};

use super::ask::{Indexed, ann, bob, loaded, names};
use crate::Subject;

/// A session is found "until its deadline": a touch that moves the one moves the other.
pub async fn a_touch_keeps_a_session_found_past_its_old_deadline(subject: Subject) {
    let index = Indexed::of(subject.clone());
    let (_, deadline, touched) = subject
        .soon(async |key, deadline| {
            index.create(key, Deadline::At(deadline), &[ann()]).await;
            let never = format!("{key}n");
            index.create(&never, Deadline::At(deadline), &[ann()]).await;
            let touched = [
                index.touch(key, index.later(), &[ann()]).await,
                index.touch(&never, Deadline::Never, &[ann()]).await,
            ];
            (key.to_owned(), never, touched)
        })
        .await;
    let (key, never, touched) = touched;
    assert_eq!(touched, [true, true]);
    subject.pass(deadline).await;
    index.sweep().await;
    let found = index.found_by(&ann(), 10).await;
    assert!(found.contains(&key) && found.contains(&never), "{found:?}");
    assert!(index.touch(&key, Deadline::Keep, &[ann()]).await);
    index.sweep().await;
    assert!(index.finds(&ann(), &key).await, "a touch that keeps it");
}

/// As a touch does, an update moves both; and one that keeps the deadline keeps both.
pub async fn an_update_keeps_a_session_found_past_its_old_deadline(subject: Subject) {
    let index = Indexed::of(subject.clone());
    index.create("kept", index.later(), &[ann()]).await;
    index.create("endless", Deadline::Never, &[ann()]).await;
    let (key, deadline, _) = subject
        .soon(async |key, deadline| {
            index.create(key, Deadline::At(deadline), &[ann()]).await;
            index.update(key, index.later(), &[ann()], &[]).await
        })
        .await;
    for name in ["kept", "endless"] {
        index.update(name, Deadline::Keep, &[ann()], &[]).await;
        index
            .update_if(
                name,
                loaded(b"updated"),
                b"again",
                Deadline::Keep,
                &[ann(), bob()],
                &[],
            )
            .await;
    }
    subject.pass(deadline).await;
    index.sweep().await;
    for name in ["kept", "endless", &key] {
        assert!(index.finds(&ann(), name).await, "{name}");
    }
    for name in ["kept", "endless"] {
        assert!(index.finds(&bob(), name).await, "{name}");
    }
}

/// Entries of sessions without a deadline have none.
pub async fn a_session_that_never_ends_is_found_for_ever(subject: Subject) {
    let index = Indexed::of(subject.clone());
    index.create("never", Deadline::Never, &[ann()]).await;
    index.create("kept", Deadline::Keep, &[ann()]).await;
    let (_, deadline, _) = subject
        .soon(async |key, deadline| {
            index.create(key, Deadline::At(deadline), &[ann()]).await;
        })
        .await;
    subject.pass(deadline).await;
    if !subject.is_real_time() {
        subject
            .advance(Duration::from_secs(100 * 365 * 24 * 3600))
            .await;
    }
    index.sweep().await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["kept", "never"]));
}

/// Sessions of one value end one by one, whichever came first.
pub async fn one_that_ends_takes_no_other_out_of_the_index(subject: Subject) {
    let index = Indexed::of(subject.clone());
    index.create("first", index.later(), &[ann()]).await;
    let (_, deadline, _) = subject
        .soon(async |key, deadline| {
            index.create(key, Deadline::At(deadline), &[ann()]).await;
        })
        .await;
    index.create("last", index.later(), &[ann()]).await;
    subject.pass(deadline).await;
    index.sweep().await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["first", "last"]));
}

/// "Those past their deadline are not named for longer than until the next sweep." An entry that was put with several deadlines
/// may stay until the latest of them: a backend that puts it before the session's own write cannot know that it may end
/// earlier.
pub async fn a_session_past_its_deadline_is_not_found_after_a_sweep(subject: Subject) {
    let index = Indexed::of(subject.clone());
    let latest = |deadline| deadline + Duration::from_millis(50);
    let (_, deadline, ()) = subject
        .soon(async |key, deadline| {
            let (earlier, later) = (Deadline::At(deadline), Deadline::At(latest(deadline)));
            index.create(key, earlier, &[ann(), bob()]).await;
            let [updated, touched] = ["u", "t"].map(|end| format!("{key}{end}"));
            index.create(&updated, later, &[ann()]).await;
            index.update(&updated, earlier, &[ann()], &[]).await;
            index.create(&touched, later, &[ann()]).await;
            index.touch(&touched, earlier, &[ann()]).await;
        })
        .await;
    subject.pass(deadline).await;
    index.sweep().await;
    assert_eq!(index.found_by(&bob(), 10).await, names([]));
    subject.pass(latest(deadline)).await;
    index.sweep().await;
    assert_eq!(index.found_by(&ann(), 10).await, names([]));
}

/// A write or a touch whose deadline is past ends the session; its entries do not stay behind.
pub async fn what_a_past_deadline_ended_is_not_found_after_a_sweep(subject: Subject) {
    let index = Indexed::of(subject.clone());
    let past = Deadline::At(Timestamp::from_millis(subject.now().as_millis() - 1));
    for name in ["updated", "touched"] {
        index.create(name, index.later(), &[ann()]).await;
    }
    index.create("created", past, &[ann()]).await;
    index.update("updated", past, &[ann()], &[]).await;
    index.touch("touched", past, &[ann()]).await;
    index.create("lives", index.later(), &[ann()]).await;
    index.sweep().await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["lives"]));
}

/// A session that could not be read is deleted by its key alone: its entry goes when its deadline comes, at the latest.
pub async fn an_entry_that_nobody_removed_ends_with_its_deadline(subject: Subject) {
    let index = Indexed::of(subject.clone());
    index.create("lives", index.later(), &[ann()]).await;
    let (_, deadline, _) = subject
        .soon(async |key, deadline| {
            index.create(key, Deadline::At(deadline), &[ann()]).await;
            index.delete(key, &[]).await;
        })
        .await;
    subject.pass(deadline).await;
    index.sweep().await;
    assert_eq!(index.found_by(&ann(), 10).await, names(["lives"]));
}
