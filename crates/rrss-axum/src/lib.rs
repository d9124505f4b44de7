#![doc = include_str!("../README.md")]

mod cookie;
mod csrf;
mod devices;
mod error;
mod flash;
mod layer;
mod life;
mod policy;
mod session;
mod state;
mod to_the_end;

pub use cookie::{CookieKeys, Key, SameSite};
pub use error::{Error, Result};
pub use layer::{SessionLayer, SessionService};
pub use policy::{OnCorrupt, OnOutage};
pub use session::{MissingLayer, Session};
