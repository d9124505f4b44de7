//! What is promised by a transform that gives back on a load what it took on a save, as a codec, a compression or an
//! encryption does, and every step that leaves the data alone.
//!
//! Run them with [`round_trip_promises!`](crate::round_trip_promises). A step that changes what is stored, such as one that
//! leaves out a field, does not keep them, and is not held to them.

use std::collections::BTreeMap;

use bytes::Bytes;
use rrss::{Error, ErrorKind, Saved, Session, SessionId, Store};
use rrss_core::{Action, Answer, Operation, Outcome, Payload};
use serde_json::Value;

use crate::Promise;
use crate::run::joined;
use crate::transform::{Shelf, Specimen, sessions};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<fn() -> Specimen>> {
    crate::__round_trip_promises!(__values { fn() -> Specimen })
}

/// Makes one test of each promise of [`round_trip`](crate::round_trip).
///
/// The expression makes a [`Specimen`](crate::Specimen); a test may evaluate it more than once, for another
/// instance of the same step.
///
/// # Examples
///
/// ```
/// mod round_trip {
///     use rrss_testkit::Specimen;
///     use rrss_testkit::plain::PlainJson;
///
///     rrss_testkit::round_trip_promises!(Specimen::new(PlainJson::SHAPE, PlainJson));
/// }
/// ```
#[macro_export]
macro_rules! round_trip_promises {
    ($specimen:expr $(,)?) => {
        $crate::__round_trip_promises!(__tests { || $specimen });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __round_trip_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            round_trip $args

            what_was_saved_is_loaded
            what_is_saved_again_is_loaded
            what_one_instance_saved_another_loads
            the_same_session_saved_twice_is_the_same
            many_threads_at_once_load_what_they_saved
            cut_bytes_are_corrupt_and_stay_as_they_are
            damaged_bytes_are_corrupt_or_a_session
        }
    };
}

/// Every session comes back with its fields, their values and the instant of its creation.
pub async fn what_was_saved_is_loaded(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let store = make().store(place, Shelf::new());
        for mut session in sessions() {
            let id = saved(&store, &mut session).await;
            assert_same(&loaded(&store, &id).await, &session);
        }
    }
}

/// A session that was loaded, changed and saved comes back with its changes; one without fields, too.
pub async fn what_is_saved_again_is_loaded(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let store = make().store(place, Shelf::new());
        for mut session in sessions() {
            let id = saved(&store, &mut session).await;
            let mut again = loaded(&store, &id).await;
            again
                .insert("comes", &"ü".repeat(600))
                .expect("text serialises");
            let first = again.keys().next().expect("there is a field").to_owned();
            again.insert(&first, &Value::Null).expect("null serialises");
            store.save(&mut again).await.expect("saving works");
            assert_same(&loaded(&store, &id).await, &again);

            again.clear();
            store.save(&mut again).await.expect("saving works");
            let empty = loaded(&store, &id).await;
            assert!(empty.is_empty());
            assert_eq!(empty.created_at(), session.created_at());
        }
    }
}

/// Another instance of the step with the same options, as after a restart or in another process, reads it.
pub async fn what_one_instance_saved_another_loads(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let shelf = Shelf::new();
        for mut session in sessions() {
            let store = make().store(place, shelf.clone());
            let id = saved(&store, &mut session).await;
            let other = make().store(place, shelf.clone());
            assert_same(&loaded(&other, &id).await, &session);
        }
    }
}

/// "Transforms are pure": a session that goes down twice, as when it is tried again, is the same session both times.
pub async fn the_same_session_saved_twice_is_the_same(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let shelf = Shelf::new();
        let store = make().store(place, shelf.clone());
        for session in sessions() {
            let mut loaded_back = Vec::new();
            for _ in 0..2 {
                let mut session = session.clone();
                let id = saved(&store, &mut session).await;
                loaded_back.push(fields(&loaded(&store, &id).await));
            }
            assert_eq!(loaded_back[0], loaded_back[1]);
        }
    }
    // The very same operation, at the step itself.
    let specimen = make();
    for action in [Action::Create, Action::Update] {
        let op = specimen.operation(action, specimen.id());
        let came_back = [op.clone(), op].map(|mut op| {
            specimen.transform().before(&mut op).expect("it goes down");
            let mut load = Operation::new(Action::Load, op.now());
            load.key.clone_from(&op.key);
            let mut answer = Answer::new(Outcome::Found);
            answer.payload = op.payload;
            let after = specimen.transform().after(&load, &mut answer);
            after.expect("it comes back");
            match answer.payload {
                Payload::Bytes(bytes) => format!("{bytes:?}"),
                Payload::Session(session) => format!("{:?}", fields(&session)),
                _ => panic!("nothing came back"),
            }
        });
        assert!(came_back[0] == came_back[1], "what came back differs");
    }
}

