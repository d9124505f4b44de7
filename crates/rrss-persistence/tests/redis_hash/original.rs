//! Sessions of the Clojure rrss 0.2.2, as it has sent them to a real Redis, and what it finds of ours.

use rrss::Store;
use rrss_core::SessionId;
use rrss_test_servers::RedisServer;
use serde_json::json;

use super::support::*;

const COMMANDS: &str = include_str!("../fixtures/original-rrss-0.2.2.commands");

on_both_servers![
    what_the_original_wrote_is_read_listed_and_changed,
    what_the_original_deletes_is_gone,
    what_rrss_writes_reads_back_in_the_original,
    a_session_goes_to_and_fro,
    the_file_holds_what_the_format_says,
];

/// The words of a line: each in quotes, with `\"` and bytes as `\xff`.
fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    while chars.next().is_some_and(|quote| quote == '"') {
        let mut word = Vec::new();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => match chars.next().unwrap() {
                    'x' => {
                        let digits: String = chars.by_ref().take(2).collect();
                        word.push(u8::from_str_radix(&digits, 16).unwrap());
                    }
                    escaped => word.extend(escaped.to_string().bytes()),
                },
                plain => word.extend(plain.to_string().bytes()),
            }
        }
        words.push(word);
        chars.next_if_eq(&' ');
    }
    words
}

fn commands() -> impl Iterator<Item = Vec<Vec<u8>>> {
    COMMANDS
        .lines()
        .map(words)
        .filter(|words| !words.is_empty())
}

/// Sends what the original has written: all of it, or all but what it has deleted.
fn replay(server: &RedisServer, with_deletes: bool) {
    for words in commands() {
        let deletes = [&b"DEL"[..], b"ZREM"].contains(&&*words[0]);
        if with_deletes || !deletes {
            server.command(&words);
        }
    }
}

/// Long enough that nothing of the file has ended.
const SHARED: &str = "compat = \"rrss-0.2\"\ncompat_duration = \"36500d\"\n";

const ANN: &str = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
const FOO: &str = "d84fc520-0c8b-4b07-9e1d-04380fed5692";
const BOB: &str = "0b9a7c52-3c1d-4c3e-9a53-6a4f0e8f2d11";
const TIMED: &str = "deadbeef-1111-4222-8333-444455556666";

async fn read_fields(store: &Store, id: &str) -> serde_json::Value {
    fields(&store.load(&SessionId::from(id)).await.unwrap().unwrap())
}

/// All that the original's reading sees.
fn read_by_the_original(server: &RedisServer, id: &str) -> Vec<String> {
    entries(server, &format!("sessions:{id}"))
}

async fn the_file_holds_what_the_format_says(server: RedisServer) {
    let names: Vec<_> = commands().map(|words| words[0].clone()).collect();
    let written = names.iter().filter(|name| **name == b"HMSET").count();
    assert_eq!((names.len(), written), (12, 5));
    replay(&server, false);
    assert_eq!(
        server.command(&["ZSCORE", "sessions:all", &format!("sessions:{BOB}")]),
        "1795369546477"
    );
}

async fn what_the_original_wrote_is_read_listed_and_changed(server: RedisServer) {
    replay(&server, false);
    let store = store(&server, SHARED);
    assert_eq!(
        read_fields(&store, ANN).await,
        json!({ "user": "ann", "visits": 3, "theme": "dark", "note": "snöwman ☃ and \"quotes\"" })
    );
    assert_eq!(read_fields(&store, FOO).await, json!({ "1": "foo" }));
    assert_eq!(
        read_fields(&store, BOB).await,
        json!({ "user": "bob", "cart": "[1 2 3]", "admin": true, "nothing": "" })
    );
    assert_eq!(read_fields(&store, TIMED).await, json!({ "b": 2 }));
    assert!(
        store
            .load(&SessionId::from("empty-one"))
            .await
            .unwrap()
            .is_none()
    );

    let listed = store.list(None, 1_000).await.unwrap();
    let mut ids: Vec<_> = listed.ids.iter().map(|id| id.as_str().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, [BOB, ANN, FOO, TIMED]);
    assert_eq!(store.count().await.unwrap(), 4);

    let mut bob = store.load(&SessionId::from(BOB)).await.unwrap().unwrap();
    assert_eq!(
        bob.expires_at().unwrap(),
        at(1_795_369_546_477 + 36_500 * 86_400_000)
    );
    bob.insert("theme", "dark").unwrap();
    bob.remove("nothing");
    store.save(&mut bob).await.unwrap();
    assert_eq!(
        read_by_the_original(&server, BOB),
        ["admin=true", "cart=[1 2 3]", "theme=dark", "user=bob"]
    );
    let mut ann = store.load(&SessionId::from(ANN)).await.unwrap().unwrap();
    store.rotate(&mut ann).await.unwrap();
    assert!(read_by_the_original(&server, ANN).is_empty());
    assert_eq!(
        read_by_the_original(&server, ann.id().unwrap().as_str()),
        [
            "note=snöwman ☃ and \"quotes\"",
            "theme=dark",
            "user=ann",
            "visits=3"
        ]
    );
}

