//! The application without sessions: what HTTP and the client cost alone.

use axum::Router;
use axum::routing::get;

use super::route::{HELLO, Route};
use super::served::Served;
use crate::peer::Result;

pub const NAME: &str = "raw axum, no sessions";

pub fn serve() -> Result<Served> {
    Served::by_axum(NAME, async {
        Ok(Router::new().route(Route::Still.path(), get(async || HELLO)))
    })
}
