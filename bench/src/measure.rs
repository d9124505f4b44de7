//! Timing contenders in turns, so that whatever else the machine does meets all of them alike.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use hdrhistogram::Histogram;

/// How long and how often each contender has its turn.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// How many rounds there are; in each, every contender has one turn.
    rounds: usize,
    /// About how long one turn is.
    turn: Duration,
}

impl Schedule {
    pub const fn new(rounds: usize, turn: Duration) -> Self {
        Self { rounds, turn }
    }
}

/// The work of a contender in its turns.
pub trait Batch {
    /// Makes ready what so many operations use up. Its time is nobody's.
    fn prepare(&mut self, _operations: u64) {}

    /// Carries out so many operations and answers when all are done.
    fn run(&mut self, operations: u64);

    /// How long each operation took since this was asked last, in nanoseconds; nothing where only the whole was timed.
    fn take_latencies(&mut self) -> Vec<u32> {
        Vec::new()
    }
}

impl<F: FnMut(u64)> Batch for F {
    fn run(&mut self, operations: u64) {
        self(operations);
    }
}

/// One of those that are measured side by side.
pub struct Contender<'a> {
    pub name: &'static str,
    pub batch: Box<dyn Batch + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, batch: impl Batch + 'a) -> Self {
        Self {
            name,
            batch: Box::new(batch),
        }
    }
}

/// What one contender took for one operation, in nanoseconds, turn by turn.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    elapsed: Vec<f64>,
    cpu: Vec<f64>,
    latencies: Option<Histogram<u64>>,
}

impl Samples {
    /// The median time of one operation, in nanoseconds.
    pub fn median(&self) -> f64 {
        quantile(&self.elapsed, 0.5)
    }

    /// The quartiles around it: how noisy the run was.
    pub fn quartiles(&self) -> (f64, f64) {
        (quantile(&self.elapsed, 0.25), quantile(&self.elapsed, 0.75))
    }

    /// The median processor time of one operation in nanoseconds, on all threads, with what was still done in the
    /// background after the turn.
    pub fn cpu(&self) -> f64 {
        quantile(&self.cpu, 0.5)
    }

    /// The time in nanoseconds that this part of all operations of all turns stayed below, where each was timed.
    pub fn latency(&self, part: f64) -> Option<f64> {
        let latencies = self.latencies.as_ref()?;
        Some(latencies.value_at_quantile(part) as f64)
    }

    /// What these turns took more than those of `less` in the same rounds, for each operation. The times of single
    /// operations are those of these turns.
    pub fn more_than(&self, less: &Self) -> Self {
        let difference = |all: &[f64], part: &[f64]| {
            let pairs = all.iter().zip(part);
            pairs.map(|(all, part)| all - part).collect()
        };
        Self {
            elapsed: difference(&self.elapsed, &less.elapsed),
            cpu: difference(&self.cpu, &less.cpu),
            latencies: self.latencies.clone(),
        }
    }

    fn record(&mut self, latencies: &[u32]) {
        if latencies.is_empty() {
            return;
        }
        let histogram = self.latencies.get_or_insert_with(|| {
            Histogram::new_with_bounds(1, u64::from(u32::MAX), 3).expect("the bounds are in order")
        });
        for &latency in latencies {
            histogram.saturating_record(latency.into());
        }
    }
}

