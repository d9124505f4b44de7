//! What is promised by a transform that makes the storage key.
//!
//! Run them with [`key_promises!`](crate::key_promises), beside [`transform_promises!`](crate::transform_promises) and
//! [`round_trip_promises!`](crate::round_trip_promises).

use std::collections::{HashMap, HashSet};

use rrss::{ErrorKind, Handle, Session, SessionId};
use rrss_core::{Action, IndexKey, Operation, Outcome, Timestamp};

use crate::Promise;
use crate::transform::{Place, Shelf, Specimen, ann};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<fn() -> Specimen>> {
    crate::__key_promises!(__values { fn() -> Specimen })
}

/// Makes one test of each promise of [`keys`](crate::keys).
///
/// The expression makes a [`Specimen`](crate::Specimen); a test may evaluate it more than once, for another
/// instance of the same step.
///
/// # Examples
///
/// ```
/// mod keys {
///     use rrss_testkit::Specimen;
///     use rrss_testkit::plain::PlainKeys;
///
///     rrss_testkit::key_promises!(Specimen::new(PlainKeys::SHAPE, PlainKeys::new("test:")));
/// }
/// ```
#[macro_export]
macro_rules! key_promises {
    ($specimen:expr $(,)?) => {
        $crate::__key_promises!(__tests { || $specimen });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __key_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            keys $args

            a_new_session_gets_an_id_of_its_own
            an_id_that_is_given_is_kept
            an_id_has_one_key_and_a_key_one_id
            a_malformed_id_is_missing_and_asks_nobody
            a_malformed_id_for_a_new_session_is_an_error
            listed_keys_become_ids_again_and_others_are_left_out
        }
    };
}

/// A new session without an id gets one that no other has, from every instance.
pub async fn a_new_session_gets_an_id_of_its_own(make: impl Fn() -> Specimen) {
    let mut ids = HashSet::new();
    for _ in 0..4 {
        let specimen = make();
        for _ in 0..250 {
            assert!(ids.insert(specimen.id()), "an id was made twice");
        }
    }
    let lengths: HashSet<usize> = ids.iter().map(|id| id.as_str().len()).collect();
    assert_eq!(lengths.len(), 1, "ids are of one length: {lengths:?}");
    // ASVS 5.0, 7.2.3 asks for 128 random bits; a UUID v4 has 122, which is what 21 characters of base64url need.
    assert!(
        lengths.iter().all(|length| *length >= 21),
        "{lengths:?} is too short"
    );
}

/// A new session that brings an id of the right form is stored under it.
pub async fn an_id_that_is_given_is_kept(make: impl Fn() -> Specimen) {
    let id = make().id();
    let shelf = Shelf::new();
    let store = make().store(Place::KeyMapper, shelf.clone());
    let mut session = Session::with_id(id.clone());
    session.insert("user", "ann").expect("text serialises");
    store
        .save(&mut session)
        .await
        .expect("the id is well-formed");
    assert!(session.id() == Some(&id), "it got another id");
    let loaded = store.load(&id).await.expect("loading works");
    assert!(loaded.is_some());
}

/// Every operation on an id goes to the same key, by every instance; no two ids have one.
pub async fn an_id_has_one_key_and_a_key_one_id(make: impl Fn() -> Specimen) {
    let specimen = make();
    let mut ids = HashMap::new();
    for _ in 0..250 {
        let id = specimen.id();
        let keys: HashSet<String> = [
            Action::Load,
            Action::Create,
            Action::Update,
            Action::Touch,
            Action::Delete,
        ]
        .into_iter()
        .flat_map(|action| {
            [
                key(&specimen, action.clone(), &id),
                key(&make(), action, &id),
            ]
        })
        .collect();
        assert_eq!(keys.len(), 1, "an id has several keys");
        for key in keys {
            assert!(
                ids.insert(key, id.clone()).is_none(),
                "two ids have one key"
            );
        }
    }
}

fn key(specimen: &Specimen, action: Action, id: &SessionId) -> String {
    let mut op = specimen.operation(action, id.clone());
    specimen
        .transform()
        .before(&mut op)
        .expect("the id is well-formed");
    op.key().expect("a key was made").as_str().to_owned()
}

