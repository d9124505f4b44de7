//! Sessions from before ids were hashed: one key all their life, until the date.

use rrss::core::IdDigest;
use rrss::{ErrorKind, Saved, Session, SessionId};
use rrss_test_servers::Flavor;
use rrss_testkit::Subject;

use crate::support::{
    Change, HOUR, cluster, embedded, lives, loaded, login, memory, redis, redis_hash,
};

fn subjects() -> [Subject; 6] {
    [
        memory(),
        embedded(),
        redis(Flavor::Redis),
        redis(Flavor::Valkey),
        redis_hash(),
        cluster(),
    ]
}

#[tokio::test]
async fn an_old_session_is_read_and_saved_under_the_one_key_that_it_has() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut session = loaded(&change.after, &id).await;
        assert_eq!(session.id(), Some(&id));
        session.insert("seen", &true).unwrap();
        assert_eq!(
            change.after.save(&mut session).await.unwrap(),
            Saved::Replaced
        );
        assert!(change.after.touch(&id).await.unwrap());
        assert_eq!(change.places(&id).await, (true, false));
        // A process that does not hash yet has the same session.
        assert_eq!(loaded(&change.before, &id).await.len(), 2);
    }
}

#[tokio::test]
async fn a_new_session_has_a_hashed_key_alone() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = login(&change.after, "ann").await;
        assert_eq!(change.places(&id).await, (false, true));
        assert!(!lives(&change.before, &id).await);
    }
}

#[tokio::test]
async fn a_new_id_moves_an_old_session_to_a_hashed_key() {
    for subject in subjects() {
        let change = Change::of(subject);
        let old = change.old("ann").await;
        let mut session = loaded(&change.after, &old).await;
        change.after.rotate(&mut session).await.unwrap();
        let new = session.id().unwrap().clone();
        assert_eq!(change.places(&old).await, (false, false));
        assert_eq!(change.places(&new).await, (false, true));
        assert!(!lives(&change.after, &old).await);
        assert_eq!(loaded(&change.after, &new).await.len(), 1);
    }
}

#[tokio::test]
async fn a_deleted_or_revoked_old_session_is_gone_from_both_places() {
    for subject in subjects() {
        let change = Change::of(subject);
        let (deleted, revoked) = (change.old("ann").await, change.old("bob").await);
        let mut late = loaded(&change.after, &deleted).await;
        assert!(change.after.delete(&deleted).await.unwrap());
        assert!(!change.after.delete(&deleted).await.unwrap());
        if change.subject.keeps_fields() {
            assert!(change.after.delete(&revoked).await.unwrap());
        } else {
            assert_eq!(change.after.revoke("user", "bob").await.unwrap(), 1);
        }
        for id in [&deleted, &revoked] {
            assert_eq!(change.places(id).await, (false, false));
            assert!(!change.after.touch(id).await.unwrap());
        }
        late.insert("late", &true).unwrap();
        let saved = change.after.save(&mut late).await;
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(change.places(&deleted).await, (false, false));
    }
}

#[tokio::test]
async fn after_the_date_an_old_session_is_not_found_and_nothing_brings_it_back() {
    for subject in [memory(), embedded()] {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut session = loaded(&change.after, &id).await;
        change.clock.advance(HOUR);
        assert!(!lives(&change.after, &id).await);
        assert!(!change.after.touch(&id).await.unwrap());
        assert!(!change.after.delete(&id).await.unwrap());
        assert_eq!(change.after.count().await.unwrap(), 0);
        assert!(change.after.list(None, 10).await.unwrap().ids.is_empty());
        session.insert("late", &true).unwrap();
        let saved = change.after.save(&mut session).await;
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(change.places(&id).await, (true, false));
    }
}

#[tokio::test]
async fn no_session_is_created_under_the_id_of_an_old_one() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut other = Session::with_id(id.clone());
        other.insert("user", "eve").unwrap();
        let saved = change.after.save(&mut other).await;
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(change.places(&id).await, (true, false));

        let mut session = loaded(&change.after, &login(&change.after, "bob").await).await;
        let rotated = change.after.rotate_to(&mut session, id.clone()).await;
        assert_eq!(rotated.unwrap_err().kind(), ErrorKind::Conflict);
        let user: Option<String> = loaded(&change.after, &id).await.get("user").unwrap();
        assert_eq!(user.as_deref(), Some("ann"));
    }
}

#[tokio::test]
async fn a_name_that_is_stored_is_no_id_while_raw_keys_are_accepted_either() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = login(&change.after, "ann").await;
        let name = IdDigest::of(id.as_str()).name();
        for text in [&*name, &name["sha256:".len()..]] {
            assert!(!lives(&change.after, &SessionId::from(text)).await);
        }
    }
}