/// One instance serves many threads: none meets what another left behind.
pub async fn many_threads_at_once_load_what_they_saved(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let store = make().store(place, Shelf::new());
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    for mut session in sessions() {
                        let id = saved(&store, &mut session).await;
                        assert_same(&loaded(&store, &id).await, &session);
                    }
                })
            })
            .collect();
        for task in tasks {
            joined(task).await;
        }
    }
}

/// Stored bytes that are cut short, anywhere, are an error of kind `Corrupt`: never a panic, never another session,
/// never an empty one. They stay as they are.
pub async fn cut_bytes_are_corrupt_and_stay_as_they_are(make: impl Fn() -> Specimen) {
    for place in make().places() {
        for mut session in sessions() {
            let shelf = Shelf::new();
            let store = make().store(place, shelf.clone());
            let id = saved(&store, &mut session).await;
            let whole = shelf.only();
            for length in some_of(whole.len()) {
                let cut = whole.slice(..length);
                shelf.replace_all(&cut);
                let loaded = store.load(&id).await;
                let kind = loaded.as_ref().err().map(Error::kind);
                assert_eq!(
                    kind,
                    Some(ErrorKind::Corrupt),
                    "{length} of {} bytes",
                    whole.len()
                );
                assert_eq!(shelf.only(), cut, "they stay as they are");
            }
        }
    }
}

/// Stored bytes with a byte changed are an error of kind `Corrupt`, or where that cannot be seen, a session.
pub async fn damaged_bytes_are_corrupt_or_a_session(make: impl Fn() -> Specimen) {
    let mut refused = 0;
    for place in make().places() {
        for mut session in sessions() {
            let shelf = Shelf::new();
            let store = make().store(place, shelf.clone());
            let id = saved(&store, &mut session).await;
            let whole = shelf.only();
            for at in some_of(whole.len()) {
                for change in [0x01, 0x80, 0xff] {
                    let mut damaged = whole.to_vec();
                    damaged[at] ^= change;
                    let damaged = Bytes::from(damaged);
                    shelf.replace_all(&damaged);
                    match store.load(&id).await {
                        Ok(session) => assert!(session.is_some(), "it is there"),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
                            refused += 1;
                        }
                    }
                    assert_eq!(shelf.only(), damaged, "they stay as they are");
                }
            }
        }
    }
    assert!(refused > 0, "no damage was seen");
}

/// Every place in a few bytes, and some sixty in many: the first, the last and those between at even steps.
fn some_of(length: usize) -> impl Iterator<Item = usize> {
    let step = (length / 30).max(1);
    let ends = (0..length.min(16)).chain(length.saturating_sub(16)..length);
    ends.chain((0..length).step_by(step))
}

/// Saves a session, one without fields as well: it is stored with a field first, which is then removed.
async fn saved(store: &Store, session: &mut Session) -> SessionId {
    let is_empty = session.is_empty();
    if is_empty {
        session.insert("first", &1).expect("it serialises");
    }
    let created = store.save(session).await.expect("creating works");
    assert_eq!(created, Saved::Created);
    if is_empty {
        session.clear();
        store.save(session).await.expect("saving works");
    }
    session.id().expect("it was saved").clone()
}

async fn loaded(store: &Store, id: &SessionId) -> Session {
    let session = store.load(id).await.expect("loading works");
    session.expect("it was saved")
}

#[track_caller]
fn assert_same(loaded: &Session, saved: &Session) {
    assert_eq!(fields(loaded), fields(saved));
    assert_eq!(loaded.created_at(), saved.created_at());
}

fn fields(session: &Session) -> BTreeMap<String, Value> {
    let fields = session.iter_raw().map(|(name, raw)| {
        let value = serde_json::from_str(raw).expect("a field of a session is JSON");
        (name.to_owned(), value)
    });
    fields.collect()
}
