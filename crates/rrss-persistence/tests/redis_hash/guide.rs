//! What the guide for users of the Clojure rrss says to do.

use std::time::Duration;

use rrss::{Store, Timestamp};
use rrss_test_servers::{Flavor, RedisServer};

use super::support::*;

const GUIDE: &str = include_str!("../../../../docs/guides/from-clojure-rrss.md");

/// The blocks of code in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let mut parts = GUIDE.split("```");
    parts.next();
    let code = parts.step_by(2);
    code.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[tokio::test]
async fn its_file_makes_a_store_that_shares_sessions() {
    let server = RedisServer::start(Flavor::Redis);
    let [toml] = blocks("toml")[..] else {
        panic!("the guide has one file")
    };
    assert!(toml.contains("redis://localhost:6379"));
    let patient = format!(
        "{}\"\ntimeout = \"60s\"\nconnect_timeout = \"60s",
        server.url()
    );
    let store = Store::from_toml(&toml.replace("redis://localhost:6379", &patient)).unwrap();
    let mut saved = session(&[("user", r#""ann""#)]);
    store.save(&mut saved).await.unwrap();
    assert_eq!(entries(&server, &key_of(&saved)), ["user=ann"]);
    let week = Duration::from_secs(7 * 86_400);
    let score = server.command(&["ZSCORE", "sessions:all", &key_of(&saved)]);
    let written = Timestamp::from_millis(score.parse().unwrap());
    assert_eq!(saved.expires_at(), Some(written + week));
}

/// All operations, by users who have these rights alone.
#[tokio::test]
async fn its_rights_are_enough() {
    let [own, shared] = blocks("text")[..] else {
        panic!("the guide has two lists of rights")
    };
    for flavor in Flavor::ALL {
        for (rights, options) in [
            (own.to_owned(), ""),
            (format!("{own} {shared}"), "compat = \"rrss-0.2\"\n"),
        ] {
            let server = RedisServer::start(flavor);
            let acl: Vec<&str> = rights.split_whitespace().collect();
            assert_eq!(acl[..3], ["ACL", "SETUSER", "rrss"]);
            server.command(&acl);
            let options = format!("username = \"rrss\"\npassword = \"password\"\n{options}");
            let store = store(&server, &options);
            let mut saved = session(&[("a", "1")]);
            saved.set_expires_at(now() + GENEROUS.get());
            store.save(&mut saved).await.unwrap();
            saved.remove("a");
            saved.insert_if_unchanged("b", &2).unwrap();
            saved.insert_if_unchanged("c", &2).unwrap();
            saved.clear_expires_at();
            store.save(&mut saved).await.unwrap();
            let id = saved.id().unwrap().clone();
            store.inspect(&id).await.unwrap().unwrap();
            assert!(store.touch(&id).await.unwrap());
            assert!(
                store
                    .touch_until(&id, now() + GENEROUS.get())
                    .await
                    .unwrap()
            );
            store.rotate(&mut saved).await.unwrap();
            assert_eq!(store.count().await.unwrap(), 1);
            assert_eq!(store.list(None, 10).await.unwrap().ids.len(), 1);
            let ended = key(&"ended".into());
            server.command(&["HSET", &ended, "a", "1"]);
            server.command(&["ZADD", "sessions:all", "1", &ended]);
            store.sweep().await.unwrap();
            assert!(store.delete(saved.id().unwrap()).await.unwrap());
            store.ping().await.unwrap();
        }
    }
}

/// The commands that its pipeline makes of the set.
#[tokio::test]
async fn sessions_that_leave_the_set_end_when_they_would_have() {
    let console = blocks("console").join("\n");
    for part in [
        "ZRANGE sessions:all 0 -1 WITHSCORES",
        "PEXPIREAT %s %.0f NX",
        "UNLINK",
    ] {
        assert!(console.contains(part), "{part}");
    }
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let shared = store(&server, "compat = \"rrss-0.2\"\n");
        let mut saved = session(&[("user", r#""ann""#)]);
        saved.set_expires_at(now() + GENEROUS.get());
        store_and_leave(&server, &shared, &mut saved).await;
        let plain = store(&server, "");
        let read = plain.inspect(saved.id().unwrap()).await.unwrap().unwrap();
        assert_eq!(read.expires_at(), saved.expires_at());
        assert_eq!(fields(&read), fields(&saved));
        assert_eq!(server.command(&["DBSIZE"]), "1");
    }
}

async fn store_and_leave(server: &RedisServer, shared: &Store, saved: &mut rrss::Session) {
    shared.save(saved).await.unwrap();
    let set = server.command(&["ZRANGE", "sessions:all", "0", "-1", "WITHSCORES"]);
    let words: Vec<&str> = set.lines().collect();
    for pair in words.chunks(2) {
        let deadline = pair[1].parse::<u64>().unwrap() + 7 * 86_400_000;
        server.command(&["PEXPIREAT", pair[0], &deadline.to_string(), "NX"]);
    }
    server.command(&["UNLINK", "sessions:all"]);
}
