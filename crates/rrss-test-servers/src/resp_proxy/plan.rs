//! Which command meets which fault.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::gate::Gate;
use super::lock;

/// What becomes of a command on its way.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is not passed on, and answered with this error, such as `OOM command not allowed`.
    Refuse(String),
    /// It is passed on so much later; what follows on its connection waits behind it.
    Delay(Duration),
    /// It stands at the gate before it is passed on; what follows on its connection waits behind it.
    Hold(Gate),
    /// It is passed on, and its answer stands at the gate.
    HoldAnswer(Gate),
    /// It is not passed on, and its connection breaks.
    CutBefore,
    /// It is passed on and carried out, and its connection breaks before the answer.
    CutAfter,
    /// It is passed on and carried out, and from its answer on nothing more comes back on its connection, which
    /// stays open.
    Swallow,
}

impl Fault {
    fn leaves_doubt(&self) -> bool {
        matches!(self, Self::CutBefore | Self::CutAfter | Self::Swallow)
    }

    fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Hold(gate) | Self::HoldAnswer(gate) => Some(gate),
            _ => None,
        }
    }
}

/// A fault that a proxy has been asked for.
#[derive(Debug, Clone)]
pub struct Expected(Arc<AtomicBool>);

impl Expected {
    /// Whether the command has come that meets it.
    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The faults that are still to come, and how many have.
#[derive(Debug, Default)]
pub(super) struct Plan {
    rules: Mutex<Vec<Rule>>,
    /// The gates of faults that have come.
    gates: Mutex<Vec<Gate>>,
    refused: AtomicU64,
    doubts: AtomicU64,
}

#[derive(Debug)]
struct Rule {
    /// `None` for commands of any name.
    name: Option<String>,
    /// How many more commands come before the one that meets the fault.
    before: u32,
    fault: Fault,
    has_come: Arc<AtomicBool>,
}

/// What a client sends for the sake of its connection.
const OF_CONNECTIONS: [&str; 15] = [
    "ACL", "ASKING", "AUTH", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "HELLO", "INFO", "PING",
    "READONLY", "ROLE", "SELECT", "SENTINEL", "TIME",
];

impl Plan {
    pub(super) fn expect(&self, name: Option<&str>, nth: u32, fault: Fault) -> Expected {
        let has_come = Arc::new(AtomicBool::new(false));
        lock(&self.rules).push(Rule {
            name: name.map(str::to_ascii_uppercase),
            before: nth.saturating_sub(1),
            fault,
            has_come: Arc::clone(&has_come),
        });
        Expected(has_come)
    }

    /// The fault that a command meets which comes now.
    pub(super) fn of(&self, name: &str) -> Option<Fault> {
        let mut rules = lock(&self.rules);
        let mut met = None;
        for (index, rule) in rules.iter_mut().enumerate() {
            let is_meant = match &rule.name {
                Some(meant) => meant == name,
                None => !OF_CONNECTIONS.contains(&name),
            };
            if !is_meant {
                continue;
            }
            if rule.before > 0 {
                rule.before -= 1;
            } else {
                met = met.or(Some(index));
            }
        }
        let rule = rules.remove(met?);
        drop(rules);
        match &rule.fault {
            Fault::Refuse(_) => drop(self.refused.fetch_add(1, Ordering::SeqCst)),
            fault if fault.leaves_doubt() => self.doubt(),
            _ => {}
        }
        lock(&self.gates).extend(rule.fault.gate().cloned());
        rule.has_come.store(true, Ordering::SeqCst);
        Some(rule.fault)
    }

    pub(super) fn calm(&self) {
        let rules = std::mem::take(&mut *lock(&self.rules));
        let gates = std::mem::take(&mut *lock(&self.gates));
        gates.iter().for_each(Gate::open);
        rules
            .iter()
            .filter_map(|rule| rule.fault.gate())
            .for_each(Gate::open);
    }

    pub(super) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    pub(super) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_of_a_name_meets_its_fault_and_no_other() {
        let plan = Plan::default();
        plan.expect(Some("set"), 2, Fault::CutBefore);
        plan.expect(None, 3, Fault::Swallow);
        assert!(plan.of("SET").is_none());
        assert!(plan.of("PING").is_none());
        assert!(plan.of("GET").is_none());
        assert!(matches!(plan.of("SET"), Some(Fault::CutBefore)));
        assert!(matches!(plan.of("SET"), Some(Fault::Swallow)));
        assert!(plan.of("SET").is_none());
        assert_eq!((plan.refused(), plan.doubts()), (0, 2));
    }
}
