//! A shop as a process of its own.

use std::fs;
use std::path::PathBuf;

use rrss_test_servers::{App, Flavor, RedisServer};
use tempfile::TempDir;

use super::Shop;

const ON_DISK: &str = include_str!("../../rrss.toml");
const IN_REDIS: &str = include_str!("../../rrss.redis.toml");

/// A running shop, and the folder of its file, so that nothing is written beside the example.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub app: App,
    /// The name of its session cookie.
    pub cookie: &'static str,
    program: &'static str,
    folder: TempDir,
    redis: Option<String>,
}

impl Running {
    /// The shop with its sessions on the disk.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    #[must_use]
    pub fn on_disk(shop: &Shop) -> Running {
        Running::with(shop, ON_DISK, None)
    }

    /// The shop with its sessions in `redis`.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    #[must_use]
    pub fn in_redis(shop: &Shop, redis: &RedisServer) -> Running {
        Running::with(shop, IN_REDIS, Some(redis.url()))
    }

    /// A shop and a Redis of its own, which has on its disk what it acknowledged.
    ///
    /// # Panics
    ///
    /// Where one of them does not start.
    #[must_use]
    pub fn with_redis(shop: &Shop) -> (Running, RedisServer) {
        let redis = RedisServer::builder(Flavor::Redis)
            .arg("--appendonly", "yes")
            .arg("--appendfsync", "always")
            .start();
        (Running::in_redis(shop, &redis), redis)
    }

    fn with(shop: &Shop, file: &str, redis: Option<String>) -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("rrss.toml"), patient(file)).expect("it can be written to");
        let app = start(
            shop.program,
            folder.path().join("rrss.toml"),
            redis.as_deref(),
        );
        Running {
            app,
            cookie: shop.cookie,
            program: shop.program,
            folder,
            redis,
        }
    }

    /// Starts it again where it was, after it has ended.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_again(&mut self) {
        let file = self.folder.path().join("rrss.toml");
        self.app = start(self.program, file, self.redis.as_deref());
    }
}

/// The file with limits that a busy machine does not reach.
fn patient(file: &str) -> String {
    let redis = "type = \"redis\"\n";
    let limits = "timeout = \"60s\"\nconnect_timeout = \"60s\"\n";
    file.replace(redis, &format!("{redis}{limits}"))
}

fn start(program: &str, file: PathBuf, redis: Option<&str>) -> App {
    let app = App::builder(program)
        .env("RRSS_CONFIG", file)
        .env("SHOP_ADDRESS", "127.0.0.1:0");
    match redis {
        Some(redis) => app.env("REDIS_URL", redis),
        None => app.env_remove("REDIS_URL"),
    }
    .start()
}
