//! tower-sessions 0.15.

use rrss_tower_sessions::RrssStore;
use tower_sessions as tower;

#[path = "app.rs"]
mod app;
#[path = "bad_input.rs"]
mod bad_input;
#[path = "pages.rs"]
mod pages;
#[path = "records.rs"]
pub(crate) mod records;
#[path = "round_trips.rs"]
mod round_trips;
