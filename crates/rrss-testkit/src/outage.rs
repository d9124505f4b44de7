//! What a backend promises where it cannot do its work: a server that is not there, refuses, or does not answer.
//!
//! "An error means that the backend could not do its work": it never looks like a missing session. Run them with
//! [`outage_promises!`](crate::outage_promises) on a backend that cannot be reached.

use rrss_core::{Action, Answer, Backend, ErrorKind, IndexKey, Operation, Result};

use crate::secrets::Secrets;
use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__outage_promises!(__values { Subject })
}

/// Makes one test of each promise of [`outage`](crate::outage).
///
/// The expression makes a [`Subject`](crate::Subject) over a backend that cannot be reached. Each way of not
/// being reached is worth a module of its own: nothing listens, nothing answers, the password is wrong.
///
/// # Examples
///
/// ```
/// mod nothing_listens {
///     use rrss_core::ErrorKind;
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::{Faults, Subject};
///
///     rrss_testkit::outage_promises!({
///         let faults = Faults::new();
///         faults.fail_all(ErrorKind::Unavailable);
///         Subject::new(faults.before(Memory::default()))
///     });
/// }
/// ```
#[macro_export]
macro_rules! outage_promises {
    ($subject:expr $(,)?) => {
        $crate::__outage_promises!(__tests { $subject });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __outage_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            outage $args

            load_without_the_backend_is_an_error
            create_without_the_backend_is_an_error
            update_without_the_backend_is_an_error
            touch_without_the_backend_is_an_error
            delete_without_the_backend_is_an_error
            find_without_the_backend_is_an_error
            list_without_the_backend_is_an_error
            count_without_the_backend_is_an_error
            ping_without_the_backend_is_an_error
        }
    };
}

/// "An outage never looks like a missing session."
pub async fn load_without_the_backend_is_an_error(subject: Subject) {
    fails(&subject, Action::Load).await;
}

/// A create that was not carried out is not answered.
pub async fn create_without_the_backend_is_an_error(subject: Subject) {
    fails(&subject, Action::Create).await;
}

/// "An outage never looks like a missing session": it is not gone.
pub async fn update_without_the_backend_is_an_error(subject: Subject) {
    fails(&subject, Action::Update).await;
}

/// "An outage never looks like a missing session."
pub async fn touch_without_the_backend_is_an_error(subject: Subject) {
    fails(&subject, Action::Touch).await;
}

/// A session is not said to be ended while it may still be there.
pub async fn delete_without_the_backend_is_an_error(subject: Subject) {
    fails(&subject, Action::Delete).await;
}

/// An outage never looks like a user without sessions. A backend that keeps no index says that instead.
pub async fn find_without_the_backend_is_an_error(subject: Subject) {
    let entry = IndexKey::of("user", r#""secret-value""#);
    let find = Action::Find {
        entry: entry.ok().flatten().expect("text is indexed"),
        cursor: None,
        limit: 10,
    };
    if subject.keeps_index() {
        fails(&subject, find).await;
    } else {
        let mut op = subject.operation(find, "secret-key");
        op.key_space = Some(subject.key_space());
        let kind = subject
            .run(op)
            .await
            .map(drop)
            .map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Unsupported));
    }
}

/// An outage never looks like a store without sessions.
pub async fn list_without_the_backend_is_an_error(subject: Subject) {
    let list = Action::List {
        cursor: None,
        limit: 10,
    };
    fails(&subject, list).await;
}

/// An outage never looks like a store without sessions.
pub async fn count_without_the_backend_is_an_error(subject: Subject) {
    fails(&subject, Action::Count).await;
}

/// `ping` "reaches the backend once, to see that it is there".
pub async fn ping_without_the_backend_is_an_error(subject: Subject) {
    let ping = Backend::ping(&subject).await;
    is_outage(&ping, "a ping");
}

async fn fails(subject: &Subject, action: Action) {
    let mut op: Operation = subject.operation(action.clone(), "secret-key");
    op.key_space = Some(subject.key_space());
    op.deadline = subject.later();
    if op.is_write() {
        op.payload = subject.payload(b"secret-value");
    }
    let answer: Result<Answer> = subject.run(op).await;
    is_outage(&answer, &format!("{action:?}"));
}

#[track_caller]
fn is_outage<T>(answer: &Result<T>, asked: &str) {
    let error = match answer {
        Err(error) => error,
        Ok(_) => panic!("{asked} was answered by a backend that is not there"),
    };
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout),
        "{error:?}"
    );
    assert!(error.is_temporary(), "{error:?}");
    Secrets::of(["secret-key", "secret-value"]).are_not_in(error);
}
