//! Running promises: one by one under the test harness, two things at once, a future that is dropped midway.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// No promise takes this long; one that does hangs, and says so instead of stopping the whole run.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a race is run where each needs a beginning of its own.
pub(crate) const ROUNDS: usize = 100;

/// On how many keys two operations are run at once.
const CONTESTS: usize = 1_000;

/// One promise, and how to hold a `T` to it.
///
/// # Examples
///
/// Where the tests are made at run time, as with `libtest-mimic`, instead of by a macro:
///
/// ```
/// use rrss_persistence::memory::Memory;
/// use rrss_testkit::{Subject, backend};
///
/// for promise in backend::promises() {
///     promise.check(|| async { Subject::new(Memory::default()) });
/// }
/// ```
pub struct Promise<T> {
    name: &'static str,
    hold: fn(T) -> Pin<Box<dyn Future<Output = ()>>>,
}

impl<T: 'static> Promise<T> {
    #[doc(hidden)]
    #[must_use]
    pub fn new(name: &'static str, hold: fn(T) -> Pin<Box<dyn Future<Output = ()>>>) -> Self {
        Self { name, hold }
    }

    /// What is promised, as the name of a test.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Holds what `make` makes to the promise, on a runtime of its own.
    ///
    /// # Panics
    ///
    /// Where the promise is broken.
    pub fn check<F: Future<Output = T>>(&self, make: impl FnOnce() -> F) {
        block_on(async { (self.hold)(make().await).await });
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promise").field(&self.name).finish()
    }
}

pub(crate) fn block_on(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no tokio runtime could be started: {error}"));
    let in_time = runtime.block_on(async { tokio::time::timeout(LIMIT, promise).await.is_ok() });
    runtime.shutdown_background();
    assert!(in_time, "nothing came of it within {LIMIT:?}");
}

/// Runs both, on two threads from the same moment, and answers both answers.
pub(crate) async fn at_once<A, B>(
    one: impl Future<Output = A> + Send + 'static,
    two: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let (start, other) = Pace::of_two();
    let one = tokio::spawn(async move {
        start.keep().await;
        one.await
    });
    let two = tokio::spawn(async move {
        other.keep().await;
        two.await
    });
    (joined(one).await, joined(two).await)
}

/// Runs two operations at once on each of many keys, and answers the keys with both answers. Now one side is a little
/// ahead and now the other, so that they meet at every stage of an operation.
pub(crate) async fn contest<A, B, P, Q>(
    prepare: impl AsyncFn(&str),
    one: impl Fn(String) -> P + Send + 'static,
    two: impl Fn(String) -> Q + Send + 'static,
) -> Vec<(String, A, B)>
where
    A: Send + 'static,
    B: Send + 'static,
    P: Future<Output = A> + Send + 'static,
    Q: Future<Output = B> + Send + 'static,
{
    let keys: Vec<String> = (0..CONTESTS).map(|n| format!("race-{n}")).collect();
    for key in &keys {
        prepare(key).await;
    }
    let (pace, other) = Pace::of_two();
    let one = tokio::spawn(each(keys.clone(), pace, one));
    let two = tokio::spawn(each(keys.clone(), other, two));
    let answers = joined(one).await.into_iter().zip(joined(two).await);
    let contests = keys.into_iter().zip(answers);
    contests.map(|(key, (a, b))| (key, a, b)).collect()
}

async fn each<T, F: Future<Output = T>>(
    keys: Vec<String>,
    pace: Pace,
    act: impl Fn(String) -> F,
) -> Vec<T> {
    let mut answers = Vec::with_capacity(keys.len());
    for (round, key) in keys.into_iter().enumerate() {
        pace.keep().await;
        let handicap = if pace.is_first {
            round % 4
        } else {
            round / 4 % 4
        };
        for _ in 0..handicap {
            tokio::task::yield_now().await;
        }
        answers.push(act(key).await);
    }
    answers
}

/// Two tasks that begin each round together. A barrier would let the last who comes go on at once, and wake the other some
/// microseconds later, when an operation in memory is over; so each waits until it sees that the other has come.
struct Pace {
    own: Arc<AtomicUsize>,
    other: Arc<AtomicUsize>,
    is_first: bool,
}

impl Pace {
    fn of_two() -> (Self, Self) {
        let (one, two) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let first = Self {
            own: one.clone(),
            other: two.clone(),
            is_first: true,
        };
        let second = Self {
            own: two,
            other: one,
            is_first: false,
        };
        (first, second)
    }

    async fn keep(&self) {
        let round = self.own.fetch_add(1, Ordering::SeqCst) + 1;
        while self.other.load(Ordering::SeqCst) < round {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Pace {
    /// Nobody waits for one that is done, or that panicked.
    fn drop(&mut self) {
        self.own.store(usize::MAX, Ordering::SeqCst);
    }
}

/// The answer of a task; its panic is the test's.
pub(crate) async fn joined<T>(task: tokio::task::JoinHandle<T>) -> T {
    task.await
        .unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("a task of the test ended: {error}"),
        })
}

/// Polls a future at most `polls` times and then drops it, done or not: a client that went away.
pub(crate) async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    Polls {
        left: polls,
        future: pin!(future),
    }
    .await
}

struct Polls<'a, F> {
    left: usize,
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Polls<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        match self.future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}
