//! Passwords that change while sessions are served.

use std::path::{Path, PathBuf};

use rrss_core::{Backend, ErrorKind, Secret};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::RedisServer;
use rrss_testkit::Log;
use tempfile::TempDir;

use super::support::*;

on_both_servers![
    a_password_in_a_file_is_read_again_for_each_connection,
    a_url_in_a_file_is_read_again_with_its_user_and_password,
    a_url_that_names_another_server_later_is_used_as_before_and_logged,
    a_file_that_cannot_be_read_leaves_the_last_password_and_is_logged_without_it,
    a_password_that_is_wrong_for_a_while_is_tried_again_from_the_file,
];

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn with_password(server: &RedisServer, path: &Path) -> Redis {
    Redis::new(Options {
        host: Some(server.host().to_owned()),
        port: Some(server.port()),
        username: Some("web".to_owned()),
        password: Some(Secret::from_file(path).unwrap()),
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..Options::default()
    })
    .unwrap()
}

fn with_url(path: &Path) -> Redis {
    let url = serde_json::json!({ "file": path });
    Redis::new(Options {
        url: Some(serde_json::from_value(url).unwrap()),
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..Options::default()
    })
    .unwrap()
}

/// Makes `password` the one password of `user`, who stays connected.
fn allow(server: &RedisServer, user: &str, password: &str) {
    let password = format!(">{password}");
    let rule = ["resetpass", &password, "on", "~*", "+@all"];
    server.command(&[&["ACL", "SETUSER", user], &rule[..]].concat());
}

fn disconnect(server: &RedisServer, user: &str) {
    assert_ne!(server.command(&["CLIENT", "KILL", "USER", user]), "0");
}

async fn a_password_in_a_file_is_read_again_for_each_connection(server: RedisServer) {
    allow(&server, "web", "first");
    let (_folder, path) = file("first\n");
    let redis = with_password(&server, &path);
    redis.ping().await.unwrap();

    allow(&server, "web", "second");
    std::fs::write(&path, "second\r\n").unwrap();
    redis.ping().await.unwrap();
    disconnect(&server, "web");
    redis.ping().await.unwrap();
    let who = server.command(&["CLIENT", "LIST"]);
    assert!(who.contains("user=web"), "{who}");
}

async fn a_url_in_a_file_is_read_again_with_its_user_and_password(server: RedisServer) {
    let at = format!("{}:{}", server.host(), server.port());
    allow(&server, "web", "first");
    let (_folder, path) = file(&format!("redis://web:first@{at}\n"));
    let redis = with_url(&path);
    redis.ping().await.unwrap();

    allow(&server, "site", "second");
    std::fs::write(&path, format!("redis://site:second@{at}\n")).unwrap();
    // Who is deleted is disconnected.
    server.command(&["ACL", "DELUSER", "web"]);
    redis.ping().await.unwrap();
    let who = server.command(&["CLIENT", "LIST"]);
    assert!(who.contains("user=site"), "{who}");
}

async fn a_url_that_names_another_server_later_is_used_as_before_and_logged(server: RedisServer) {
    let log = Log::listen();
    allow(&server, "web", "first");
    let at = format!("{}:{}", server.host(), server.port());
    let (_folder, path) = file(&format!("redis://web:first@{at}\n"));
    let redis = with_url(&path);
    std::fs::write(&path, "redis://web:second@elsewhere.example\n").unwrap();
    redis.ping().await.unwrap();
    let said = log.text();
    assert!(said.contains("names another server"), "{said}");
    for secret in ["first", "second", "elsewhere"] {
        assert!(!said.contains(secret), "{said}");
    }
}

async fn a_file_that_cannot_be_read_leaves_the_last_password_and_is_logged_without_it(
    server: RedisServer,
) {
    let log = Log::listen();
    allow(&server, "web", "hunter1");
    let (_folder, path) = file("hunter1");
    let redis = with_password(&server, &path);
    redis.ping().await.unwrap();
    allow(&server, "web", "hunter2");
    std::fs::write(&path, "hunter2").unwrap();
    disconnect(&server, "web");
    redis.ping().await.unwrap();
    assert_eq!(log.lines(tracing::Level::WARN), 1, "{}", log.text());

    for bytes in [None, Some("".to_owned()), Some("hunter3 ".repeat(10_000))] {
        match bytes {
            None => std::fs::remove_file(&path).unwrap(),
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
        }
        disconnect(&server, "web");
        redis.ping().await.unwrap();
    }
    let said = log.text();
    for part in ["cannot be read", "is empty", "64 KiB"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("hunter"), "{said}");
}

async fn a_password_that_is_wrong_for_a_while_is_tried_again_from_the_file(server: RedisServer) {
    allow(&server, "web", "second");
    let (_folder, path) = file("first");
    let redis = with_password(&server, &path);
    let error = redis.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(!all_that_it_says(&error).contains("first"), "{error:?}");
    std::fs::write(&path, "second").unwrap();
    redis.ping().await.unwrap();
}

/// By way of the loader: a relative path in a configuration.
#[tokio::test]
async fn a_password_that_a_configuration_takes_from_a_file_can_be_changed() {
    for (way, text) in [
        (
            "url = 'redis://web@HOST', password = { file = 'secret' }",
            "WORD",
        ),
        ("url = { file = 'secret' }", "redis://web:WORD@HOST"),
    ] {
        let server = RedisServer::start(rrss_test_servers::Flavor::Valkey);
        let at = format!("{}:{}", server.host(), server.port());
        let (folder, path) = file("");
        let write = |word: &str| {
            allow(&server, "web", word);
            let text = text.replace("HOST", &at).replace("WORD", word);
            std::fs::write(&path, text + "\n").unwrap();
        };
        write("first");
        let redis = format!(
            "{{ type = 'redis', {}, timeout = '60s', connect_timeout = '60s' }}",
            way.replace("HOST", &at)
        );
        let steps = ["{ type = 'key-mapper' }", "{ type = 'json-codec' }", &redis];
        let config = folder.path().join("rrss.toml");
        std::fs::write(&config, format!("step = [{}]", steps.join(", "))).unwrap();

        let store = rrss::Store::from_file(&config).unwrap();
        store.ping().await.unwrap();
        write("second");
        disconnect(&server, "web");
        store.ping().await.unwrap();
    }
}
