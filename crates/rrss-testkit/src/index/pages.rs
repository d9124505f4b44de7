//! Finding a page at a time.

use std::collections::BTreeSet;

use super::ask::{Indexed, MOST_PAGES, ann, bob, names};
use crate::Subject;

/// "Following `next` from the first page to the last names each live session that has the entry at least once", whatever the
/// limit.
pub async fn find_names_every_session_over_its_pages(subject: Subject) {
    let index = Indexed::of(subject);
    let all: BTreeSet<String> = (0..157).map(Indexed::name).collect();
    for (n, name) in all.iter().enumerate() {
        let put = if n % 2 == 0 {
            vec![ann()]
        } else {
            vec![ann(), bob()]
        };
        index.create(name, index.later(), &put).await;
    }
    for limit in [1, 7, 157, 10_000] {
        assert_eq!(
            index.found_by(&ann(), limit).await,
            all,
            "{limit} at a time"
        );
    }
    assert_eq!(index.found_by(&bob(), 10).await.len(), 78);
}

/// Sessions of the same value that others begin and end meanwhile, those of the last page among them, take nothing away from
/// those that stay.
pub async fn find_names_what_is_there_all_the_while(subject: Subject) {
    let index = Indexed::of(subject);
    let stays: BTreeSet<String> = (0..60).map(|n| format!("k{n:02}-stay")).collect();
    for (n, name) in stays.iter().enumerate() {
        index.create(name, index.later(), &[ann()]).await;
        index
            .create(&format!("k{n:02}-goes"), index.later(), &[ann()])
            .await;
    }
    let (mut found, mut cursor) = (BTreeSet::new(), None);
    for round in 0.. {
        assert!(round < MOST_PAGES, "the find does not end");
        let (page, next) = index.page(&ann(), cursor, 5).await;
        for name in page.iter().filter(|name| name.ends_with("-goes")) {
            index.delete(name, &[ann()]).await;
        }
        // Few enough for a find that meets them again to end.
        if round < 20 {
            index
                .create(&format!("new-{round}"), index.later(), &[ann()])
                .await;
            for name in page.iter().filter(|name| name.ends_with("-stay")) {
                index.touch(name, index.later(), &[ann()]).await;
            }
        }
        found.extend(page);
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let missed: Vec<_> = stays.difference(&found).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// What a backend keeps of the index is no session.
pub async fn entries_are_neither_listed_nor_counted(subject: Subject) {
    let index = Indexed::of(subject.clone());
    for name in ["one", "two"] {
        index.create(name, index.later(), &[ann(), bob()]).await;
    }
    assert_eq!(subject.number(index.space()).await, 2);
    let listed = subject.names(index.space(), 1).await;
    assert_eq!(listed, names(["s:one_____", "s:two_____"]));
}
