//! A directory of sessions: its engine while it is open, and opening it again after a failure.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use fjall::SeqNo;
use rrss_core::{Error, ErrorKind, Result};

use super::Options;
use super::engine::{Engine, Kept, lock, may_have_happened};
use super::journal;
use super::open::is_in_use;

/// How long nothing is tried after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How much room there must be before the engine is given changes again.
const ROOM: usize = 1024 * 1024;

/// The file that is made to see whether there is room, and removed again.
const PROBE: &str = "room";

/// A directory, its engine, and what is wrong with it.
pub(super) struct Directory {
    options: Options,
    kept: Arc<Kept>,
    /// `None` while it is closed: somebody closed it, or it could not be opened again.
    engine: RwLock<Option<Engine>>,
    /// Taken before `engine` by whoever takes both.
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    failure: Option<Failure>,
    /// What is still to be cut off of the journal before it is opened.
    cut_from: Option<SeqNo>,
}

struct Failure {
    error: Error,
    since: Instant,
    pause: Duration,
    /// Whether the engine was given changes again: the next commit shows how it is.
    is_on_trial: bool,
}

impl Directory {
    /// Opens the directory, and creates it where it is missing.
    pub(super) fn open(options: &Options, kept: Arc<Kept>) -> Result<Self> {
        Ok(Self {
            engine: RwLock::new(Some(Engine::open(options, Arc::clone(&kept))?)),
            options: options.clone(),
            kept,
            trouble: Mutex::default(),
        })
    }

    /// Does work on the engine, which is opened where somebody has closed it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Engine) -> Result<T>) -> Result<T> {
        loop {
            let engine = self.read();
            if let Some(engine) = &*engine {
                return work(engine);
            }
            drop(engine);
            self.open_again()?;
        }
    }

    /// Whether changes may be made now. After a failure that is not so for a while; then the room on the disk is looked at
    /// and the engine, if it accepts nothing, is opened anew.
    ///
    /// # Errors
    ///
    /// The last failure, where the pause is not over or nothing is better.
    pub(super) fn admit(&self) -> Result<()> {
        let mut trouble = lock(&self.trouble);
        match &trouble.failure {
            None => return Ok(()),
            Some(failure) if failure.is_on_trial => return Ok(()),
            Some(failure) if failure.since.elapsed() < failure.pause => {
                return Err(failure.error.clone());
            }
            Some(_) => {}
        }
        if let Err(error) = self.find_room() {
            return Err(trouble.fails(refused().with_source(error)));
        }
        let is_broken = self.read().as_ref().is_none_or(Engine::is_broken);
        if is_broken {
            let mut engine = self.write();
            self.shut(&mut engine, &mut trouble);
            let opened = self.start(&mut engine, &mut trouble);
            opened.map_err(|error| trouble.fails(error))?;
        }
        if let Some(failure) = &mut trouble.failure {
            failure.is_on_trial = true;
        }
        Ok(())
    }

    /// A commit succeeded.
    pub(super) fn is_well(&self) {
        lock(&self.trouble).failure = None;
    }

    /// A commit failed with `error`: what it meant to store is taken out of the journal, and the directory opened again
    /// for reads. Answers what to say of the changes of that commit.
    pub(super) fn fails(&self, error: Error) -> Error {
        let mut trouble = lock(&self.trouble);
        let mut engine = self.write();
        let has_refused = engine.as_ref().and_then(Engine::refused_from).is_some();
        trouble.fails(error.clone());
        if !has_refused {
            // It saw that an earlier write had failed, and wrote nothing. Loads go on.
            return refused().with_source(error);
        }
        self.shut(&mut engine, &mut trouble);
        match self.start(&mut engine, &mut trouble) {
            Err(opening) if trouble.cut_from.is_some() => may_have_happened(opening),
            _ => refused().with_source(error),
        }
    }

    /// Gives the directory up, so that it can be opened by others. The next operation opens it again.
    pub(super) fn close(&self) -> Result<()> {
        let mut trouble = lock(&self.trouble);
        let mut engine = self.write();
        let synced = engine.as_ref().map_or(Ok(()), Engine::sync);
        self.shut(&mut engine, &mut trouble);
        if trouble.cut_from.is_some() {
            self.cut(&mut trouble)?;
        }
        synced
    }

    fn open_again(&self) -> Result<()> {
        let mut trouble = lock(&self.trouble);
        let mut engine = self.write();
        if engine.is_some() {
            return Ok(());
        }
        if let Some(failure) = &trouble.failure
            && failure.since.elapsed() < failure.pause
        {
            return Err(not_open().with_source(failure.error.clone()));
        }
        match self.start(&mut engine, &mut trouble) {
            // Nothing is wrong with the disk, and the other may close it at any moment.
            Err(error) if is_in_use(&error) => Err(error),
            opened => opened.map_err(|error| trouble.fails(error)),
        }
    }

    fn shut(&self, engine: &mut Option<Engine>, trouble: &mut Trouble) {
        if let Some(engine) = engine.take() {
            trouble.cut_from = trouble.cut_from.or(engine.refused_from());
            drop(engine);
        }
        // Others may change what is stored from now on.
        self.kept.recent.clear();
    }

    fn start(&self, engine: &mut Option<Engine>, trouble: &mut Trouble) -> Result<()> {
        self.cut(trouble)?;
        *engine = Some(Engine::open(&self.options, Arc::clone(&self.kept))?);
        Ok(())
    }

    /// Cuts off of the journal what was refused. The engine is closed.
    fn cut(&self, trouble: &mut Trouble) -> Result<()> {
        if let Some(from) = trouble.cut_from {
            journal::cut(&self.options.path, from).map_err(|error| {
                Error::new(
                    ErrorKind::Unavailable,
                    "a write to the disk failed, and what was written of it could not be removed, so it may have been \
                     stored; see that the disk is well and has room",
                )
                .with_source(error)
            })?;
            trouble.cut_from = None;
        }
        Ok(())
    }

    fn find_room(&self) -> io::Result<()> {
        let path = self.options.path.join(PROBE);
        let found = fill(&path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => found,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Engine>> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Engine>> {
        self.engine.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble {
    fn fails(&mut self, error: Error) -> Error {
        let before = self.failure.as_ref();
        let pause = before.map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        self.failure = Some(Failure {
            error: paused().with_source(error.clone()),
            since: Instant::now(),
            pause,
            is_on_trial: false,
        });
        error
    }
}

fn fill(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&vec![0x55; ROOM])?;
    file.sync_all()
}

fn refused() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the disk refuses writes, so nothing was stored; see that it is well and has room: it is tried again without a \
         restart",
    )
}

fn paused() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the disk refused an earlier write, so nothing was stored; see that it is well and has room: it is tried again \
         without a restart",
    )
}

fn not_open() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the directory could not be opened again; see that the disk is well and has room: it is tried again without a restart",
    )
}
