//! What listing and counting promise.

use std::collections::BTreeSet;

use rrss_core::{Deadline, KeySpace};

use super::ask::MOST_PAGES;
use crate::Subject;

/// "Following `next` from the first page to the last names each key that was there all the while at least once",
/// whatever the limit.
pub async fn list_names_every_key_over_its_pages(subject: Subject) {
    let names: BTreeSet<String> = (0..157).map(|n| format!("key-{n}")).collect();
    for name in &names {
        subject.create(name, b"1", subject.later()).await;
    }
    for limit in [1, 7, 157, 10_000] {
        let listed = subject.names(&subject.key_space(), limit).await;
        assert_eq!(listed, names, "{limit} at a time");
    }
}

/// Keys that others create and delete while a listing goes on, those of the last page among them, take nothing
/// away from the keys that stay.
pub async fn list_names_what_is_there_all_the_while(subject: Subject) {
    let stays: BTreeSet<String> = (0..60).map(|n| format!("stays-{n}")).collect();
    for (n, name) in stays.iter().enumerate() {
        subject.create(name, b"1", subject.later()).await;
        subject
            .create(&format!("goes-{n}"), b"1", subject.later())
            .await;
    }
    let (mut listed, mut cursor) = (BTreeSet::new(), None);
    for round in 0.. {
        assert!(round < MOST_PAGES, "the listing does not end");
        let (page, next) = subject.page(&subject.key_space(), cursor, 5).await;
        for name in page.iter().filter(|name| name.starts_with("goes-")) {
            subject.remove(name).await;
        }
        // Few enough for a listing that meets them to end.
        if round < 20 {
            subject
                .create(&format!("comes-{round}"), b"1", subject.later())
                .await;
        }
        listed.extend(page);
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let missed: Vec<_> = stays.difference(&listed).collect();
    assert!(missed.is_empty(), "not listed: {missed:?}");
}

/// Where there is nothing to name, a listing ends, and a count is nought.
pub async fn list_of_an_empty_key_space_is_empty(subject: Subject) {
    assert_eq!(
        subject.names(&subject.key_space(), 10).await,
        BTreeSet::new()
    );
    assert_eq!(subject.number(&subject.key_space()).await, 0);
    subject.create("elsewhere", b"1", subject.later()).await;
    let empty = KeySpace::new(format!("{}sessions:", subject.prefix()), "");
    assert_eq!(subject.names(&empty, 10).await, BTreeSet::new());
    assert_eq!(subject.number(&empty).await, 0);
}

/// "… and none of another key space": a key belongs to it by its beginning and its end alone.
pub async fn list_and_count_stay_in_their_key_space(subject: Subject) {
    let own = ["s:1:data", "s:2:data", "s::data", "s:a:b:data", "s:é☃:data"];
    let others = [
        "s:1",
        "s:1:dat",
        "s:1:data2",
        "S:1:data",
        "t:1:data",
        "1:data",
        "ss:1:data",
        "s",
        "s:data",
    ];
    for name in own.iter().chain(&others) {
        subject.create(name, b"1", subject.later()).await;
    }
    let space = KeySpace::new(format!("{}s:", subject.prefix()), ":data");
    let listed = subject.names(&space, 2).await;
    assert_eq!(listed, own.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(subject.number(&space).await, own.len() as u64);
}

/// What means something in a pattern means itself in a key space.
pub async fn a_key_space_is_text_and_not_a_pattern(subject: Subject) {
    for (space, own, other) in [
        ("s*:", "s*:1", "sx:1"),
        ("s?:", "s?:1", "sx:1"),
        ("s[ab]:", "s[ab]:1", "sa:1"),
        ("s[^a]:", "s[^a]:1", "sb:1"),
        ("s\\:", "s\\:1", "s:1"),
        ("s.:", "s.:1", "sy:1"),
        ("s%_:", "s%_:1", "sxx:1"),
        ("{s}:", "{s}:1", "{t}:1"),
    ] {
        subject.create(own, b"1", subject.later()).await;
        subject.create(other, b"1", subject.later()).await;
        let space = KeySpace::new(format!("{}{space}", subject.prefix()), "");
        let listed = subject.names(&space, 10).await;
        assert_eq!(listed, [own.to_owned()].into(), "in {space:?}");
        assert_eq!(subject.number(&space).await, 1, "in {space:?}");
    }
    for (suffix, own, other) in [
        ("*", "z1*", "z1x"),
        ("?", "z2?", "z2x"),
        ("\\", "z3\\", "z3"),
    ] {
        subject.create(own, b"1", subject.later()).await;
        subject.create(other, b"1", subject.later()).await;
        let space = KeySpace::new(format!("{}z", subject.prefix()), suffix);
        let listed = subject.names(&space, 10).await;
        assert_eq!(listed, [own.to_owned()].into(), "in {space:?}");
    }
}

/// "… or past its deadline", before any sweep.
pub async fn an_expired_key_is_neither_listed_nor_counted(subject: Subject) {
    subject.create("lives", b"1", subject.later()).await;
    subject.create("endless", b"1", Deadline::Never).await;
    let (_, deadline, _) = subject
        .soon(async |key, deadline| subject.create(key, b"1", Deadline::At(deadline)).await)
        .await;
    subject.pass(deadline).await;
    let lives = ["endless".to_owned(), "lives".to_owned()].into();
    assert_eq!(subject.names(&subject.key_space(), 1).await, lives);
    assert_eq!(subject.names(&subject.key_space(), 10).await, lives);
    assert_eq!(subject.number(&subject.key_space()).await, 2);
}

/// "Counts the live keys": each once, those deleted not at all; exactly, while nobody writes.
pub async fn count_counts_the_live_keys(subject: Subject) {
    let space = subject.key_space();
    for n in 0..25 {
        subject
            .create(&format!("key-{n}"), b"1", subject.later())
            .await;
    }
    assert_eq!(subject.number(&space).await, 25);
    subject.update("key-1", b"2", subject.later()).await;
    subject.renew("key-2", Deadline::Never).await;
    assert_eq!(subject.number(&space).await, 25);
    subject.remove("key-3").await;
    subject.remove("never").await;
    assert_eq!(subject.number(&space).await, 24);
}
