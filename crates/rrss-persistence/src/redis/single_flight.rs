//! An attempt that all who need its outcome wait for together.

use std::sync::Arc;

use tokio::sync::watch;

use super::brake::Brake;
use super::runtimes::{self, PerRuntime};

/// One attempt at a time for each runtime. It runs in a task, so it goes on where one who waits gives up. Attempts that
/// fail are spaced, over all runtimes together.
pub(super) struct SingleFlight<T> {
    flights: Arc<PerRuntime<Flight<T>>>,
    brake: Arc<Brake<T>>,
}

type Flight<T> = watch::Receiver<Stage<T>>;

enum Stage<T> {
    /// It has not begun, so its outcome is as good as that of an attempt that begins now.
    Waiting,
    UnderWay,
    Done(T),
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Outcomes that are as `brakes` says are followed by a pause before the next attempt.
    pub(super) fn new(brakes: fn(&T) -> bool) -> Self {
        Self {
            flights: Arc::new(PerRuntime::new()),
            brake: Arc::new(Brake::new(brakes)),
        }
    }

    /// The outcome of an attempt that begins after this call, or of one that is under way if it is `good_enough`.
    pub(super) async fn outcome<F>(
        &self,
        attempt: impl Fn() -> F,
        good_enough: impl Fn(&T) -> bool,
    ) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut began_since = false;
        loop {
            let (mut flight, begins_later) = self.begin(&attempt);
            began_since |= begins_later;
            let landed = flight.wait_for(|stage| matches!(stage, Stage::Done(_)));
            if let Ok(stage) = landed.await
                && let Stage::Done(outcome) = &*stage
            {
                if began_since || good_enough(outcome) {
                    return outcome.clone();
                }
                began_since = true;
            }
        }
    }

    /// Begins an attempt, unless one is under way or waits for its turn.
    pub(super) fn begin_aside<F>(&self, attempt: impl Fn() -> F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.begin(attempt);
    }

    /// What the last attempt brought has failed soon after.
    pub(super) fn strike(&self) {
        self.brake.strike();
    }

    /// The attempt of this runtime, and whether it begins after this call.
    fn begin<F>(&self, attempt: impl Fn() -> F) -> (Flight<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let launch = || {
            let (tell, flight) = watch::channel(Stage::Waiting);
            let (brake, attempt) = (Arc::clone(&self.brake), attempt());
            let flights = Arc::clone(&self.flights);
            tokio::spawn(async move {
                let outcome = match brake.turn().await {
                    Ok(turn) => {
                        tell.send_replace(Stage::UnderWay);
                        let outcome = attempt.await;
                        brake.end(turn, &outcome);
                        outcome
                    }
                    Err(of_another_runtime) => of_another_runtime,
                };
                tell.send_replace(Stage::Done(outcome));
                // What was brought lives no longer than those who wait for it want.
                let flight = tell.subscribe();
                flights.take(|landed| landed.same_channel(&flight));
            });
            flight
        };
        let id = runtimes::current();
        let (flight, is_new) = self.flights.get_or_make(id, is_up, launch, is_up);
        let begins_later = is_new || matches!(*flight.borrow(), Stage::Waiting);
        (flight, begins_later)
    }
}

/// Whether it will land: one whose runtime has ended will not.
fn is_up<T>(flight: &Flight<T>) -> bool {
    flight.has_changed().is_ok() && !matches!(*flight.borrow(), Stage::Done(_))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[tokio::test]
    async fn those_who_come_at_once_share_one_attempt() {
        let flight = Arc::new(SingleFlight::new(|_: &usize| true));
        let made = Arc::new(AtomicUsize::new(0));
        let waiting: Vec<_> = (0..32)
            .map(|_| {
                let (flight, made) = (Arc::clone(&flight), Arc::clone(&made));
                tokio::spawn(async move {
                    let attempt = || {
                        let made = Arc::clone(&made);
                        async move { made.fetch_add(1, Ordering::SeqCst) }
                    };
                    flight.outcome(attempt, |_| false).await
                })
            })
            .collect();
        for one in waiting {
            assert_eq!(one.await.unwrap(), 0);
        }
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_attempt_of_a_runtime_that_ended_or_idles_holds_up_no_other() {
        let flight = SingleFlight::new(|_: &u32| false);
        let (idle, other) = (runtime(), runtime());
        idle.block_on(async { flight.begin_aside(std::future::pending) });
        let ended = runtime();
        ended.block_on(async { flight.begin_aside(std::future::pending) });
        drop(ended);
        let outcome = other.block_on(flight.outcome(|| async { 7 }, |_| false));
        assert_eq!(outcome, 7);
    }
}
