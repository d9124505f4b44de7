//! The way from a store to what it shares with others, on which it meets faults.

use std::sync::Mutex;
use std::time::Duration;

use rrss_test_servers::{Fault as OnCommand, Gate, RespProxy};

use crate::calls::Calls;
use crate::event::Fault;
use crate::shared::lock;

/// The way of one store.
#[derive(Debug)]
pub(crate) enum Way {
    /// To servers.
    Proxy {
        proxy: RespProxy,
        gates: Mutex<Vec<Gate>>,
    },
    /// To a backend in this process.
    Calls(Calls),
}

impl Way {
    pub(crate) fn to(ports: Vec<u16>) -> Way {
        Way::Proxy {
            proxy: RespProxy::to(ports),
            gates: Mutex::default(),
        }
    }

    /// The addresses of the servers, as the store knows them.
    pub(crate) fn urls(&self) -> Vec<String> {
        match self {
            Self::Proxy { proxy, .. } => proxy.urls(),
            Self::Calls(_) => Vec::new(),
        }
    }

    /// Lets a command meet a fault.
    pub(crate) fn meet(&self, name: &'static str, nth: u32, fault: Fault) {
        match self {
            Self::Calls(calls) => calls.meet(name, nth, fault),
            Self::Proxy { proxy, gates } => {
                let gate = || {
                    let gate = Gate::new();
                    let mut gates = lock(gates);
                    gates.push(gate.clone());
                    gate
                };
                let fault = match fault {
                    Fault::RefuseFull => OnCommand::Refuse(
                        "OOM command not allowed when used memory > 'maxmemory'.".to_owned(),
                    ),
                    Fault::RefuseForbidden => OnCommand::Refuse(format!(
                        "NOPERM User app has no permissions to run the '{}' command",
                        name.to_lowercase()
                    )),
                    Fault::Delay(time) => OnCommand::Delay(Duration::from_millis(time)),
                    Fault::Hold => OnCommand::Hold(gate()),
                    Fault::HoldAnswer => OnCommand::HoldAnswer(gate()),
                    Fault::CutBefore => OnCommand::CutBefore,
                    Fault::CutAfter => OnCommand::CutAfter,
                    Fault::Swallow => OnCommand::Swallow,
                };
                if name == "*" {
                    proxy.on_any(nth, fault);
                } else {
                    proxy.on(name, nth, fault);
                }
            }
        }
    }

    /// Whether something stands at a gate.
    pub(crate) fn holds(&self) -> bool {
        match self {
            Self::Calls(calls) => calls.holds(),
            Self::Proxy { gates, .. } => {
                let gates = lock(gates);
                gates.iter().any(Gate::has_arrived)
            }
        }
    }

    pub(crate) fn calm(&self) {
        match self {
            Self::Calls(calls) => calls.calm(),
            Self::Proxy { proxy, gates } => {
                proxy.calm();
                let mut gates = lock(gates);
                gates.clear();
            }
        }
    }

    /// How many faults have come that leave doubt.
    pub(crate) fn doubts(&self) -> u64 {
        match self {
            Self::Calls(calls) => calls.doubts(),
            Self::Proxy { proxy, .. } => proxy.doubts(),
        }
    }

    /// Breaks all connections, so that nothing is under way any more.
    pub(crate) fn cut(&self) {
        if let Self::Proxy { proxy, .. } = self {
            proxy.cut_all();
        }
    }
}
