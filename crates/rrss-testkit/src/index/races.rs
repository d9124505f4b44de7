//! "Never missing for a live session": not even while others look, sweep, or write the same session.

use rrss_core::{Guard, Written};

use super::ask::{Indexed, bob, entry, loaded};
use crate::Subject;
use crate::run::contest;

/// A find that meets an entry whose session is not there yet does not take it away.
pub async fn what_is_created_while_others_find_is_found(subject: Subject) {
    let index = Indexed::of(subject);
    let finding = index.clone();
    let find = move |key: String| {
        let index = finding.clone();
        async move {
            index.found_by(&entry("race", &key), 10).await;
        }
    };
    is_found_when_created_while(index, find).await;
}

/// A sweep that meets an entry whose session is not there yet does not take it away.
pub async fn what_is_created_while_others_sweep_is_found(subject: Subject) {
    let index = Indexed::of(subject);
    let sweeping = index.clone();
    let sweep = move |_| {
        let index = sweeping.clone();
        async move {
            index.subject.swept(10).await;
        }
    };
    is_found_when_created_while(index, sweep).await;
}

async fn is_found_when_created_while<P>(
    index: Indexed,
    other: impl Fn(String) -> P + Send + 'static,
) where
    P: Future<Output = ()> + Send + 'static,
{
    let creating = index.clone();
    let create = move |key: String| {
        let index = creating.clone();
        async move {
            let put = [entry("race", &key)];
            let written = index.create(&short(&key), index.later(), &put).await;
            assert_eq!(written, Written::Done);
            // It has been answered, so whoever looks from now on finds it.
            index.finds(&put[0], &short(&key)).await
        }
    };
    for (key, is_found, ()) in contest(async |_| {}, create, other).await {
        assert!(is_found, "it was created, and not found");
        let is_found = index.finds(&entry("race", &key), &short(&key)).await;
        assert!(is_found, "it was found, and then was not");
    }
}

/// Of two updates of one session at once, the one that is refused takes nothing from the one that is done: not what both
/// put, nor what only the winner did.
pub async fn of_two_updates_at_once_the_winner_is_found(subject: Subject) {
    let index = Indexed::of(subject);
    let prepare = async |key: &str| {
        index.create(&short(key), index.later(), &[bob()]).await;
    };
    let update = |own: &'static str| {
        let index = index.clone();
        move |key: String| {
            let index = index.clone();
            async move {
                let put = [entry("race", &key), entry(own, &key)];
                let guard: Guard = loaded(b"created");
                let (name, later) = (short(&key), index.later());
                index
                    .update_if(&name, guard, own.as_bytes(), later, &put, &[bob()])
                    .await
            }
        }
    };
    for (key, one, other) in contest(prepare, update("one"), update("other")).await {
        let winner = match (one, other) {
            (Written::Done, Written::Changed) => "one",
            (Written::Changed, Written::Done) => "other",
            both => panic!("two updates of the same bytes were answered {both:?}"),
        };
        for field in ["race", winner] {
            let is_found = index.finds(&entry(field, &key), &short(&key)).await;
            assert!(is_found, "the winner is not found by its field `{field}`");
        }
    }
}

/// The name of a contest is too long for a key of this suite.
fn short(key: &str) -> String {
    key.replace("race-", "k")
}
