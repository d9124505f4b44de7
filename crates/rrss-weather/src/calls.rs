//! Faults of a backend in this process: what a proxy does to commands, done to calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rrss::{Error, ErrorKind, Result};
use rrss_testkit::{Call, Intercept, Side};
use tokio::sync::watch;

use crate::event::Fault;

/// Faults that chosen calls of a backend meet. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rules: Mutex<Vec<Rule>>,
    doubts: AtomicU64,
    standing: AtomicU64,
    /// Grows whenever the gates open.
    opened: watch::Sender<u64>,
}

#[derive(Debug)]
struct Rule {
    name: &'static str,
    before: u32,
    fault: Fault,
}

impl Calls {
    pub(crate) fn meet(&self, name: &'static str, nth: u32, fault: Fault) {
        self.rules().push(Rule {
            name,
            before: nth.saturating_sub(1),
            fault,
        });
    }

    pub(crate) fn calm(&self) {
        self.rules().clear();
        self.0.opened.send_modify(|opened| *opened += 1);
    }

    pub(crate) fn doubts(&self) -> u64 {
        self.0.doubts.load(Ordering::SeqCst)
    }

    pub(crate) fn holds(&self) -> bool {
        self.0.standing.load(Ordering::SeqCst) > 0
    }

    /// The fault of a call that comes to `side` now. Calls are counted as they come in.
    fn of(&self, call: Call, side: Side) -> Option<Fault> {
        if [Call::Ping, Call::Close].contains(&call) {
            return None;
        }
        let name = format!("{call:?}").to_uppercase();
        let mut rules = self.rules();
        let mut met = None;
        for (at, rule) in rules.iter_mut().enumerate() {
            let is_meant = rule.name == "*" || rule.name.eq_ignore_ascii_case(&name);
            if !is_meant || is_after(rule.fault) != (side == Side::After) {
                continue;
            }
            if rule.before > 0 {
                rule.before -= 1;
            } else {
                met = met.or(Some(at));
            }
        }
        met.map(|at| rules.remove(at).fault)
    }

    async fn stand(&self, mut opened: watch::Receiver<u64>) {
        self.0.standing.fetch_add(1, Ordering::SeqCst);
        // An error means that the run has ended.
        let _ = opened.changed().await;
        self.0.standing.fetch_sub(1, Ordering::SeqCst);
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_after(fault: Fault) -> bool {
    matches!(fault, Fault::HoldAnswer | Fault::CutAfter | Fault::Swallow)
}

impl Intercept for Calls {
    async fn at(&self, call: Call, side: Side) -> Result<()> {
        // Before the look, so that no opening in between is missed.
        let opened = self.0.opened.subscribe();
        let Some(fault) = self.of(call, side) else {
            return Ok(());
        };
        let (kind, message) = match fault {
            Fault::RefuseFull | Fault::RefuseForbidden => {
                (ErrorKind::Unavailable, "the weather refused this call")
            }
            Fault::Delay(time) => {
                tokio::time::sleep(Duration::from_millis(time)).await;
                return Ok(());
            }
            Fault::Hold | Fault::HoldAnswer => {
                self.stand(opened).await;
                return Ok(());
            }
            Fault::CutBefore | Fault::CutAfter => {
                (ErrorKind::Unavailable, "the weather cut this call off")
            }
            Fault::Swallow => (
                ErrorKind::Timeout,
                "the weather swallowed the answer to this call",
            ),
        };
        let error = Error::new(kind, message);
        if matches!(fault, Fault::RefuseFull | Fault::RefuseForbidden) {
            return Err(error);
        }
        self.0.doubts.fetch_add(1, Ordering::SeqCst);
        Err(error.in_doubt())
    }
}
