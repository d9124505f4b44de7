//! Transforms with a flaw.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Answer, Around, Clock, Deadline, Error, ErrorKind, FnTransform, Guard, Next, Operation,
    Outcome, Payload, Result, Session, SessionId, StorageKey, SystemClock, Transform,
};
use rrss_testkit::plain::{PlainJson, PlainKeys};

/// A codec that does something else besides.
pub(crate) struct Codec<B, A> {
    before: B,
    after: A,
}

impl<B, A> Codec<B, A>
where
    B: Fn(&mut Operation) -> Result<()> + Send + Sync + 'static,
    A: Fn(&Operation, &mut Answer, Result<()>) -> Result<()> + Send + Sync + 'static,
{
    /// `before` sees the bytes that go down, `after` what became of those that came back.
    fn new(before: B, after: A) -> Self {
        Self { before, after }
    }
}

impl<B, A> Transform for Codec<B, A>
where
    B: Fn(&mut Operation) -> Result<()> + Send + Sync + 'static,
    A: Fn(&Operation, &mut Answer, Result<()>) -> Result<()> + Send + Sync + 'static,
{
    fn before(&self, op: &mut Operation) -> Result<()> {
        PlainJson.before(op)?;
        (self.before)(op)
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        let read = PlainJson.after(op, answer);
        (self.after)(op, answer, read)
    }
}

fn nothing(_: &mut Operation) -> Result<()> {
    Ok(())
}

fn as_it_is(_: &Operation, _: &mut Answer, read: Result<()>) -> Result<()> {
    read
}

/// A step that does this on the way down, and nothing else.
fn before(hook: impl Fn(&mut Operation) -> Result<()> + Send + Sync + 'static) -> impl Transform {
    FnTransform::new(hook, |_: &Operation, _: &mut Answer| Ok(()))
}

pub(crate) fn puts_payloads() -> impl Transform {
    before(|op| {
        op.payload = Payload::Session(Session::new());
        Ok(())
    })
}

pub(crate) fn knows_one_session_only() -> impl Transform {
    before(|op| match op.id() {
        Some(_) => Ok(()),
        None => Err(Error::new(
            ErrorKind::Unsupported,
            "this is not on one session",
        )),
    })
}

pub(crate) fn changes_counts() -> impl Transform {
    FnTransform::new(nothing, |_: &Operation, answer: &mut Answer| {
        if let Outcome::Count(count) = &mut answer.outcome {
            *count += 1;
        }
        Ok(())
    })
}

pub(crate) fn expects_a_session() -> impl Transform {
    FnTransform::new(nothing, |_: &Operation, answer: &mut Answer| {
        answer
            .session()
            .map(|_| ())
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "there is no session"))
    })
}

pub(crate) fn remembers() -> impl Transform {
    let seen = AtomicU64::new(0);
    before(move |op| {
        let seen = seen.fetch_add(1, Ordering::Relaxed);
        op.deadline = Deadline::At(op.now() + Duration::from_secs(seen));
        Ok(())
    })
}

pub(crate) fn drops_the_guard() -> impl Transform {
    before(|op| {
        op.guard = Guard::Absent;
        Ok(())
    })
}

pub(crate) fn makes_keys() -> impl Transform {
    before(|op| {
        op.key = Some(StorageKey::from("one for all".to_owned()));
        Ok(())
    })
}

pub(crate) fn sets_deadlines() -> impl Transform {
    before(|op| {
        op.deadline = Deadline::At(op.now() + Duration::from_secs(60));
        Ok(())
    })
}

pub(crate) fn forgets_deadlines() -> impl Transform {
    before(|op| {
        op.deadline = Deadline::Keep;
        Ok(())
    })
}

pub(crate) fn ends_updates_soon() -> impl Transform {
    before(|op| {
        if *op.action() == Action::Update {
            op.deadline = Deadline::At(op.now() + Duration::from_secs(1));
        }
        Ok(())
    })
}

/// A codec that tells of each session that it was written when it is read.
pub(crate) fn writes_with_another_clock() -> impl Transform {
    Codec::new(
        nothing,
        |op: &Operation, answer: &mut Answer, read: Result<()>| {
            if let Some(session) = answer.session_mut() {
                *session = session.clone().with_written_at(Some(op.now()));
            }
            read
        },
    )
}

pub(crate) fn asks_the_machine_for_the_time() -> impl Transform {
    before(|op| {
        op.deadline = Deadline::At(SystemClock.now());
        Ok(())
    })
}

pub(crate) fn shows_a_field_that_is_not_stored() -> impl Transform {
    FnTransform::new(nothing, |_: &Operation, answer: &mut Answer| {
        answer
            .session_mut()
            .map_or(Ok(()), |session| session.insert("seen", &true))
    })
}

pub(crate) fn hides_what_fails() -> impl Transform {
    Codec::new(
        nothing,
        |_: &Operation, answer: &mut Answer, read: Result<()>| {
            if read.is_err() {
                answer.payload = Payload::Session(Session::new());
            }
            Ok(())
        },
    )
}

pub(crate) fn panics_where_it_fails() -> impl Transform {
    Codec::new(
        nothing,
        |_: &Operation, _: &mut Answer, read: Result<()>| read.map_err(|error| panic!("{error}")),
    )
}

pub(crate) fn blames_the_value() -> impl Transform {
    Codec::new(
        nothing,
        |_: &Operation, _: &mut Answer, read: Result<()>| {
            read.map_err(|error| {
                Error::new(ErrorKind::Value, "it is no session").with_source(error)
            })
        },
    )
}

