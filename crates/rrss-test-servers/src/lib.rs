#![doc = include_str!("../README.md")]

mod app;
mod blackhole;
#[cfg(feature = "browser")]
mod browser;
mod chromedriver;
mod cluster;
mod output;
mod poll;
mod port;
mod process;
mod program;
mod redis;
mod relay;
mod resp;
mod resp_proxy;
mod sentinel;

pub use app::{App, AppBuilder};
pub use blackhole::{Blackhole, refused_port};
#[cfg(feature = "browser")]
pub use browser::Browser;
pub use chromedriver::Chromedriver;
pub use cluster::{RedisCluster, RedisClusterBuilder};
pub use redis::{Flavor, RedisServer, RedisServerBuilder};
pub use relay::Relay;
pub use resp_proxy::{Expected, Fault, Gate, RespProxy};
pub use sentinel::{RedisSentinel, RedisSentinelBuilder};
