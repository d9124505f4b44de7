//! tower-sessions 0.14.

use rrss_tower_sessions::v0_14::RrssStore;
use tower_sessions_0_14 as tower;

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
