//! What is promised of the deadline that a caller gives a session, and of its times.

use std::time::Duration;

use rrss::{Saved, Session, Store};

use super::ask::{an_hour_from, ann, ann_until, fields, id, load, loaded};
use crate::Subject;

async fn save_with(store: &Store, session: &mut Session, name: &str) -> rrss::Result<Saved> {
    session.insert(name, &true).expect("true serialises");
    store.save(session).await
}

/// "It stays with the session, through later saves and rotations": in place of those that others choose, a touch among them.
pub async fn a_deadline_of_its_own_stays_through_saves_and_rotations(subject: Subject) {
    let store = subject.store();
    let (_, deadline, sessions) = subject
        .soon(async |_, deadline| {
            let later = an_hour_from(&subject);
            let saved = ann_until(&store, deadline).await;
            let rotated = ann_until(&store, deadline).await;
            // They may have ended on a slow machine; then this is done again.
            let mut ids = Vec::new();
            for (session, rotates) in [(saved, false), (rotated, true)] {
                store
                    .touch_until(&id(&session), later)
                    .await
                    .expect("touching works");
                let Some(mut copy) = load(&store, &id(&session)).await else {
                    continue;
                };
                let kept = copy.own_deadline();
                let saved = if rotates {
                    store.rotate(&mut copy).await
                } else {
                    save_with(&store, &mut copy, "theme").await
                };
                ids.push((copy, kept, saved.map_err(|error| error.kind())));
            }
            ids
        })
        .await;
    assert_eq!(sessions.len(), 2, "they were loaded before their deadline");
    subject.pass(deadline).await;
    for (session, kept, saved) in sessions {
        assert_eq!(kept, Some(deadline), "a load tells it");
        assert!(saved.is_ok(), "{saved:?}");
        assert_eq!(session.own_deadline(), Some(deadline));
        assert!(load(&store, &id(&session)).await.is_none(), "it lives on");
    }
}

/// Two copies, of which one is given a deadline and one a field: both survive.
pub async fn a_deadline_of_its_own_survives_the_save_of_another(subject: Subject) {
    let store = subject.store();
    let deadline = an_hour_from(&subject);
    for is_first in [true, false] {
        let ann = ann(&store).await;
        let mut kept = loaded(&store, &id(&ann)).await;
        let mut other = loaded(&store, &id(&ann)).await;
        kept.set_expires_at(deadline);
        if is_first {
            store.save(&mut kept).await.expect("it saves");
        }
        save_with(&store, &mut other, "theme")
            .await
            .expect("it saves");
        if !is_first {
            store.save(&mut kept).await.expect("it saves");
        }
        let stored = loaded(&store, &id(&ann)).await;
        assert_eq!(stored.own_deadline(), Some(deadline), "first: {is_first}");
        assert!(stored.contains_key("theme"), "first: {is_first}");
    }
}

/// A deadline is given "from the next save on", and a save is all that it needs; the same one again is no change.
pub async fn a_deadline_alone_is_a_change_that_is_saved(subject: Subject) {
    let store = subject.store();
    let ann = ann(&store).await;
    let (_, deadline, (saved, again)) = subject
        .soon(async |_, deadline| {
            let mut copy = loaded(&store, &id(&ann)).await;
            copy.set_expires_at(deadline);
            let is_modified = copy.is_modified();
            let saved = store.save(&mut copy).await.map_err(|error| error.kind());
            copy.set_expires_at(deadline);
            (
                (saved, is_modified),
                (copy.is_modified(), copy.expires_at()),
            )
        })
        .await;
    assert_eq!(saved, (Ok(Saved::Replaced), true));
    assert_eq!(again, (false, Some(deadline)));
    subject.pass(deadline).await;
    assert!(load(&store, &id(&ann)).await.is_none(), "it lives on");
}

/// "Leaves the deadline to the `expiry` step again, from the next save on"; where there is none, to who moves it.
pub async fn a_deadline_that_is_given_up_ends_the_session_no_more(subject: Subject) {
    let store = subject.store();
    let (_, deadline, session) = subject
        .soon(async |_, deadline| {
            let mut session = ann_until(&store, deadline).await;
            session.clear_expires_at();
            let is_modified = session.is_modified();
            let first = store.save(&mut session).await.is_ok();
            if !store.pipeline().sets_deadlines() {
                let later = an_hour_from(&subject);
                store
                    .touch_until(&id(&session), later)
                    .await
                    .expect("touching works");
            }
            let second = save_with(&store, &mut session, "theme").await.is_ok();
            (session, [is_modified, first, second])
        })
        .await;
    let (session, did) = session;
    assert_eq!(did, [true, true, true], "a change, a save and another save");
    subject.pass(deadline).await;
    let stored = loaded(&store, &id(&session)).await;
    assert_eq!(stored.own_deadline(), None);
    assert_eq!(fields(&stored), fields(&session));
}

/// `written_at` is "when it was last saved", and `created_at` "when it was first stored".
pub async fn a_save_moves_the_time_of_the_last_write_alone(subject: Subject) {
    let store = subject.store();
    let ann = ann(&store).await;
    let mut before = loaded(&store, &id(&ann)).await;
    let created_at = before.created_at().expect("the stored form tells");
    assert!(before.written_at().expect("it tells") >= created_at);
    for round in 0..3 {
        subject.advance(Duration::from_millis(5)).await;
        let began = subject.now();
        let mut copy = before.clone();
        save_with(&store, &mut copy, &format!("round-{round}"))
            .await
            .expect("it saves");
        let after = loaded(&store, &id(&ann)).await;
        let written_at = after.written_at().expect("the stored form tells");
        assert!(began <= written_at && written_at <= subject.now());
        assert_eq!(after.created_at(), Some(created_at));
        // Reading and touching write nothing.
        subject.advance(Duration::from_millis(5)).await;
        store.touch(&id(&ann)).await.expect("touching works");
        let again = loaded(&store, &id(&ann)).await;
        assert_eq!(again.written_at(), Some(written_at));
        before = again;
    }
}