/// "A malformed id never reaches the backend": it is no session.
pub async fn a_malformed_id_is_missing_and_asks_nobody(make: impl Fn() -> Specimen) {
    let shelf = Shelf::new();
    let pipeline = make().pipeline(Place::KeyMapper, shelf.clone());
    for id in malformed(&make().id()) {
        for action in [Action::Load, Action::Update, Action::Touch, Action::Delete] {
            let mut op = make().operation(action.clone(), id.as_str().into());
            let answer = pipeline.run(&mut op).await;
            let outcome = answer.map(|answer| answer.outcome);
            let is_missing = matches!(outcome, Ok(Outcome::Missing));
            assert!(is_missing, "{action:?} of {id:?} is answered {outcome:?}");
            assert!(
                shelf.asked().is_empty(),
                "{action:?} of {id:?} asks the backend"
            );
        }
    }
}

/// A new session that brings a malformed id is not stored where it could never be loaded: the caller is told.
pub async fn a_malformed_id_for_a_new_session_is_an_error(make: impl Fn() -> Specimen) {
    let shelf = Shelf::new();
    let store = make().store(Place::KeyMapper, shelf.clone());
    for id in malformed(&make().id()) {
        let mut session = Session::with_id(id.as_str().into());
        session.insert("user", "ann").expect("text serialises");
        let saved = store.save(&mut session).await;
        let kind = saved.map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Value), "{id:?}");
        assert!(shelf.asked().is_empty(), "{id:?} asks the backend");
    }
}

/// Ids that are not of the form of `good`.
fn malformed(good: &SessionId) -> Vec<String> {
    let good = good.as_str();
    let mut malformed: Vec<String> = ["", " ", "x", "*", "\0", "../../etc/passwd", "☃", "null"]
        .map(str::to_owned)
        .into();
    malformed.extend([
        "x".repeat(100_000),
        "☃".repeat(good.len()),
        " ".repeat(good.len()),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\0"),
        format!("{good}\n"),
        format!("{good}{good}"),
        format!("../{good}"),
        format!("../{}", &good[3..]),
        format!("{}*", &good[1..]),
        format!("{}\0", &good[1..]),
        format!("{} ", &good[1..]),
        good[1..].to_owned(),
    ]);
    malformed
}

/// The keys of sessions lie in the key space, and a listing makes their ids of them; other keys are no sessions.
pub async fn listed_keys_become_ids_again_and_others_are_left_out(make: impl Fn() -> Specimen) {
    let shelf = Shelf::new();
    let store = make().store(Place::KeyMapper, shelf.clone());
    let mut ids = HashSet::new();
    for _ in 0..20 {
        let mut session = ann();
        store.save(&mut session).await.expect("saving works");
        ids.insert(Handle::of(session.id().expect("it was saved")));
    }
    let keys = shelf.keys();
    let now = Timestamp::from_millis(0);
    let entry = IndexKey::of("user", r#""ann""#);
    for action in [
        Action::Count,
        Action::List {
            cursor: None,
            limit: 1,
        },
        Action::Find {
            entry: entry.ok().flatten().expect("text is indexed"),
            cursor: None,
            limit: 1,
        },
    ] {
        let mut op = Operation::new(action, now);
        if make()
            .transform()
            .before(&mut op)
            .is_err_and(|error| error.kind() == ErrorKind::Unsupported)
        {
            // It cannot tell which keys are its own, and a store over it does not list at all.
            let listed = store.list(None, 10).await.map_err(|error| error.kind());
            assert_eq!(listed, Err(ErrorKind::Unsupported));
            return;
        }
        let space = op.key_space().expect("a key space was set").clone();
        for key in &keys {
            assert!(
                space.middle(key).is_some(),
                "a key lies outside of the key space"
            );
        }
        for foreign in ["", "all", "☃", "*"] {
            shelf.put(
                &format!("{}{foreign}{}", space.prefix(), space.suffix()),
                "1".into(),
            );
        }
    }
    shelf.put("foreign", "1".into());
    for key in &keys {
        shelf.put(&format!("{key}:written-at"), "1".into());
        shelf.put(&format!("x{key}"), "1".into());
    }
    let (mut listed, mut cursor) = (HashSet::new(), None);
    loop {
        let page = store.list(cursor, 7).await.expect("listing works");
        listed.extend(page.ids.iter().map(Handle::of));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(
        listed == ids,
        "{} ids are listed in place of {}",
        listed.len(),
        ids.len()
    );
}
