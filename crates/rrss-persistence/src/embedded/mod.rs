//! The `embedded` step: sessions on this machine's disk, for one process, with nothing to install.
//!
//! The engine is [fjall](https://docs.rs/fjall), a log-structured merge tree. Eight of its keyspaces are used:
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `sessions` | storage key | deadline, then the bytes as they were written |
//! | `deadlines` | deadline, then storage key | nothing; for the sweep |
//! | `index` | index entry, separator, storage key | nothing; for `find` |
//! | `indexed` | storage key | the session's index entries, in order, separators between them |
//! | `notes` | storage key | how long past the deadline it is kept, then what is to be told of the session |
//! | `expired` | storage key | of a session that has expired: its deadline, then the same |
//! | `untold` | deadline, then storage key | nothing; for those who tell of expired sessions |
//! | `meta` | `format` | the version of this layout: 1 |
//!
//! Deadlines are milliseconds since 1970 in 8 bytes, big endian, so that they sort; `2^64 - 1` stands for none. How long a
//! note is kept is milliseconds in 8 bytes as well.
//! Changes that come at the same time share one atomic commit over the keyspaces, and each is acknowledged after it.
//! One thread carries them out, others read: the async runtime never waits for the disk, and its threads for blocking work are
//! not used. What was written or read last stays in memory too, up to 32 MiB: a load that finds its session there needs no other
//! thread, and a save finds what it replaces. Every session with a deadline has
//! an entry in `deadlines` that is not after it; the sweep moves the entry of a session that was renewed since.
//!
//! An index entry is the [storage key](rrss_core::IndexKey::storage_key) of a value, and the separator the byte
//! 255, which text does not have. `index` and `indexed` hold the same, each the other way round, and are changed in
//! the commit that changes the session: whatever ends a session finds its entries in `indexed` and removes them. A
//! session that was never put into the index has nothing there. A write or a touch that puts entries leaves
//! exactly those; one that puts none leaves them as they are.
//!
//! A note is changed in the commit that changes its session. The commit that removes a session because it has expired moves
//! its note from `notes` to `expired`, so that what is to be told of it survives what the session would have survived. Which
//! notes were taken is remembered in memory alone: after a restart, those that were not forgotten are given again. Where
//! no notes are asked for, none are written.
//!
//! An operation whose future is dropped still happens whole, or not at all. One that is late answers an error, from yet another
//! thread, whatever the others wait for.
//!
//! An engine whose journal could not be written accepts nothing more. It is closed then, the batch that was refused is cut off of
//! the journal, and the engine is opened again, all before those who wait have their answers: an error means that nothing was
//! stored. Changes are tried again with a brake.
//!
//! # Examples
//!
//! ```
//! use rrss_core::{Action, Backend, Operation, Payload, StorageKey, Timestamp, Written};
//! use rrss_persistence::embedded::{Embedded, Options};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss_core::Result<()> {
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("sessions");
//! let mut op = Operation::new(Action::Create, Timestamp::from_millis(0));
//! op.key = Some(StorageKey::from("sessions:42".to_owned()));
//! op.payload = Payload::Bytes("{}".into());
//!
//! let embedded = Embedded::open(&Options::at(&path))?;
//! assert_eq!(embedded.write(&op).await?, Written::Done);
//! drop(embedded);
//!
//! let embedded = Embedded::open(&Options::at(&path))?;
//! assert!(embedded.load(&op).await?.is_some());
//! # Ok(()) }
//! ```

mod answers;
mod changes;
mod commits;
mod directory;
mod engine;
mod expired;
mod index;
mod jobs;
mod journal;
mod listing;
mod notes;
mod open;
mod options;
mod recent;
mod record;
mod rights;
mod step;
mod sweep;
mod threads;
mod watch;

pub use self::options::{Durability, Options};
pub use self::step::Embedded;
