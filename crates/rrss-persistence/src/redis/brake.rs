//! The pause between two attempts at something that fails.
//!
//! In an outage every operation under way fails at once, and so do those after it. Without a pause each of them would
//! connect, or ask where something is, as fast as the network allows, and hold up the servers that are to take over.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The pause after the first attempt; it doubles with each.
const FIRST: Duration = Duration::from_millis(10);

/// The longest pause. An operation waits for it at most, so it is short.
const LONGEST: Duration = Duration::from_millis(250);

/// Who has not been braked for so long begins with the first pause again.
pub(super) const CALM: Duration = Duration::from_secs(1);

/// Spaces attempts, in whichever runtime they are made.
pub(super) struct Brake<T> {
    brakes: fn(&T) -> bool,
    state: Mutex<State<T>>,
    /// What waits for its turn is to look again.
    changed: Notify,
}

struct State<T> {
    /// How many attempts were braked in a row, and when the last was.
    strikes: u32,
    last_strike: Option<Instant>,
    not_before: Option<Instant>,
    /// How many attempts have begun.
    begun: u64,
    /// The last outcome that brakes, and the number of its attempt.
    last: Option<(u64, T)>,
}

/// The permission to make one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turn(u64);

impl<T: Clone> Brake<T> {
    /// Outcomes that are as `brakes` says are followed by a pause.
    pub(super) fn new(brakes: fn(&T) -> bool) -> Self {
        Self {
            brakes,
            state: Mutex::new(State {
                strikes: 0,
                last_strike: None,
                not_before: None,
                begun: 0,
                last: None,
            }),
            changed: Notify::new(),
        }
    }

    /// Waits until an attempt may begin.
    ///
    /// # Errors
    ///
    /// The outcome of another attempt, where that began and ended while this one waited: it says as much.
    pub(super) async fn turn(&self) -> Result<Turn, T> {
        let came = self.state().begun;
        loop {
            let changed = self.changed.notified();
            let until = {
                let mut state = self.state();
                let state = &mut *state;
                if let Some((_, outcome)) = state.last.as_ref().filter(|(turn, _)| *turn > came) {
                    return Err(outcome.clone());
                }
                let now = Instant::now();
                match state.not_before {
                    Some(until) if until > now => until,
                    _ => {
                        state.begun += 1;
                        // Those of other runtimes wait for the outcome, but not for ever: this one may have no more
                        // time.
                        state.not_before = state.is_braked(now).then(|| now + pause(state.strikes));
                        return Ok(Turn(state.begun));
                    }
                }
            };
            let _ = timeout_at(until, changed).await;
        }
    }

    /// The attempt has ended.
    pub(super) fn end(&self, Turn(turn): Turn, outcome: &T) {
        let mut state = self.state();
        if (self.brakes)(outcome) {
            state.strike();
            state.last = Some((turn, outcome.clone()));
        } else {
            state.not_before = None;
            state.last = None;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// What an attempt brought has failed soon after, which is no better than a failed attempt.
    pub(super) fn strike(&self) {
        self.state().strike();
    }

    /// Each change leaves what is there whole.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn is_braked(&self, now: Instant) -> bool {
        self.last_strike
            .is_some_and(|last| now.saturating_duration_since(last) < CALM)
    }

    fn strike(&mut self) {
        let now = Instant::now();
        self.strikes = match self.is_braked(now) {
            true => self.strikes.saturating_add(1),
            false => 1,
        };
        self.last_strike = Some(now);
        self.not_before = Some(now + pause(self.strikes));
    }
}

/// Between three quarters and the whole of what is due, so that not all processes come at the same moment.
fn pause(strikes: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(strikes.saturating_sub(1));
    let whole = FIRST.saturating_mul(doubled).min(LONGEST);
    // Each state is seeded by itself.
    let share = RandomState::new().hash_one(()) % 256;
    whole.mul_f64(0.75 + share as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn failing() -> Brake<Result<(), &'static str>> {
        Brake::new(Result::is_err)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_the_longest_and_a_success_ends_them() {
        let brake = failing();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let begun = Instant::now();
            let turn = brake.turn().await.unwrap();
            pauses.push(begun.elapsed());
            brake.end(turn, &Err("down"));
        }
        assert_eq!(pauses[0], Duration::ZERO);
        let tick = Duration::from_millis(1);
        for (pause, due) in pauses[1..]
            .iter()
            .zip([10, 20, 40, 80, 160, 250, 250, 250, 250])
        {
            let due = Duration::from_millis(due);
            assert!(*pause >= due * 3 / 4 && *pause <= due + tick, "{pauses:?}");
        }
        let turn = brake.turn().await.unwrap();
        brake.end(turn, &Ok(()));
        let begun = Instant::now();
        brake.turn().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_calm_for_a_while_begins_at_the_first_pause() {
        let brake = failing();
        for _ in 0..5 {
            let turn = brake.turn().await.unwrap();
            brake.end(turn, &Err("down"));
        }
        tokio::time::advance(CALM).await;
        let turn = brake.turn().await.unwrap();
        brake.end(turn, &Err("down"));
        let begun = Instant::now();
        brake.turn().await.unwrap();
        assert!(begun.elapsed() <= FIRST + Duration::from_millis(1));
    }

    /// A connection that is opened and lost at once, again and again.
    #[tokio::test(start_paused = true)]
    async fn successes_that_do_not_last_are_braked() {
        let brake = failing();
        let begun = Instant::now();
        for _ in 0..10 {
            let turn = brake.turn().await.unwrap();
            brake.end(turn, &Ok(()));
            brake.strike();
        }
        assert!(begun.elapsed() > LONGEST * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_the_outcome_of_an_attempt_that_was_made_meanwhile() {
        let brake = Arc::new(failing());
        for _ in 0..8 {
            let turn = brake.turn().await.unwrap();
            brake.end(turn, &Err("down"));
        }
        let mut waiting = Vec::new();
        for _ in 0..5 {
            let brake = Arc::clone(&brake);
            waiting.push(tokio::spawn(async move {
                let turn = brake.turn().await?;
                brake.end(turn, &Err("still down"));
                Err::<(), _>(Err::<(), _>("still down"))
            }));
        }
        let begun = Instant::now();
        for one in waiting {
            assert_eq!(one.await.unwrap(), Err(Err("still down")));
        }
        assert!(begun.elapsed() <= LONGEST + Duration::from_millis(1));
        assert_eq!(brake.state().begun, 9);
    }
}
