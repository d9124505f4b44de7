#![doc = include_str!("../README.md")]

mod app;
mod blackhole;
mod chromedriver;
mod output;
mod port;
mod process;
mod program;
mod redis;
mod resp;

pub use app::{App, AppBuilder};
pub use blackhole::{Blackhole, refused_port};
pub use chromedriver::Chromedriver;
pub use redis::{Flavor, RedisServer, RedisServerBuilder};
