#![doc = include_str!("../README.md")]

mod allowed;
mod check;
mod composition;
mod corrupt;
mod document;
mod elsewhere;
mod explain;
mod fit;
mod loader;
mod names;
mod options;
mod origin;
mod plan;
mod read;
mod render;
mod report;
mod schema;
mod secrets;
mod settings;
mod source;
mod suggest;
mod syntax;
mod toml_1_1;
mod types;
mod values;
mod words;

pub use loader::Loader;
pub use plan::{Plan, PlannedStep};
pub use report::{Problem, Report};
pub use schema::schema;
pub use settings::StoreSettings;
