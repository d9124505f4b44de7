//! What each kind of request costs, counted by the server.

use axum_session::SessionMode;
use rrss_test_servers::{Flavor, RedisServer};

use crate::*;

fn on_redis(server: &RedisServer) -> Store {
    Store::from_toml(&format!(
        "step = [{{ type = 'key-mapper' }}, {{ type = 'json-codec' }}, {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
        server.url()
    ))
    .unwrap()
}

/// What a page costs, in commands.
async fn cost(server: &RedisServer, browser: &mut Browser, path: &str) -> u64 {
    server.reset_counts();
    assert_eq!(browser.get(path).await.0, StatusCode::OK, "{path}");
    let counts = server.command_counts();
    // The deadline is asked for in the pipeline of its load.
    let asked = counts.iter().filter(|(name, _)| *name != "pexpiretime");
    asked.map(|(_, times)| times).sum()
}

/// A server that compares and sets in one command: elsewhere it is a script, whose commands are counted beside it.
fn server() -> RedisServer {
    RedisServer::start(Flavor::Valkey)
}

#[tokio::test]
async fn a_request_costs_three_commands_and_one_that_signs_in_four() {
    let server = server();
    let store = on_redis(&server);
    store.ping().await.unwrap();
    let mut browser = open(&store, without_memory()).await;
    // The framework asks whether the id is free, and stores an empty session.
    assert_eq!(cost(&server, &mut browser, "/untouched").await, 2);
    for (path, expected) in [
        ("/untouched", 3),
        ("/get/cart", 3),
        ("/set/cart/tea", 3),
        ("/login/ann", 4),
        ("/logout", 2),
    ] {
        // Within a second of the last use there would be no new deadline to store.
        life::grow_old(&store, &browser).await;
        let cost = cost(&server, &mut browser, path).await;
        assert_eq!(cost, expected, "{path}");
    }
}

#[tokio::test]
async fn who_has_not_asked_for_a_session_costs_one_command() {
    let server = server();
    let store = on_redis(&server);
    store.ping().await.unwrap();
    for (mode, ask) in [
        (SessionMode::OptIn, "/opt_in"),
        (SessionMode::Manual, "/create"),
    ] {
        let mut browser = open(&store, without_memory().with_mode(mode)).await;
        for path in ["/untouched", "/get/cart", "/set/cart/tea"] {
            assert_eq!(cost(&server, &mut browser, path).await, 1, "{path}");
        }
        assert_eq!(cost(&server, &mut browser, ask).await, 2);
        assert_eq!(cost(&server, &mut browser, "/logout").await, 2);
    }
}

#[tokio::test]
async fn an_id_that_no_session_has_costs_one_load_and_a_look_more_than_none() {
    let server = server();
    let store = on_redis(&server);
    let mut browser = open(&store, without_memory()).await;
    store.ping().await.unwrap();
    browser.cookie = Some("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".to_owned());
    // The look is whether the id was rotated away.
    assert_eq!(cost(&server, &mut browser, "/untouched").await, 4);
    browser.cookie = Some("no-id".to_owned());
    assert_eq!(cost(&server, &mut browser, "/untouched").await, 2);
}
