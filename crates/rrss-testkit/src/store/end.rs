//! What touching and deleting promise.

use rrss_core::Timestamp;

use super::ask::{an_hour_from, ann, ann_until, count, dead_id, delete, fields, id, load, loaded};
use crate::Subject;

/// Touch "moves the deadline, never the data".
pub async fn touch_moves_the_deadline_and_never_the_data(subject: Subject) {
    let store = subject.store();
    let (_, deadline, (session, ended, touched)) = subject
        .soon(async |_, deadline| {
            // Without a deadline of its own, which some pipelines let no touch pass.
            let session = ann(&store).await;
            let mut touched = true;
            for deadline in [deadline, an_hour_from(&subject)] {
                let again = store.touch_until(&id(&session), deadline).await;
                touched &= again.expect("touching works");
            }
            let ended = ann(&store).await;
            let again = store.touch_until(&id(&ended), deadline).await;
            touched &= again.expect("touching works");
            (session, ended, touched)
        })
        .await;
    assert!(touched);
    subject.pass(deadline).await;
    assert!(load(&store, &id(&ended)).await.is_none(), "moved earlier");
    let copy = loaded(&store, &id(&session)).await;
    assert_eq!(fields(&copy), fields(&session));
    assert_eq!(copy.created_at(), session.created_at());
}

/// Touch "never creates": not what was deleted, nor what has expired.
pub async fn touch_says_whether_the_session_is_there_and_never_creates(subject: Subject) {
    let store = subject.store();
    let live = id(&ann(&store).await);
    assert!(store.touch(&live).await.expect("touching works"));
    let (_, deadline, session) = subject
        .soon(async |_, deadline| ann_until(&store, deadline).await)
        .await;
    subject.pass(deadline).await;
    let later = an_hour_from(&subject);
    for dead in [dead_id(&store).await, id(&session)] {
        assert!(!store.touch(&dead).await.expect("touching works"));
        let touched = store.touch_until(&dead, later).await;
        assert!(!touched.expect("touching works"));
        assert!(
            load(&store, &dead).await.is_none(),
            "a touch brought it back"
        );
    }
    assert_eq!(count(&store).await, 1);
}

/// `touch_until` with a deadline "in the past ends it at once".
pub async fn touch_until_a_past_deadline_ends_the_session(subject: Subject) {
    let store = subject.store();
    let session = id(&ann(&store).await);
    let past = Timestamp::from_millis(subject.now().as_millis() - 1);
    let touched = store.touch_until(&session, past).await;
    assert!(touched.expect("touching works"), "it was there");
    assert!(load(&store, &session).await.is_none());
    assert_eq!(count(&store).await, 0);
}

/// Delete answers "whether it was there"; "deleting what is not there: fine".
pub async fn delete_says_whether_the_session_was_there(subject: Subject) {
    let store = subject.store();
    let (mine, other) = (id(&ann(&store).await), id(&ann(&store).await));
    assert!(delete(&store, &mine).await);
    assert!(load(&store, &mine).await.is_none());
    assert!(!delete(&store, &mine).await, "it was deleted already");
    assert!(load(&store, &other).await.is_some(), "another session");
}
