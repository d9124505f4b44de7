//! Where the sessions of the shop are: on the disk or in Redis, through restarts, kills and outages.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod running;
mod visitor;

use std::fs;

use reqwest::StatusCode;
use rrss::{Registry, loader::Loader};
use rrss_test_servers::{Flavor, RedisServer};

use crate::running::{ON_DISK, folder_with, start};
use crate::visitor::{Visitor, address, name, page, total, visits};

const IN_REDIS: &str = include_str!("../rrss.redis.toml");

/// Redis that has on its disk what it acknowledged.
fn lasting_redis(flavor: Flavor) -> RedisServer {
    let redis = RedisServer::builder(flavor).arg("--appendonly", "yes");
    redis.arg("--appendfsync", "always").start()
}

#[test]
fn sessions_on_disk_survive_a_restart_and_kill_9() {
    let (_folder, config) = folder_with(ON_DISK);
    let mut shop = start(&config, None);
    let ann = Visitor::new();
    ann.sign_in(&shop, "Ann");
    assert_eq!(total(&ann.buy(&shop, "Bread")), Some("€ 3.20"));
    let id = ann.id(&shop);

    assert!(shop.stop().success());
    let mut shop = start(&config, None);
    assert_eq!(ann.visit(&shop), 3);
    shop.kill_hard();

    let shop = start(&config, None);
    let seen = page(ann.get(&shop));
    assert_eq!(
        (visits(&seen), name(&seen), total(&seen)),
        (4, Some("Ann"), Some("€ 3.20"))
    );
    assert_eq!(ann.id(&shop), id);
}

#[test]
fn sessions_in_redis_survive_a_restart_and_kill_9_of_the_shop() {
    for flavor in Flavor::ALL {
        let redis = RedisServer::start(flavor);
        let (folder, config) = folder_with(IN_REDIS);
        let mut shop = start(&config, Some(&redis));
        let ann = Visitor::new();
        ann.sign_in(&shop, "Ann");
        assert!(shop.stop().success());
        let mut shop = start(&config, Some(&redis));
        assert_eq!(ann.visit(&shop), 2, "{flavor}");
        shop.kill_hard();
        let shop = start(&config, Some(&redis));
        let seen = page(ann.get(&shop));
        assert_eq!((visits(&seen), name(&seen)), (3, Some("Ann")), "{flavor}");

        let key = format!("sessions:{}", ann.id(&shop).unwrap());
        assert_eq!(redis.scan("*"), [key.as_str()], "{flavor}");
        assert!(redis.command(&["PTTL", &key]).parse::<i64>().unwrap() > 0);
        // Nothing of it is on this machine's disk.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn while_redis_is_down_the_shop_says_so_and_then_goes_on_where_it_was() {
    for flavor in Flavor::ALL {
        let mut redis = lasting_redis(flavor);
        let (_folder, config) = folder_with(IN_REDIS);
        let shop = start(&config, Some(&redis));
        let ann = Visitor::new();
        assert_eq!([ann.visit(&shop), ann.visit(&shop)], [1, 2]);
        let id = ann.id(&shop);

        redis.stop();
        for response in [
            ann.get(&shop),
            ann.post(&shop, "/sign-out", &[]),
            Visitor::new().get(&shop),
        ] {
            assert_eq!(
                response.status(),
                StatusCode::SERVICE_UNAVAILABLE,
                "{flavor}"
            );
            assert!(!response.headers().contains_key("set-cookie"), "{flavor}");
            let text = response.text().unwrap();
            assert!(text.lines().count() <= 1, "{text}");
            assert!(!text.contains("127.0.0.1"), "{text}");
        }
        assert_eq!(ann.id(&shop), id, "an outage takes no cookie away");
        let files = ann.client.get(address(&shop, "/style.css")).send().unwrap();
        assert_eq!(files.status(), StatusCode::OK);

        redis.restart();
        assert_eq!(ann.visit(&shop), 3, "{flavor}");
        assert_eq!(ann.id(&shop), id, "{flavor}");
    }
}

#[test]
fn an_id_that_was_planted_is_not_adopted() {
    let redis = RedisServer::start(Flavor::Redis);
    let (_folder, config) = folder_with(IN_REDIS);
    let shop = start(&config, Some(&redis));
    for planted in [
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "1",
        "*",
        "../../etc/passwd",
    ] {
        let victim = Visitor::with_id(&shop, planted);
        assert_eq!(victim.visit(&shop), 1);
        let id = victim.id(&shop).unwrap();
        assert_ne!(id, planted);
        assert!(redis.scan("*").contains(&format!("sessions:{id}")));
        assert!(!redis.scan("*").contains(&format!("sessions:{planted}")));
    }
}

#[test]
fn one_changed_line_of_the_file_puts_the_sessions_into_redis() {
    let changed = ON_DISK.replace("\ntype = \"embedded\"", "\ntype = \"redis\"");
    let lines = || ON_DISK.lines().zip(changed.lines());
    assert_eq!(lines().filter(|(one, other)| one != other).count(), 1);
    let backend = |text: &str| {
        let plan = Loader::new(Registry::linked()).read_text(text).unwrap();
        let last = plan.steps().last().unwrap();
        (last.name().to_owned(), last.options())
    };
    assert_eq!(backend(ON_DISK).0, "embedded");
    // No test talks to the default port, where a developer may have a Redis; what it comes to is what is checked.
    assert_eq!(backend(&changed).0, "redis");

    // The same change, at a Redis of this test's own.
    let redis = RedisServer::start(Flavor::Valkey);
    let here = format!("\ntype = \"redis\"\nurl = \"{}\"", redis.url());
    let (_folder, config) = folder_with(&ON_DISK.replace("\ntype = \"embedded\"", &here));
    let shop = start(&config, None);
    let ann = Visitor::new();
    assert_eq!([ann.visit(&shop), ann.visit(&shop)], [1, 2]);
    assert_eq!(
        redis.scan("*"),
        [format!("sessions:{}", ann.id(&shop).unwrap())]
    );
}
