//! Many tasks that save at once, each its own share of the sessions.

use std::future::Future;

use oorandom::Rand64;
use tokio::runtime::Runtime;

/// One task's way to save the sessions of its share.
pub trait Saver: Send + 'static {
    /// Replaces a session of the share with one that differs, and answers when the new one survives a killed
    /// process. `count` is another one at each save.
    fn save(&mut self, at: usize, count: u64) -> impl Future<Output = ()> + Send;

    /// How many sessions the share has.
    fn share(&self) -> usize;
}

/// The savers of all tasks.
pub struct Fleet<'r, S> {
    runtime: &'r Runtime,
    tasks: Vec<Task<S>>,
}

struct Task<S> {
    saver: S,
    random: Rand64,
    count: u64,
}

impl<'r, S: Saver> Fleet<'r, S> {
    pub fn new(runtime: &'r Runtime, savers: impl IntoIterator<Item = S>) -> Self {
        let mut tasks: Vec<Task<S>> = (1..)
            .zip(savers)
            .map(|(seed, saver)| Task {
                saver,
                random: Rand64::new(seed),
                count: 0,
            })
            .collect();
        // What another fleet saved last is not what this one saves first.
        let begin = tasks.len() as u64 * 100_000_000;
        tasks.iter_mut().for_each(|task| task.count = begin);
        Self { runtime, tasks }
    }

    /// Lets the tasks save so many sessions together, each one picked at random, and waits for all.
    pub fn save(&mut self, saves: u64) {
        let tasks = self.tasks.len() as u64;
        let running: Vec<_> = (0..tasks)
            .zip(self.tasks.drain(..))
            .map(|(number, task)| {
                let saves = saves / tasks + u64::from(number < saves % tasks);
                self.runtime.spawn(task.save(saves))
            })
            .collect();
        for task in running {
            let task = self.runtime.block_on(task);
            self.tasks
                .push(task.expect("a task that saves does not fail"));
        }
    }
}

impl<S: Saver> Task<S> {
    async fn save(mut self, saves: u64) -> Self {
        for _ in 0..saves {
            let at = self.random.rand_range(0..self.saver.share() as u64);
            self.count += 1;
            self.saver.save(at as usize, self.count).await;
        }
        self
    }
}

/// The sessions from 0 to `count`, in as many parts as there are tasks.
pub fn shares(count: usize, tasks: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..tasks).map(move |task| count * task / tasks..count * (task + 1) / tasks)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_session_is_in_one_share() {
        for tasks in [1, 3, 64] {
            let all: Vec<usize> = shares(100, tasks).flatten().collect();
            assert_eq!(all, (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_fleet_makes_exactly_as_many_saves_as_it_is_told() {
        struct Counter(Arc<AtomicU64>);
        impl Saver for Counter {
            async fn save(&mut self, at: usize, _: u64) {
                assert!(at < self.share());
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            fn share(&self) -> usize {
                10
            }
        }
        let runtime = Runtime::new().unwrap();
        let saved = Arc::new(AtomicU64::new(0));
        let mut fleet = Fleet::new(&runtime, (0..3).map(|_| Counter(saved.clone())));
        fleet.save(7);
        fleet.save(1);
        assert_eq!(saved.load(Ordering::Relaxed), 8);
    }
}
