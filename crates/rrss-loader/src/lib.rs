#![doc = include_str!("../README.md")]

mod allowed;
mod check;
mod document;
mod explain;
mod fit;
mod loader;
mod names;
mod options;
mod plan;
mod render;
mod report;
mod schema;
mod settings;
mod source;
mod suggest;
mod syntax;
mod types;
mod values;
mod words;

pub use loader::Loader;
pub use plan::{Plan, PlannedStep};
pub use report::{Problem, Report};
pub use schema::schema;
pub use settings::StoreSettings;