pub(crate) fn quotes_what_it_read() -> impl Transform {
    let quoting = |answer: &mut Answer| match answer.take_bytes() {
        Some(bytes) => Session::from_json(bytes.clone(), Some("$"))
            .map(drop)
            .map_err(|error| {
                let quoted = String::from_utf8_lossy(&bytes).into_owned();
                Error::new(error.kind(), "it is no session")
                    .with_source(std::io::Error::other(quoted))
            }),
        None => Ok(()),
    };
    FnTransform::new(
        |op: &mut Operation| PlainJson.before(op),
        move |op: &Operation, answer: &mut Answer| {
            quoting(&mut answer.clone())?;
            PlainJson.after(op, answer)
        },
    )
}

pub(crate) fn loses_a_field() -> impl Transform {
    before(|op| {
        if let Some(session) = op.session_mut() {
            let last = session.keys().last().map(str::to_owned);
            last.map(|last| session.remove(&last));
        }
        Ok(())
    })
}

pub(crate) fn loses_a_field_of_updates() -> impl Transform {
    before(|op| {
        if *op.action() == Action::Update
            && let Some(session) = op.session_mut()
        {
            session.remove("comes");
            session.remove("changes");
        }
        Ok(())
    })
}

pub(crate) fn forgets_the_creation() -> impl Transform {
    before(|op| {
        if let Some(session) = op.session_mut() {
            *session = session.clone().with_created_at(None);
        }
        Ok(())
    })
}

pub(crate) fn leaves_out_every_second() -> impl Transform {
    let seen = AtomicU64::new(0);
    before(move |op| {
        let is_second = seen.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        if is_second && let Some(session) = op.session_mut() {
            session.clear();
        }
        Ok(())
    })
}

/// An encryption whose key nobody else has.
pub(crate) fn has_a_key_of_its_own() -> impl Transform {
    let key = (PlainKeys::random_id().as_str().as_bytes()[0] % 2) + next() as u8;
    let turn = move |bytes: &Bytes| bytes.iter().map(|byte| byte ^ key).collect::<Bytes>();
    FnTransform::new(
        move |op: &mut Operation| {
            if let Payload::Bytes(bytes) = &op.payload {
                op.payload = Payload::Bytes(turn(bytes));
            }
            Ok(())
        },
        move |_: &Operation, answer: &mut Answer| {
            if let Payload::Bytes(bytes) = &answer.payload {
                answer.payload = Payload::Bytes(turn(bytes));
            }
            Ok(())
        },
    )
}

/// Another even number at each call.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed) * 2
}

/// A codec that all threads write with into one buffer.
pub(crate) fn shares_a_buffer() -> impl Transform {
    let buffer = Mutex::new(Bytes::new());
    let write = move |op: &mut Operation| {
        if let Payload::Bytes(bytes) = &op.payload {
            *buffer.lock().expect("nothing panics here") = bytes.clone();
            std::thread::sleep(Duration::from_micros(100));
            op.payload = Payload::Bytes(buffer.lock().expect("nothing panics here").clone());
        }
        Ok(())
    };
    Codec::new(write, as_it_is)
}

/// Key mappers that differ from the plain one in what they make of an id.
pub(crate) fn keys(prefix: &str, flaw: fn(&mut Operation)) -> impl Transform + use<> {
    let keys = PlainKeys::new(prefix);
    let lists = PlainKeys::new(prefix);
    FnTransform::new(
        move |op: &mut Operation| {
            flaw(op);
            keys.before(op)
        },
        move |op: &Operation, answer: &mut Answer| lists.after(op, answer),
    )
}

const ONE_ID: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn one_id_for_all(op: &mut Operation) {
    if matches!(op.action(), Action::Create | Action::Rotate) && op.id().is_none() {
        op.assign_id(ONE_ID.into());
    }
}

pub(crate) fn another_id_than_is_given(op: &mut Operation) {
    if *op.action() == Action::Create {
        op.assign_id(PlainKeys::random_id());
    }
}

pub(crate) fn ids_in_any_case(op: &mut Operation) {
    if let Some(id) = op.id().map(|id| id.as_str().to_lowercase()) {
        op.assign_id(id.into());
    }
}

/// Makes a key of any text, and of the first characters of a long one.
pub(crate) fn any_id(prefix: &'static str, length: usize) -> impl Transform {
    let plain = PlainKeys::new(prefix);
    before(move |op| {
        if *op.action() == Action::Create && op.id().is_none() {
            op.assign_id(PlainKeys::random_id());
        }
        match op.id() {
            Some(id) => {
                let start: String = id.as_str().chars().take(length).collect();
                op.key = Some(format!("{prefix}{start}").into());
                Ok(())
            }
            None => plain.before(op),
        }
    })
}

/// Names whatever is in the key space.
pub(crate) fn lists_all(prefix: &str) -> impl Transform + use<> {
    let keys = PlainKeys::new(prefix);
    let start = prefix.len();
    FnTransform::new(
        move |op: &mut Operation| keys.before(op),
        move |_: &Operation, answer: &mut Answer| {
            if let Outcome::Page(page) = &mut answer.outcome {
                let ids = page.keys.iter().filter_map(|key| key.as_str().get(start..));
                page.ids = ids.map(SessionId::from).collect();
            }
            Ok(())
        },
    )
}

/// Takes a backend that is down for one without sessions.
#[derive(Debug)]
pub(crate) struct HidesOutages;

impl Around for HidesOutages {
    async fn call(&self, op: &mut Operation, next: Next<'_>) -> Result<Answer> {
        let answer = next.run(op).await;
        answer.or_else(|_| Ok(Answer::new(Outcome::Missing)))
    }
}
