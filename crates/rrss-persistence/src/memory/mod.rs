//! The `memory` step: sessions in this process, for tests and development.
//!
//! Everything is gone when the process ends, and no other process sees it. A load clones one reference count;
//! nothing here waits, so every future is ready at once.
//!
//! # Examples
//!
//! ```
//! use rrss_core::{Action, Backend, Guard, Operation, Payload, StorageKey, Timestamp, Written};
//! use rrss_persistence::memory::{Memory, Options};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss_core::Result<()> {
//! let memory = Memory::new(Options::default());
//!
//! let mut create = Operation::new(Action::Create, Timestamp::from_millis(0));
//! create.key = Some(StorageKey::from("sessions:42".to_owned()));
//! create.payload = Payload::Bytes("{}".into());
//! assert_eq!(memory.write(&create).await?, Written::Done);
//! assert_eq!(memory.write(&create).await?, Written::Taken);
//! # Ok(()) }
//! ```

mod entries;
mod expired;
mod options;
mod page;
mod sessions;
mod step;

pub use self::options::Options;
pub use self::step::Memory;
