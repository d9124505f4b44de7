//! Running promises: one by one under the test harness, two things at once, a future that is dropped midway.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Barrier;

/// No promise takes this long; one that does hangs, and says so instead of stopping the whole run.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a race is run where each needs a beginning of its own.
pub(crate) const ROUNDS: usize = 100;

/// How often two tasks run through the same keys, and how many keys there are.
const BURSTS: usize = 20;
const KEYS: usize = 50;

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

#[doc(hidden)]
pub fn block_on(promise: impl Future<Output = ()>) {
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
    let barrier = Arc::new(Barrier::new(2));
    let one = tokio::spawn(after(barrier.clone(), one));
    let two = tokio::spawn(after(barrier, two));
    (joined(one).await, joined(two).await)
}

/// Runs two operations at once on each of many keys, and answers the keys with both answers.
///
/// After a common start both sides go through the keys at their own speed: whoever is ahead does the work, whoever
/// is behind is refused sooner and catches up. So they meet on many keys, at every stage of an operation.
pub(crate) async fn contest<A, B, P, Q>(
    prepare: impl AsyncFn(&str),
    one: impl Fn(String) -> P + Send + Clone + 'static,
    two: impl Fn(String) -> Q + Send + Clone + 'static,
) -> Vec<(String, A, B)>
where
    A: Send + 'static,
    B: Send + 'static,
    P: Future<Output = A> + Send + 'static,
    Q: Future<Output = B> + Send + 'static,
{
    let mut contests = Vec::new();
    for burst in 0..BURSTS {
        let keys: Vec<String> = (0..KEYS).map(|n| format!("race-{burst}-{n}")).collect();
        for key in &keys {
            prepare(key).await;
        }
        let (ones, twos) = at_once(
            each(keys.clone(), one.clone()),
            each(keys.clone(), two.clone()),
        )
        .await;
        let answers = ones.into_iter().zip(twos);
        contests.extend(
            keys.into_iter()
                .zip(answers)
                .map(|(key, (a, b))| (key, a, b)),
        );
    }
    contests
}

async fn each<T, F: Future<Output = T>>(keys: Vec<String>, act: impl Fn(String) -> F) -> Vec<T> {
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        answers.push(act(key).await);
    }
    answers
}

async fn after<T>(barrier: Arc<Barrier>, then: impl Future<Output = T>) -> T {
    barrier.wait().await;
    then.await
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
