//! What a load promises.

use std::time::Duration;

use bytes::Bytes;
use rrss_core::{Deadline, Written};

use crate::Subject;

/// "It answers the bytes exactly as they were written": none, every byte there is, a large session; under keys
/// of any text.
pub async fn load_answers_the_bytes_exactly_as_written(subject: Subject) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..300_000_usize).map(|n| (n * 31 % 251) as u8).collect();
    let frame = b"\x28\xb5\x2f\xfd\0\0{}\r\n".to_vec();
    for (at, bytes) in [Vec::new(), every_byte, large, frame].iter().enumerate() {
        let name = format!("bytes-{at}");
        let written = subject.create(&name, bytes, subject.later()).await;
        assert_eq!(written, Written::Done);
        let read = subject.read(&name).await;
        assert!(
            read.as_ref().is_some_and(|read| read == bytes),
            "{} bytes were written, and {:?} read",
            bytes.len(),
            read.map(|read| read.len())
        );
    }
    for name in [
        "a b",
        "a\0b",
        "a\r\nb",
        "*",
        "[a]?\\",
        "{a}",
        "é☃🦀",
        "../a",
        "a:b",
    ] {
        let bytes = name.as_bytes();
        let written = subject.create(name, bytes, subject.later()).await;
        assert_eq!(written, Written::Done, "under {name:?}");
        assert_eq!(
            subject.read(name).await.as_deref(),
            Some(bytes),
            "under {name:?}"
        );
    }
}

/// "It answers `None` for a key that was never written".
pub async fn load_of_a_key_never_written_answers_none(subject: Subject) {
    assert_eq!(subject.read("never").await, None);
    subject.create("other", b"1", subject.later()).await;
    assert_eq!(subject.read("never").await, None);
}

/// "It answers `None` for a key … that was deleted".
pub async fn load_of_a_deleted_key_answers_none(subject: Subject) {
    subject.create("key", b"1", subject.later()).await;
    assert_eq!(subject.read("key").await, Some(Bytes::from_static(b"1")));
    subject.remove("key").await;
    assert_eq!(subject.read("key").await, None);
}

/// "It answers `None` for a key … whose deadline is not after `Operation::now`", with no sweep in between.
pub async fn load_of_a_key_past_its_deadline_answers_none(subject: Subject) {
    let (key, deadline, read) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.read(key).await
        })
        .await;
    assert_eq!(read.as_deref(), Some(&b"1"[..]));
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await, None);
}

/// "Reading changes nothing": neither the bytes nor the deadline.
pub async fn load_changes_nothing(subject: Subject) {
    let (key, deadline, reads) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            [
                subject.record(key).await,
                subject.record(key).await,
                subject.record(key).await,
            ]
        })
        .await;
    assert!(reads[0].is_some(), "what was written is read");
    assert!(reads.iter().all(|read| *read == reads[0]), "{reads:?}");
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await, None, "reading must not renew");
}

/// [`Record::expires_at`](rrss_core::Record::expires_at) is "the deadline, where reading told it": the right one
/// or none.
pub async fn load_tells_the_deadline_or_nothing(subject: Subject) {
    let Deadline::At(later) = subject.later() else {
        unreachable!("a later deadline is an instant");
    };
    subject.create("ends", b"1", Deadline::At(later)).await;
    let (_, told) = subject.record("ends").await.expect("it is live");
    assert!(
        told.is_none_or(|told| told == later),
        "{told:?} for {later:?}"
    );

    subject.create("stays", b"1", Deadline::Never).await;
    let (_, told) = subject.record("stays").await.expect("it is live");
    assert_eq!(told, None);

    subject.update("ends", b"2", Deadline::Never).await;
    let (_, told) = subject.record("ends").await.expect("it is live");
    assert_eq!(told, None);
}

/// With `Operation::wants_deadline` "a load must tell the deadline": to the millisecond, whatever set it last.
pub async fn load_that_wants_the_deadline_tells_it_exactly(subject: Subject) {
    let hour = subject.now() + Duration::from_secs(3600);
    let at = |millis: u64| hour + Duration::from_millis(millis);
    subject.create("key", b"1", Deadline::At(at(1))).await;
    assert_eq!(subject.deadline("key").await, Some(at(1)), "created");
    subject.update("key", b"2", Deadline::At(at(999))).await;
    assert_eq!(subject.deadline("key").await, Some(at(999)), "updated");
    subject.renew("key", Deadline::At(at(250))).await;
    assert_eq!(subject.deadline("key").await, Some(at(250)), "touched");
    subject.update("key", b"3", Deadline::Keep).await;
    assert_eq!(subject.deadline("key").await, Some(at(250)), "kept");
    subject
        .replace("key", b"3", b"4", Deadline::At(at(7)))
        .await;
    assert_eq!(subject.deadline("key").await, Some(at(7)), "replaced");
    subject.replace("key", b"4", b"5", Deadline::Keep).await;
    assert_eq!(subject.deadline("key").await, Some(at(7)), "kept again");
}

/// A session that never ends by itself has none to tell.
pub async fn load_that_wants_the_deadline_tells_none_where_there_is_none(subject: Subject) {
    subject.create("never", b"1", Deadline::Never).await;
    assert_eq!(subject.deadline("never").await, None);
    subject.create("kept", b"1", Deadline::Keep).await;
    assert_eq!(subject.deadline("kept").await, None);
    for name in ["updated", "touched"] {
        subject.create(name, b"1", subject.later()).await;
        assert!(subject.deadline(name).await.is_some(), "{name}");
    }
    subject.update("updated", b"2", Deadline::Never).await;
    assert_eq!(subject.deadline("updated").await, None);
    subject.renew("touched", Deadline::Never).await;
    assert_eq!(subject.deadline("touched").await, None);
}

/// A key is what was written under it and no other text: not in another case, not without its spaces, not a
/// part of it, not what it would match as a pattern.
pub async fn keys_match_exactly(subject: Subject) {
    subject.create("Key", b"1", subject.later()).await;
    for other in [
        "key",
        "KEY",
        "Key ",
        " Key",
        "Ke",
        "Keys",
        "K*",
        "K?y",
        "Key\0",
        "Ke\u{301}y",
    ] {
        assert_eq!(subject.read(other).await, None, "{other:?}");
        assert!(!subject.renew(other, subject.later()).await, "{other:?}");
        assert!(!subject.remove(other).await, "{other:?}");
        let written = subject.update(other, b"2", subject.later()).await;
        assert_eq!(written, Written::Gone, "{other:?}");
    }
    assert_eq!(subject.read("Key").await.as_deref(), Some(&b"1"[..]));
}
