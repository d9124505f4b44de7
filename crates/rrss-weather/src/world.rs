//! What the stores of a run share: servers, or a backend in this process.

mod disk;
mod servers;
mod way;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rrss::{
    Embedded, Expiry, Index, JsonCodec, KeyMapper, ManualClock, Memory, OnLimit, Redis, Store,
    embedded, expiry, index, key_mapper, redis,
};
use rrss_core::{Clock, SystemClock};
use rrss_testkit::{Intercepted, Subject};

use self::disk::Disk;
use self::servers::Servers;
pub(crate) use self::way::Way;
use crate::calls::Calls;
use crate::clock::{Time, WrongClock};
use crate::setup::{Backend, Limit, Setup};

/// What the stores of a run share. One world serves many runs, one after the other.
#[derive(Debug)]
pub struct World {
    backend: Backend,
    servers: Option<Servers>,
    /// Odd while a master is dead and not yet replaced: errors leave doubt then.
    outages: Arc<AtomicU64>,
}

/// The stores of one run.
pub(crate) struct Stores {
    pub(crate) stations: Vec<Station>,
    pub(crate) time: Time,
    pub(crate) disk: Option<Disk>,
    // Behind the stores, so that it goes last.
    _folder: Option<tempfile::TempDir>,
}

/// One store, as a process of its own would have it, and the way to what it shares with the others.
#[derive(Clone)]
pub(crate) struct Station {
    pub(crate) store: Store,
    pub(crate) way: Arc<Way>,
}

/// How long a command may take. Short, so that a swallowed answer holds a run up for a moment only.
const TIMEOUT: Duration = Duration::from_millis(800);

impl World {
    /// Starts what the backend needs.
    #[must_use]
    pub fn start(backend: Backend) -> World {
        World {
            backend,
            servers: (!backend.is_local()).then(|| Servers::start(backend)),
            outages: Arc::default(),
        }
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    pub(crate) fn servers(&mut self) -> Option<&mut Servers> {
        self.servers.as_mut()
    }

    /// Odd while a master is dead and not yet replaced.
    pub(crate) fn outage(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.outages)
    }

    pub(crate) fn outage_changes(&self) {
        self.outages.fetch_add(1, Ordering::SeqCst);
    }

    /// Empties what is shared, and opens stores over it.
    pub(crate) fn stores(&mut self, setup: &Setup) -> Result<Stores> {
        match &mut self.servers {
            Some(servers) => {
                servers.reset();
                let stations = setup.clocks.iter().map(|clock| {
                    let way = Way::to(servers.ports());
                    let options = servers.options(&way)?;
                    let store = builder(setup)
                        .clock(WrongClock::new(*clock))
                        .step::<Redis>(redis::Options {
                            timeout: TIMEOUT.into(),
                            connect_timeout: TIMEOUT.into(),
                            ..options
                        })
                        .build()?;
                    Ok(Station {
                        store,
                        way: Arc::new(way),
                    })
                });
                Ok(Stores {
                    stations: stations.collect::<Result<_>>()?,
                    time: Time::Real,
                    disk: None,
                    _folder: None,
                })
            }
            None => local(self.backend, setup),
        }
    }
}

/// Stores over one backend of this process: its clock is one, and runs move it.
fn local(backend: Backend, setup: &Setup) -> Result<Stores> {
    let clock = ManualClock::at(SystemClock.now());
    let (subject, disk, folder) = match backend {
        Backend::Memory => (Subject::new(Memory::default()), None, None),
        _ => {
            let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
            let disk = Disk::mount(folder.path());
            let place = disk
                .as_ref()
                .map_or_else(|| folder.path().to_owned(), Disk::path);
            let options = embedded::Options::at(PathBuf::from(&place).join("sessions"));
            (Subject::of_step::<Embedded>(options), disk, Some(folder))
        }
    };
    let stations = setup.clocks.iter().map(|_| {
        let calls = Calls::default();
        let store = builder(setup)
            .clock(clock.clone())
            .backend(
                backend.to_string(),
                Intercepted::new(subject.clone(), calls.clone()),
            )
            .build()?;
        Ok(Station {
            store,
            way: Arc::new(Way::Calls(calls)),
        })
    });
    Ok(Stores {
        stations: stations.collect::<Result<_>>()?,
        time: Time::Manual(clock),
        disk,
        _folder: folder,
    })
}

fn builder(setup: &Setup) -> rrss::StoreBuilder {
    let (max_per_value, on_limit) = match setup.limit {
        Limit::None => (None, None),
        Limit::EvictOldest(most) => (Some(most), Some(OnLimit::EvictOldest)),
        Limit::Reject(most) => (Some(most), Some(OnLimit::Reject)),
    };
    let renew = if setup.renew {
        expiry::Renew::Load
    } else {
        expiry::Renew::Write
    };
    Store::builder()
        .conflict(setup.conflict)
        .step::<KeyMapper>(key_mapper::Options::default())
        .step::<Expiry>(expiry::Options {
            duration: Duration::from_millis(setup.duration).into(),
            renew,
            // So that a load of a moment later renews.
            renew_after: setup.renew.then(|| Duration::from_millis(5).into()),
            ..Default::default()
        })
        .step::<Index>(index::Options {
            max_per_value: max_per_value.and_then(std::num::NonZeroUsize::new),
            on_limit,
            keep_expired: setup.events.then(|| Duration::from_secs(24 * 3600).into()),
            ..index::Options::of([crate::history::USER])
        })
        .step::<JsonCodec>(Default::default())
}
