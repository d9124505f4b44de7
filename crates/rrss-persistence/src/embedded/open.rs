//! Opening a directory of sessions, and what can be in the way.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use rrss_core::{Error, ErrorKind, Result};

use super::engine::{Engine, Kept, failed};
use super::options::{Durability, Options};

const SESSIONS: &str = "sessions";
const DEADLINES: &str = "deadlines";
const INDEX: &str = "index";
const INDEXED: &str = "indexed";
const NOTES: &str = "notes";
const EXPIRED: &str = "expired";
const UNTOLD: &str = "untold";
const META: &str = "meta";

/// The record of `meta` that holds the version of the layout: 4 bytes, big endian.
pub(super) const FORMAT_KEY: &str = "format";
const FORMAT: u32 = 1;

/// The size of its journals at which the engine writes them out into its tables. A start reads them all.
const JOURNAL_BYTES: u64 = 128 * 1024 * 1024;

/// How much of what was written last a keyspace keeps in memory, besides what is being written out into its tables: the one
/// that holds sessions, and each of the others, whose entries are small.
const SESSIONS_IN_MEMORY: u64 = 8 * 1024 * 1024;
const ENTRIES_IN_MEMORY: u64 = 4 * 1024 * 1024;

/// How much of the tables is kept in memory.
const CACHE: u64 = 32 * 1024 * 1024;

impl Engine {
    /// Opens the directory, and creates it where it is missing.
    pub(super) fn open(options: &Options, kept: Arc<Kept>) -> Result<Self> {
        let path = &options.path;
        create_dir(path, options.durability)
            .and_then(|()| clear_unfinished(path))
            .map_err(|error| unusable(path, error.kind(), error))?;
        let database = Database::builder(path)
            .max_journaling_size(JOURNAL_BYTES)
            .cache_size(CACHE)
            .open()
            .map_err(|error| not_opened(path, error))?;
        let meta = open_meta(&database, path)?;
        let keyspace = |name| {
            let in_memory = match name {
                SESSIONS => SESSIONS_IN_MEMORY,
                _ => ENTRIES_IN_MEMORY,
            };
            let options = || KeyspaceCreateOptions::default().max_memtable_size(in_memory);
            database.keyspace(name, options).map_err(failed)
        };
        Ok(Self {
            sessions: keyspace(SESSIONS)?,
            deadlines: keyspace(DEADLINES)?,
            index: keyspace(INDEX)?,
            indexed: keyspace(INDEXED)?,
            notes: keyspace(NOTES)?,
            expired: keyspace(EXPIRED)?,
            untold: keyspace(UNTOLD)?,
            meta,
            database,
            kept,
            changing: Mutex::default(),
            acknowledge_at: match options.durability {
                Durability::Process => PersistMode::Buffer,
                Durability::Disk => PersistMode::SyncData,
            },
            refused_from: Mutex::default(),
        })
    }
}

/// Opens `meta`, and refuses a directory that is not in the layout that this version knows.
fn open_meta(database: &Database, path: &Path) -> Result<Keyspace> {
    if database.keyspace_count() > 0 && !database.keyspace_exists(META) {
        return Err(not_ours(path));
    }
    let meta = database
        .keyspace(META, KeyspaceCreateOptions::default)
        .map_err(failed)?;
    match meta.get(FORMAT_KEY).map_err(failed)? {
        Some(format) => match <[u8; 4]>::try_from(&*format).map(u32::from_be_bytes) {
            Ok(FORMAT) => Ok(meta),
            Ok(newer @ FORMAT..) => Err(about(
                path,
                ErrorKind::Config,
                format_args!(
                    "is of format {newer}, which a newer version of rrss wrote; this one knows format {FORMAT}: \
                     update rrss, or use another directory"
                ),
            )),
            _ => Err(not_ours(path)),
        },
        None if database.keyspace_exists(SESSIONS) => Err(not_ours(path)),
        None => {
            meta.insert(FORMAT_KEY, FORMAT.to_be_bytes())
                .and_then(|()| database.persist(PersistMode::SyncAll))
                .map_err(failed)?;
            Ok(meta)
        }
    }
}

