#![doc = include_str!("../README.md")]

mod loader;
mod plan;
mod report;
mod schema;
mod settings;

pub use loader::Loader;
pub use plan::{Plan, PlannedStep};
pub use report::{Problem, Report};
pub use schema::schema;
pub use settings::StoreSettings;
