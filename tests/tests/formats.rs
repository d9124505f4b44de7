//! Formats that change under live sessions: what was stored yesterday is read today, or is refused and kept.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::error::Error as _;

use rrss::{Error, ErrorKind, Saved, Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisServer};

const PLAIN: &str = "";
const ZSTD: &str = "{ type = 'compression', algorithm = 'zstd', min_bytes = 0 },";
const ZSTD_HARD: &str = "{ type = 'compression', algorithm = 'zstd', level = 9, min_bytes = 64 },";
const LZ4: &str = "{ type = 'compression', algorithm = 'lz4', min_bytes = 0 },";
const LARGE_ONLY: &str = "{ type = 'compression', algorithm = 'lz4', min_bytes = 1000000 },";

fn store(server: &RedisServer, compression: &str) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry' }},
            {{ type = 'json-codec' }},
            {compression}
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        server.url()
    ))
    .unwrap()
}

/// Text that any algorithm makes smaller.
fn note() -> String {
    "never look back, ".repeat(60)
}

async fn stored(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("note", &note()).unwrap();
    session.insert("step", &0).unwrap();
    store.save(&mut session).await.unwrap();
    session
}

/// The bytes that Redis holds for a session.
fn bytes(server: &RedisServer, id: &SessionId) -> Vec<u8> {
    let key = format!("sessions:{}", id.as_str());
    server.bytes(&["GET", &key]).expect("the session is stored")
}

/// What the stored bytes say that they are: JSON, a Zstandard frame (RFC 8878), an LZ4 frame.
fn form(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'{', ..] => "json",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0x04, 0x22, 0x4d, 0x18, ..] => "lz4",
        _ => "unknown",
    }
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!("\n{error}"));
        source = error.source();
    }
    text
}

#[tokio::test]
async fn a_live_session_follows_the_options_from_one_format_to_the_next() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let session = stored(&store(&server, PLAIN)).await;
        let id = session.id().unwrap();
        assert_eq!(form(&bytes(&server, id)), "json");

        let mut reached = 0;
        for (compression, expected) in [
            (ZSTD, "zstd"),
            (LZ4, "lz4"),
            (ZSTD_HARD, "zstd"),
            (LARGE_ONLY, "json"),
            (LZ4, "lz4"),
            (LARGE_ONLY, "json"),
            (PLAIN, "json"),
            (ZSTD, "zstd"),
        ] {
            let store = store(&server, compression);
            let before = bytes(&server, id);
            let mut session = store.load(id).await.unwrap().unwrap();
            assert_eq!(session.get::<String>("note").unwrap().unwrap(), note());
            assert_eq!(session.get::<u32>("step").unwrap(), Some(reached));
            assert_eq!(bytes(&server, id), before, "reading changes nothing");

            reached += 1;
            session.insert("step", &reached).unwrap();
            assert_eq!(store.save(&mut session).await.unwrap(), Saved::Replaced);
            assert_eq!(
                form(&bytes(&server, id)),
                expected,
                "{flavor}: {compression}"
            );
        }
    }
}

#[tokio::test]
async fn every_pair_of_compressions_reads_what_the_other_wrote() {
    let server = RedisServer::start(Flavor::Valkey);
    let all = [ZSTD, ZSTD_HARD, LZ4, LARGE_ONLY];
    for writes in all {
        let session = stored(&store(&server, writes)).await;
        for reads in all {
            let loaded = store(&server, reads).load(session.id().unwrap()).await;
            let loaded = loaded.unwrap().unwrap();
            assert_eq!(loaded.get::<String>("note").unwrap().unwrap(), note());
            assert_eq!(loaded.created_at(), session.created_at());
        }
    }
}

#[tokio::test]
async fn compressed_sessions_without_the_step_are_refused_with_a_hint_and_kept() {
    for flavor in Flavor::ALL {
        for compression in [ZSTD, LZ4] {
            let server = RedisServer::start(flavor);
            let mut session = stored(&store(&server, compression)).await;
            let id = session.id().unwrap().clone();
            let before = bytes(&server, &id);

            let without = store(&server, PLAIN);
            let error = without.load(&id).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{flavor}: {compression}");
            assert!(chain(&error).contains("`compression`"), "{}", chain(&error));
            assert_eq!(bytes(&server, &id), before, "{flavor}: {compression}");

            // With the step back, the session is as it was.
            let again = store(&server, compression);
            let loaded = again.load(&id).await.unwrap().unwrap();
            assert_eq!(loaded.get::<String>("note").unwrap().unwrap(), note());
            session.insert("step", &1).unwrap();
            again.save(&mut session).await.unwrap();
        }
    }
}

#[tokio::test]
async fn bytes_of_no_known_form_are_refused_and_kept() {
    let server = RedisServer::start(Flavor::Redis);
    let stores = [PLAIN, ZSTD, LZ4].map(|compression| store(&server, compression));
    let id = stored(&stores[0]).await.id().unwrap().clone();
    let key = format!("sessions:{}", id.as_str());
    let good = bytes(&server, &id);
    let frame = |compression: &'static str| {
        let (server, store) = (&server, store(&server, compression));
        async move { bytes(server, stored(&store).await.id().unwrap()) }
    };
    let (zstd, lz4) = (frame(ZSTD).await, frame(LZ4).await);
    for broken in [
        &b""[..],
        b"\0\0\0\0",
        b"[1]",
        b"\xff\xfe",
        b"O:8:\"stdClass\":0:{}",
        &good[..good.len() - 1],
        &zstd[..4],
        &zstd[..zstd.len() - 1],
        &lz4[..4],
        &lz4[..lz4.len() - 5],
    ] {
        server.command(&[b"SET", key.as_bytes(), broken]);
        for store in &stores {
            let error = store.load(&id).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{broken:?}: {error}");
            assert_eq!(bytes(&server, &id), broken);
        }
    }
}

#[tokio::test]
async fn a_key_that_holds_no_string_is_refused_and_kept() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = store(&server, ZSTD);
        let id = stored(&store).await.id().unwrap().clone();
        let key = format!("sessions:{}", id.as_str());
        server.command(&["UNLINK", &key]);
        // As the original rrss stored sessions.
        server.command(&["HSET", &key, "user", "ann"]);
        let error = store.load(&id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{flavor}: {error}");
        assert_eq!(server.command(&["HGET", &key, "user"]), "ann");
    }
}
