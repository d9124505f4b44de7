//! Logging in, and what a user must be allowed.

use bytes::Bytes;
use rrss_core::{Backend, Deadline, ErrorKind, Guard, IndexKey, Secret, Written};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisServer};

use super::support::*;

on_both_servers![
    a_user_with_the_commands_that_the_readme_lists_can_do_everything,
    a_user_who_may_not_is_refused_by_name_of_the_server,
    a_user_who_may_not_do_what_a_script_does_is_told_so,
    sessions_of_another_database_are_not_seen,
];

/// The rule in the README, word for word.
const README: &str = include_str!("../../README.md");

fn secured(flavor: Flavor) -> RedisServer {
    RedisServer::builder(flavor).password("open sesame").start()
}

#[tokio::test]
async fn the_right_password_lets_in_however_it_is_given() {
    for flavor in Flavor::ALL {
        let server = secured(flavor);
        let host = |password: &str| Options {
            host: Some(server.host().to_owned()),
            port: Some(server.port()),
            password: Some(Secret::from(password.to_owned())),
            timeout: GENEROUS,
            connect_timeout: GENEROUS,
            ..Options::default()
        };
        for options in [
            to(&server.url()),
            host("open sesame"),
            Options {
                username: Some("default".to_owned()),
                ..host("open sesame")
            },
        ] {
            Redis::new(options).unwrap().ping().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_unavailable_and_is_never_shown() {
    for flavor in Flavor::ALL {
        let server = secured(flavor);
        let at = format!("{}:{}", server.host(), server.port());
        for url in [
            format!("redis://:hunter2@{at}"),
            format!("redis://hunter3:hunter2@{at}"),
        ] {
            let redis = connect_to(&url);
            for error in every_failure(&redis, "sessions:hunter4").await {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                assert!(error.message().contains(&at), "{error}");
                assert!(
                    error.message().contains("check `username` and `password`"),
                    "{error}"
                );
                let said = all_that_it_says(&error);
                assert!(!said.contains("hunter"), "{said}");
            }
            assert!(!format!("{redis:?}").contains("hunter"));
        }
    }
}

#[tokio::test]
async fn no_password_where_one_is_wanted_is_unavailable() {
    for flavor in Flavor::ALL {
        let server = secured(flavor);
        let redis = connect_to(&format!("redis://{}:{}", server.host(), server.port()));
        for error in every_failure(&redis, "sessions:1").await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.message().contains("set `password`"), "{error}");
        }
    }
}

/// A refusal is not for ever.
#[tokio::test]
async fn a_password_that_the_server_learns_later_lets_in() {
    for flavor in Flavor::ALL {
        let server = secured(flavor);
        let redis = connect_to(&format!("redis://:new@{}:{}", server.host(), server.port()));
        redis.ping().await.unwrap_err();
        server.command(&["ACL", "SETUSER", "default", ">new"]);
        redis.ping().await.unwrap();
    }
}

async fn a_user_with_the_commands_that_the_readme_lists_can_do_everything(server: RedisServer) {
    let rule = README
        .lines()
        .find(|line| line.starts_with("ACL SETUSER "))
        .unwrap();
    let words: Vec<&str> = rule.split(' ').collect();
    server.command(&words);
    let at = format!("{}:{}", server.host(), server.port());
    let redis = connect_to(&format!("redis://rrss:password@{at}"));
    let key = "sessions:1";

    redis.ping().await.unwrap();
    redis
        .write(&create(key, b"{}", in_an_hour()))
        .await
        .unwrap();
    redis
        .write(&update(key, b"{}", Deadline::Keep))
        .await
        .unwrap();
    let mut compared = update(key, b"{\"a\":1}", Deadline::Keep);
    compared.guard = Guard::Unchanged(Bytes::from_static(b"{}").into());
    assert_eq!(redis.write(&compared).await.unwrap(), Written::Done);
    for deadline in [in_an_hour(), Deadline::Keep, Deadline::Never] {
        assert_eq!(
            redis.touch(&touch(key, deadline)).await.unwrap(),
            Written::Done
        );
    }
    assert!(stored(&redis, key).await.unwrap().is_some());
    assert_eq!(redis.count(&load(key)).await.unwrap(), 1);
    assert_eq!(
        redis.list(&load(key), None, 10).await.unwrap().keys.len(),
        1
    );
    let mut wants = load(key);
    wants.wants_deadline = true;
    assert!(redis.load(&wants).await.unwrap().is_some());

    let entries = |names: &[&str]| -> Vec<_> {
        let key = |name: &&str| IndexKey::of("user", &format!("{name:?}")).unwrap();
        names.iter().filter_map(key).collect()
    };
    for (deadline, put, removed) in [
        (Deadline::Never, ["ann"], ["nobody"]),
        (in_an_hour(), ["ann"], ["nobody"]),
        (in_an_hour(), ["eve"], ["ann"]),
    ] {
        let mut indexed = update(key, b"{}", deadline);
        indexed.index.put = entries(&put);
        indexed.index.removed = entries(&removed);
        assert_eq!(redis.write(&indexed).await.unwrap(), Written::Done);
    }
    let eve = &entries(&["eve"])[0];
    let page = redis.find(&load(key), eve, None, 10).await.unwrap();
    assert_eq!(page.keys.len(), 1);
    let mut gone = delete(key);
    gone.index.removed = entries(&["eve"]);
    assert_eq!(redis.delete(&gone).await.unwrap(), Written::Done);
    assert_eq!(server.scan("*"), Vec::<String>::new());
    // Nothing was tried that is not in the rule, in connecting neither.
    assert_eq!(server.command(&["ACL", "LOG"]), "");
    let error = redis.load(&load("others:1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

async fn a_user_who_may_not_is_refused_by_name_of_the_server(server: RedisServer) {
    server.command(&[
        "ACL",
        "SETUSER",
        "web",
        "on",
        ">pw",
        "~sessions:*",
        "+hello",
    ]);
    let at = format!("{}:{}", server.host(), server.port());
    let redis = connect_to(&format!("redis://web:pw@{at}"));
    for error in every_failure(&redis, "sessions:hunter2").await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains(&at), "{error}");
        assert!(
            error.message().contains("does not let this user"),
            "{error}"
        );
        assert!(!all_that_it_says(&error).contains("hunter2"));
    }
}

/// A refusal within a script has no code of its own.
async fn a_user_who_may_not_do_what_a_script_does_is_told_so(server: RedisServer) {
    let rule = "ACL SETUSER web on >pw ~* +@all -get -set";
    server.command(&rule.split(' ').collect::<Vec<_>>());
    let redis = connect_to(&format!(
        "redis://web:pw@{}:{}",
        server.host(),
        server.port()
    ));
    server.command(&["SET", "sessions:1", "{}"]);
    let mut write = update("sessions:1", b"{}", in_an_hour());
    write.guard = Guard::Unchanged(Bytes::from_static(b"{}").into());
    let error = redis.write(&write).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(
        error.message().contains("does not let this user"),
        "{error}"
    );
}

async fn sessions_of_another_database_are_not_seen(server: RedisServer) {
    let [zero, three] = ["", "/3"].map(|database| connect_to(&(server.url() + database)));
    zero.write(&create("sessions:1", b"0", in_an_hour()))
        .await
        .unwrap();
    three
        .write(&create("sessions:1", b"3", in_an_hour()))
        .await
        .unwrap();
    assert_eq!(stored(&zero, "sessions:1").await.unwrap().unwrap(), "0");
    assert_eq!(stored(&three, "sessions:1").await.unwrap().unwrap(), "3");

    let error = connect_to(&(server.url() + "/99"))
        .ping()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("check `database`"), "{error}");
}
