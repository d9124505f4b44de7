#![doc = include_str!("../README.md")]

mod cookie;
mod error;
mod layer;
mod session;

pub use cookie::SameSite;
pub use error::{Error, Result};
pub use layer::{SessionLayer, SessionService};
pub use session::{MissingLayer, Session};
