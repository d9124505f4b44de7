//! Work that goes on to its end though nobody waits for it any more.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Work that is done where it is awaited, and that becomes a task of the runtime where it is dropped before its end.
///
/// A task from the start would do the same, and cost each request the way to another thread and back.
pub(crate) struct ToTheEnd<T: Send + 'static> {
    /// `None` from its end on.
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

/// The work panicked.
#[derive(Debug)]
pub(crate) struct Panicked;

impl<T: Send> ToTheEnd<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            work: Some(Box::pin(work)),
        }
    }
}

impl<T: Send> Future for ToTheEnd<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(Err(Panicked));
        };
        // What it was doing when it panicked is not looked at again.
        let polled: Result<Poll<T>, Box<dyn Any + Send>> =
            catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => Ok(result),
            Err(_) => Err(Panicked),
        };
        self.work = None;
        Poll::Ready(ended)
    }
}

impl<T: Send> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        // A runtime that ends drops what it is given.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it panicked")
    }
}

impl std::error::Error for Panicked {}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    /// Work that waits to be let go, and then says that it is done.
    fn work(go: &Arc<Semaphore>, done: &Arc<Semaphore>) -> ToTheEnd<()> {
        let (go, done) = (go.clone(), done.clone());
        ToTheEnd::new(async move {
            go.acquire().await.unwrap().forget();
            done.add_permits(1);
        })
    }

    fn signals() -> (Arc<Semaphore>, Arc<Semaphore>) {
        (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)))
    }

    #[tokio::test]
    async fn what_is_awaited_needs_no_task() {
        let (go, done) = signals();
        go.add_permits(1);
        let before = Handle::current().metrics().num_alive_tasks();
        work(&go, &done).await.unwrap();
        assert_eq!(done.available_permits(), 1);
        assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    }

    #[tokio::test]
    async fn what_is_dropped_in_the_middle_goes_on_to_its_end() {
        let (go, done) = signals();
        let mut work = work(&go, &done);
        let begun = poll_fn(|cx| Poll::Ready(Pin::new(&mut work).poll(cx)));
        assert!(begun.await.is_pending());
        drop(work);
        assert_eq!(done.available_permits(), 0);
        go.add_permits(1);
        done.acquire().await.unwrap().forget();
    }

    #[tokio::test]
    async fn what_is_dropped_before_it_began_is_done_all_the_same() {
        let (go, done) = signals();
        go.add_permits(1);
        drop(work(&go, &done));
        done.acquire().await.unwrap().forget();
    }

    #[tokio::test]
    async fn what_panics_is_an_error_and_is_not_begun_again() {
        let mut work = ToTheEnd::<()>::new(async { panic!("as it should") });
        assert!((&mut work).await.is_err());
        assert!((&mut work).await.is_err());
        drop(work);
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[test]
    fn outside_of_a_runtime_it_is_dropped() {
        let (go, done) = signals();
        drop(work(&go, &done));
        assert_eq!((Arc::strong_count(&go), Arc::strong_count(&done)), (1, 1));
    }
}
