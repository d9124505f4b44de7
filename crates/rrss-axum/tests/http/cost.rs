//! What a request costs, counted by Redis itself; and what a restart costs, which is nothing.

use rrss::Store;
use rrss_test_servers::{Flavor, RedisServer};

use crate::site::{Site, layer, pages};

fn on_redis(redis: &RedisServer, expiry: &str) -> Store {
    Store::from_toml(&format!(
        "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry', {expiry} }}, {{ type = 'json-codec' }}, \
         {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
        redis.url()
    ))
    .unwrap()
}

/// How many commands a request sends, without what a connection says once.
async fn commands(redis: &RedisServer, visit: impl Future<Output = ()>) -> u64 {
    redis.reset_counts();
    visit.await;
    redis.command_counts().values().sum()
}

#[tokio::test]
async fn what_is_not_touched_costs_nothing_what_is_read_one_command_and_what_is_changed_two() {
    let redis = RedisServer::start(Flavor::ALL[0]);
    let store = on_redis(&redis, "duration = '7d'");
    let site = Site::start(pages().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    ann.get("/visit").await;
    let ask = async |path: &'static str| {
        let ann = ann.clone();
        commands(&redis, async move {
            assert!(ann.get(path).await.status.is_success());
        })
        .await
    };
    assert_eq!(ask("/untouched").await, 0);
    assert_eq!(ask("/read").await, 1);
    redis.reset_counts();
    ann.get("/visit").await;
    let counts = redis.command_counts();
    // A load, and a script; what the script calls is counted beside it: one `get` and one `set`.
    let sent =
        [("evalsha", 1), ("get", 2), ("set", 1)].map(|(name, times)| (name.to_owned(), times));
    assert_eq!(counts, sent.into());
    assert_eq!(ask("/read").await, 1);
    let stranger = site.browser();
    let cost = commands(&redis, async {
        stranger.get("/read").await;
    })
    .await;
    assert_eq!(cost, 0, "no cookie, nothing to load");
}

#[tokio::test]
async fn sessions_outlive_the_server_and_redis() {
    let mut redis = RedisServer::builder(Flavor::ALL[0])
        .arg("--appendonly", "yes")
        .arg("--appendfsync", "always")
        .start();
    let site = Site::start(pages().layer(layer(&on_redis(&redis, "duration = '7d'")))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    ann.get("/login").await;

    let site = Site::start(pages().layer(layer(&on_redis(&redis, "duration = '7d'")))).await;
    let ann = ann.at(&site);
    assert_eq!(ann.get("/read").await.text, "1 ann");

    redis.kill();
    let page = ann.get("/read").await;
    assert_eq!((page.status.as_u16(), page.cookie()), (503, None));
    redis.restart();
    // The connection comes back by itself; what a request meets until then is a 503, and no new session.
    let mut page = ann.get("/read").await;
    while page.status == 503 {
        assert_eq!(page.cookie(), None);
        page = ann.get("/read").await;
    }
    assert_eq!(page.text, "1 ann");
}
