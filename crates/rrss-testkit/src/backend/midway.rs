//! What is promised where an operation is dropped midway, and where the backend is only asked whether it is there.

use bytes::Bytes;
use rrss_core::{Action, Payload, Written};

use crate::Subject;
use crate::run::drop_after;

/// Where operations are dropped: after this many polls.
const POLLS: std::ops::Range<usize> = 0..24;

/// A future may be dropped before it is done: the session is then there as a whole or not at all, and the
/// backend goes on working.
pub async fn a_create_dropped_midway_is_whole_or_absent(subject: Subject) {
    let bytes = Bytes::from(vec![7; 20_000]);
    for polls in POLLS {
        let name = format!("dropped-{polls}");
        let mut op = subject.operation(Action::Create, &name);
        op.deadline = subject.later();
        op.payload = Payload::Bytes(bytes.clone());
        let answered = drop_after(polls, subject.run(op)).await;
        let read = subject.read(&name).await;
        let is_whole = read.as_ref() == Some(&bytes);
        assert!(
            read.is_none() || is_whole,
            "after {polls} polls a part is stored"
        );
        if let Some(answer) = answered {
            assert!(
                answer.is_ok() && is_whole,
                "after {polls} polls it was answered"
            );
        }
        let later = format!("later-{polls}");
        let written = subject.create(&later, b"1", subject.later()).await;
        assert_eq!(written, Written::Done, "after one that was dropped");
        assert!(
            subject.read(&later).await.is_some(),
            "after one that was dropped"
        );
    }
}

/// As for a create: what is read is what was there before or what the update stores.
pub async fn an_update_dropped_midway_is_whole_or_absent(subject: Subject) {
    let before = Bytes::from(vec![1; 10_000]);
    let after = Bytes::from(vec![2; 20_000]);
    for polls in POLLS {
        let name = format!("dropped-{polls}");
        subject.create(&name, &before, subject.later()).await;
        let mut op = subject.operation(Action::Update, &name);
        op.deadline = subject.later();
        op.payload = Payload::Bytes(after.clone());
        let answered = drop_after(polls, subject.run(op)).await;
        let read = subject.read(&name).await.expect("an update ends nothing");
        assert!(
            read == before || read == after,
            "after {polls} polls a part is stored"
        );
        if let Some(answer) = answered {
            assert!(
                answer.is_ok() && read == after,
                "after {polls} polls it was answered"
            );
        }
        assert!(
            subject.renew(&name, subject.later()).await,
            "after one that was dropped"
        );
    }
}

/// `ping` "reaches the backend once, to see that it is there", and changes nothing.
pub async fn ping_answers_where_the_backend_is_there(subject: Subject) {
    for _ in 0..2 {
        let ping = rrss_core::Backend::ping(&subject).await;
        assert!(ping.is_ok(), "{ping:?}");
    }
    assert_eq!(subject.number(&subject.key_space()).await, 0);
}

/// `close` "makes what was acknowledged as safe as it can be made": it ends no session, and operations after it
/// still work, since a store says so of its shutdown.
pub async fn close_loses_nothing(subject: Subject) {
    subject.create("key", b"1", subject.later()).await;
    let close = rrss_core::Backend::close(&subject).await;
    assert!(close.is_ok(), "{close:?}");
    assert_eq!(subject.read("key").await.as_deref(), Some(&b"1"[..]));
    assert_eq!(
        subject.update("key", b"2", subject.later()).await,
        Written::Done
    );
    assert!(
        rrss_core::Backend::close(&subject).await.is_ok(),
        "closing twice"
    );
    assert_eq!(subject.read("key").await.as_deref(), Some(&b"2"[..]));
}
