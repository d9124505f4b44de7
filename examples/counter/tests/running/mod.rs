//! The shop as a process of its own.

use std::fs;
use std::path::{Path, PathBuf};

use rrss_test_servers::{App, RedisServer};
use tempfile::TempDir;

pub(crate) const ON_DISK: &str = include_str!("../../rrss.toml");

/// A folder of its own for the file of the store, so that nothing is written beside the example.
pub(crate) fn folder_with(config: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rrss.toml");
    fs::write(&file, patient(config)).unwrap();
    (folder, file)
}

/// The file with limits that a busy machine does not reach.
fn patient(config: &str) -> String {
    let redis = "type = \"redis\"\n";
    let limits = "timeout = \"60s\"\nconnect_timeout = \"60s\"\n";
    config.replace(redis, &format!("{redis}{limits}"))
}

pub(crate) fn start(config: &Path, redis: Option<&RedisServer>) -> App {
    let shop = App::builder(env!("CARGO_BIN_EXE_counter"))
        .env("RRSS_CONFIG", config)
        .env("COUNTER_ADDRESS", "127.0.0.1:0");
    match redis {
        Some(redis) => shop.env("REDIS_URL", redis.url()),
        None => shop.env_remove("REDIS_URL"),
    }
    .start()
}