/// Lets the contenders take turns, and answers with what each took, in their order.
///
/// Each has as many operations a turn as take about [`Schedule::turn`], found in a turn that does not count.
/// Another one begins each round, so that nobody always follows the same neighbour. A turn begins when the process
/// has come to rest, so that nobody pays for what another left to be done.
pub fn in_turns(title: &str, contenders: &mut [Contender<'_>], schedule: Schedule) -> Vec<Samples> {
    let seconds = schedule.turn.as_secs_f64() * (schedule.rounds * contenders.len()) as f64;
    eprintln!("{title}: about {:.0} s", seconds.ceil());
    let operations: Vec<u64> = contenders
        .iter_mut()
        .map(|contender| calibrate(&mut *contender.batch, schedule.turn))
        .collect();
    let mut samples = vec![Samples::default(); contenders.len()];
    rest();
    for round in 0..schedule.rounds {
        for at in (0..contenders.len()).map(|place| (place + round) % operations.len()) {
            contenders[at].batch.prepare(operations[at]);
            let (began, cpu) = (Instant::now(), ProcessTime::now());
            contenders[at].batch.run(operations[at]);
            let elapsed = began.elapsed();
            rest();
            let each = |time: Duration| time.as_nanos() as f64 / operations[at] as f64;
            samples[at].elapsed.push(each(elapsed));
            samples[at].cpu.push(each(cpu.elapsed()));
            samples[at].record(&contenders[at].batch.take_latencies());
        }
    }
    samples
}

/// How many operations take about `turn`.
fn calibrate(batch: &mut dyn Batch, turn: Duration) -> u64 {
    let mut operations = 1;
    loop {
        batch.prepare(operations);
        let began = Instant::now();
        batch.run(operations);
        let elapsed = began.elapsed();
        batch.take_latencies();
        if elapsed >= turn / 4 {
            let scale = turn.as_secs_f64() / elapsed.as_secs_f64();
            return ((operations as f64 * scale) as u64).max(1);
        }
        operations *= 2;
    }
}

/// Waits until background threads of this process have nothing more to do, but not for ever.
fn rest() {
    const LOOK: Duration = Duration::from_millis(10);
    const AT_MOST: Duration = Duration::from_secs(5);
    let began = Instant::now();
    while began.elapsed() < AT_MOST {
        let cpu = ProcessTime::now();
        std::thread::sleep(LOOK);
        if cpu.elapsed() < LOOK / 10 {
            return;
        }
    }
}

fn quantile(samples: &[f64], at: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = last as f64 * at;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn quantiles_lie_between_the_samples() {
        let samples = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&samples, 0.0), 1.0);
        assert_eq!(quantile(&samples, 0.5), 2.5);
        assert_eq!(quantile(&samples, 1.0), 4.0);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn what_one_took_more_than_another_is_told_round_by_round() {
        let samples = |elapsed: [f64; 3]| Samples {
            elapsed: elapsed.to_vec(),
            cpu: elapsed.to_vec(),
            latencies: None,
        };
        let more = samples([10.0, 50.0, 12.0]).more_than(&samples([4.0, 41.0, 4.0]));
        assert_eq!((more.median(), more.cpu()), (8.0, 8.0));
    }

    #[test]
    fn latencies_are_those_of_the_turns_alone() {
        struct Timed(Vec<u32>);
        impl Batch for Timed {
            fn prepare(&mut self, operations: u64) {
                self.0.reserve(operations as usize);
            }
            fn run(&mut self, operations: u64) {
                self.0.extend((0..operations).map(|_| 7));
                std::thread::sleep(Duration::from_millis(1));
            }
            fn take_latencies(&mut self) -> Vec<u32> {
                std::mem::take(&mut self.0)
            }
        }
        let schedule = Schedule::new(2, Duration::from_millis(1));
        let mut contenders = [Contender::new("a", Timed(Vec::new()))];
        let samples = in_turns("test", &mut contenders, schedule);
        assert_eq!(samples[0].latency(0.99), Some(7.0));
        let recorded = samples[0].latencies.as_ref().map_or(0, Histogram::len);
        assert!((2..=8).contains(&recorded), "{recorded}");
        assert_eq!(Samples::default().latency(0.5), None);
    }

    #[test]
    fn every_contender_has_one_turn_a_round_and_another_one_begins_each() {
        let turns = RefCell::new(Vec::new());
        let contender = |name: &'static str| {
            let turns = &turns;
            Contender::new(name, move |_| {
                turns.borrow_mut().push(name);
                std::thread::sleep(Duration::from_millis(1));
            })
        };
        let schedule = Schedule::new(3, Duration::from_millis(1));
        let samples = in_turns("test", &mut [contender("a"), contender("b")], schedule);
        let turns = turns.take();
        let counted = &turns[turns.len() - 6..];
        assert_eq!(counted, ["a", "b", "b", "a", "a", "b"]);
        for samples in samples {
            assert_eq!(samples.elapsed.len(), 3);
            assert!(samples.median() >= 1e6);
        }
    }
}
