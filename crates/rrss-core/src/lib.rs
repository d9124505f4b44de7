#![doc = include_str!("../README.md")]

mod answer;
mod around;
mod backend;
mod background;
mod compose;
mod conflict;
mod encoder;
mod error;
mod expired;
mod handle;
mod id;
mod index;
mod note;
mod operation;
mod options;
mod payload;
mod pipeline;
mod pipeline_builder;
mod registry;
mod session;
mod shape;
mod step;
mod time;
mod transform;
mod validity;

pub use answer::{Answer, Outcome, Page};
pub use around::{Around, Next};
pub use backend::{Backend, Record, Written};
pub use background::{Background, Stop};
pub use compose::{Misfit, check_composition};
pub use conflict::Conflict;
pub use encoder::Encoder;
pub use error::{Error, ErrorKind, Result};
pub use expired::{ExpiredNote, NoteChange};
pub use handle::Handle;
pub use id::{KeySpace, SessionId, StorageKey};
pub use index::{IndexChanges, IndexKey, IndexRules, OnLimit};
pub use note::Note;
pub use operation::{Action, Cursor, Deadline, Guard, Operation};
pub use options::{DurationOption, Secret};
pub use payload::{Payload, StoredForm};
pub use pipeline::Pipeline;
pub use pipeline_builder::PipelineBuilder;
pub use registry::{Clash, Registry, StepType};
pub use session::Session;
pub use shape::{Data, Shape};
pub use step::{BuildContext, ConfiguredStep, Role, Step};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use transform::{FnTransform, Transform};
pub use validity::Validity;

#[doc(hidden)]
pub use inventory;