/// Creates the directory for its owner alone, since sessions concern no other user, and those above it as
/// usual. Their names are to survive what the sessions survive.
fn create_dir(path: &Path, durability: Durability) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    create_with(path, &builder, durability)?;
    // The umask may have taken rights of the owner away.
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn create_with(path: &Path, builder: &DirBuilder, durability: Durability) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_with(parent, &DirBuilder::new(), durability)?;
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        created => created?,
    }
    if cfg!(unix) && durability == Durability::Disk {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Clears away a first start that was killed before the engine had marked the directory as made: the engine
/// would refuse it ever after, since it finds a journal where it means to create one. Nothing has been stored
/// before the mark, and the engine's own lock keeps a start that is still under way from being taken for a dead one.
fn clear_unfinished(path: &Path) -> io::Result<()> {
    let (mark, journal) = (path.join("version"), path.join("0.jnl"));
    let unfinished = || {
        let marked = fs::metadata(&mark).is_ok_and(|mark| mark.len() > 0);
        let keyspaces = fs::read_dir(path.join("keyspaces"));
        !marked && journal.is_file() && keyspaces.map_or(true, |mut dir| dir.next().is_none())
    };
    if !unfinished() {
        return Ok(());
    }
    let lock = File::options().write(true).open(path.join("lock"))?;
    if lock.try_lock().is_ok() && unfinished() {
        if mark.try_exists()? {
            fs::remove_file(&mark)?;
        }
        fs::remove_file(&journal)?;
    }
    Ok(())
}

fn not_opened(path: &Path, error: fjall::Error) -> Error {
    match &error {
        fjall::Error::Locked => about(
            path,
            ErrorKind::Unavailable,
            "is in use: another process has it open, or another store of this one; stop that one, or give each \
             process a path of its own",
        ),
        fjall::Error::Io(io) | fjall::Error::Storage(fjall::LsmError::Io(io))
            if !is_of_content(io.kind()) =>
        {
            return unusable(path, io.kind(), error);
        }
        fjall::Error::InvalidVersion(_) => about(
            path,
            ErrorKind::Config,
            "is not of a version of the engine that this program knows; use another directory",
        ),
        _ => about(
            path,
            ErrorKind::Corrupt,
            "is damaged; restore it from a backup, or use another directory and begin without sessions",
        ),
    }
    .with_source(error)
}

/// Whether an error of [`Engine::open`] says that another has the directory open.
pub(super) fn is_in_use(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<fjall::Error>());
    matches!(source, Some(fjall::Error::Locked))
}

/// Whether the files are not what the engine left, rather than out of reach.
fn is_of_content(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Io;
    matches!(kind, Io::NotFound | Io::UnexpectedEof | Io::InvalidData)
}

fn unusable(
    path: &Path,
    kind: io::ErrorKind,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    use io::ErrorKind as Io;
    let error = match kind {
        Io::AlreadyExists
        | Io::InvalidFilename
        | Io::InvalidInput
        | Io::IsADirectory
        | Io::NotADirectory
        | Io::PermissionDenied
        | Io::ReadOnlyFilesystem => about(
            path,
            ErrorKind::Config,
            "cannot be used; name a directory that this program may write to",
        ),
        _ => about(
            path,
            ErrorKind::Unavailable,
            "could not be opened; see that the disk is well and has room",
        ),
    };
    error.with_source(source)
}

fn not_ours(path: &Path) -> Error {
    about(
        path,
        ErrorKind::Config,
        "holds a database that is not one of rrss; use another directory",
    )
}

fn about(path: &Path, kind: ErrorKind, what: impl std::fmt::Display) -> Error {
    Error::new(kind, format!("the directory `{}` {what}", path.display())).with_option("path")
}
