//! The same on a real Redis, whose commands are counted.

use rrss::Store;
use rrss_test_servers::{Flavor, RedisServer};

use crate::app::Running;

fn store(server: &RedisServer) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'json-codec' }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        server.url()
    ))
    .unwrap()
}

#[actix_web::test]
async fn a_request_with_a_session_costs_a_load_and_a_look_at_its_deadline() {
    let server = RedisServer::start(Flavor::Redis);
    let app = Running::start(store(&server));
    let browser = app.browser();
    browser.get("/add/tea").await.is("tea=1");

    server.reset_counts();
    app.browser().get("/read").await.is("");
    assert_eq!(server.command_counts(), [].into());

    browser.get("/read").await.is("tea=1");
    let counts = server.command_counts();
    assert_eq!(counts.get("get"), Some(&2), "{counts:?}");
    assert_eq!(counts.get("set"), None, "{counts:?}");
    app.stop().await;
}

#[actix_web::test]
async fn login_logout_and_a_restart_of_the_application() {
    let server = RedisServer::start(Flavor::Redis);
    let app = Running::start(store(&server));
    let browser = app.browser();
    browser.get("/add/tea").await.is("tea=1");
    let cookie = browser.get("/login").await.cookie.unwrap();
    app.stop().await;

    let app = Running::start(store(&server));
    app.with_cookie("/read", &cookie)
        .await
        .is("tea=1 user=\"ann\"");
    app.with_cookie("/logout", &cookie).await.is("bye");
    app.with_cookie("/read", &cookie).await.is("");
    assert_eq!(server.scan("*"), Vec::<String>::new());
    app.stop().await;
}
