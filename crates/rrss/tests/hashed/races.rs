//! Two at once on a session from before ids were hashed, one of them standing still at a call of the backend.

use rrss::{ErrorKind, Saved};
use rrss_test_servers::Flavor;
use rrss_testkit::{Call, Side, Subject};

use crate::support::{Change, cluster, embedded, lives, loaded, memory, redis, redis_hash};

fn subjects() -> [Subject; 5] {
    [
        memory(),
        embedded(),
        redis(Flavor::Redis),
        redis_hash(),
        cluster(),
    ]
}

#[tokio::test]
async fn saves_of_two_copies_keep_both_changes_also_from_a_process_that_does_not_hash() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut one = loaded(&change.after, &id).await;
        let mut two = loaded(&change.before, &id).await;
        one.insert("one", &1).unwrap();
        two.insert("two", &2).unwrap();
        let held = change.gate.hold(Call::Update, Side::Before);
        let (saved, ()) = tokio::join!(change.after.save(&mut one), async {
            let held = held.arrived().await;
            change.before.save(&mut two).await.unwrap();
            held.release();
        });
        // Where fields are kept one by one, two that differ do not meet.
        let expected = match change.subject.keeps_fields() {
            true => Saved::Replaced,
            false => Saved::Merged,
        };
        assert_eq!(saved.unwrap(), expected);
        assert_eq!(loaded(&change.after, &id).await.len(), 3);
        assert_eq!(change.places(&id).await, (true, false));
    }
}

#[tokio::test]
async fn a_delete_before_a_save_reaches_the_backend_leaves_nothing() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut session = loaded(&change.after, &id).await;
        session.insert("late", &true).unwrap();
        let held = change.gate.hold(Call::Update, Side::Before);
        let (saved, ()) = tokio::join!(change.after.save(&mut session), async {
            let held = held.arrived().await;
            assert!(change.after.delete(&id).await.unwrap());
            held.release();
        });
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(change.places(&id).await, (false, false));
        assert!(!lives(&change.after, &id).await);
    }
}

#[tokio::test]
async fn a_delete_before_a_rotation_happens_ends_the_session() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut session = loaded(&change.after, &id).await;
        let held = change.gate.hold(Call::Rotate, Side::Before);
        let (rotated, ()) = tokio::join!(change.after.rotate(&mut session), async {
            let held = held.arrived().await;
            assert!(change.after.delete(&id).await.unwrap());
            held.release();
        });
        assert_eq!(rotated.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(change.after.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn of_two_rotations_one_wins_and_a_save_between_goes_along() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut one = loaded(&change.after, &id).await;
        let mut two = loaded(&change.after, &id).await;
        let mut saver = loaded(&change.before, &id).await;
        saver.insert("late", &true).unwrap();
        let held = change.gate.hold(Call::Rotate, Side::Before);
        let (first, second) = tokio::join!(change.after.rotate(&mut one), async {
            let held = held.arrived().await;
            change.before.save(&mut saver).await.unwrap();
            let second = change.after.rotate(&mut two).await;
            held.release();
            second
        });
        assert_eq!(second.unwrap(), Saved::Merged);
        assert_eq!(first.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(loaded(&change.after, two.id().unwrap()).await.len(), 2);
        assert_eq!(change.after.count().await.unwrap(), 1);
        assert_eq!(change.places(&id).await, (false, false));
    }
}

#[tokio::test]
async fn a_load_between_its_two_looks_finds_no_session_that_was_rotated_away() {
    for subject in subjects() {
        let change = Change::of(subject);
        let id = change.old("ann").await;
        let mut session = loaded(&change.after, &id).await;
        let held = change.gate.hold(Call::Load, Side::After);
        let (found, ()) = tokio::join!(change.after.load(&id), async {
            let held = held.arrived().await;
            change.after.rotate(&mut session).await.unwrap();
            held.release();
        });
        // `Gone`, where the backend remembers that it was rotated away.
        assert!(matches!(found, Ok(None)) || found.is_err_and(|error| error.is_gone()));
        assert!(lives(&change.after, session.id().unwrap()).await);
    }
}