async fn what_the_original_deletes_is_gone(server: RedisServer) {
    let store = store(&server, SHARED);
    replay(&server, false);
    let mut late = store.load(&SessionId::from(BOB)).await.unwrap().unwrap();
    replay(&server, true);
    assert!(store.load(&SessionId::from(BOB)).await.unwrap().is_none());
    late.insert("theme", "dark").unwrap();
    let error = store.save(&mut late).await.unwrap_err();
    assert_eq!(error.kind(), rrss_core::ErrorKind::Gone);
    assert!(read_by_the_original(&server, BOB).is_empty());
    assert_eq!(store.count().await.unwrap(), 3);
}

async fn what_rrss_writes_reads_back_in_the_original(server: RedisServer) {
    let store = store(&server, SHARED);
    let mut saved = session(&[
        ("user", r#""ann""#),
        ("visits", "3"),
        ("note", r#""sn\u00f6wman ☃ and \"quotes\"""#),
        ("admin", "true"),
        ("cart", r#"["tea"]"#),
        ("nothing", r#""""#),
    ]);
    store.save(&mut saved).await.unwrap();
    let id = saved.id().unwrap().as_str();
    assert_eq!(
        read_by_the_original(&server, id),
        [
            "admin=true",
            r#"cart=["tea"]"#,
            "note=snöwman ☃ and \"quotes\"",
            "nothing=",
            "user=ann",
            "visits=3"
        ]
    );
    // Its keys have no deadline, and its sweep goes by the set alone.
    assert_eq!(server.command(&["PTTL", &format!("sessions:{id}")]), "-1");
}

async fn a_session_goes_to_and_fro(server: RedisServer) {
    let url = server.url();
    let store = Store::from_toml(&format!(
        "[[step]]\ntype = \"key-mapper\"\n[[step]]\ntype = \"expiry\"\nduration = \"36500d\"\n\
         [[step]]\ntype = \"redis\"\nlayout = \"hash\"\nurl = \"{url}\"\ntimeout = \"60s\"\nconnect_timeout = \"60s\"\n{SHARED}"
    ))
    .unwrap();
    let mut saved = session(&[("user", r#""ann""#)]);
    store.save(&mut saved).await.unwrap();
    let key = key_of(&saved);
    for round in 0..3 {
        // As the original changes a session: all fields, and the time.
        let visits = format!("{}", 2 * round);
        let written = (1_795_369_546_477_u64 + round).to_string();
        server.command(&["HMSET", &key, "user", "ann", "visits", &visits]);
        server.command(&["ZADD", "sessions:all", &written, &key]);

        let mut read = loaded(&store, &saved).await;
        assert_eq!(read.get::<u64>("visits").unwrap(), Some(2 * round));
        read.insert("visits", &(2 * round + 1)).unwrap();
        let before = now().as_millis();
        store.save(&mut read).await.unwrap();
        let text = server.command(&["HGET", &key, "visits"]);
        assert_eq!(text, (2 * round + 1).to_string());
        let score: u64 = server
            .command(&["ZSCORE", "sessions:all", &key])
            .parse()
            .unwrap();
        assert!((before..=now().as_millis()).contains(&score), "{score}");
    }
}
