//! The other shapes in which sessions are stored: field by field, under digests of their ids, and as other stores left them.

use std::time::Duration;

use rrss::core::{Action, Deadline, Payload};
use rrss::{ErrorKind, Operation, Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisServer};

use crate::watch::{OTHER_VALUE, PASSWORD, VALUE, Watch};
use crate::{new_session, use_all, use_index};

fn with_password(flavor: Flavor) -> RedisServer {
    RedisServer::builder(flavor).password(PASSWORD).start()
}

fn hidden(watch: &mut Watch, id: &SessionId) {
    watch.hide(id);
    // Who reads the backend sees it, and who reads a log has no use for it.
    let name = id.digest().name();
    watch.hide_text(&name["sha256:".len()..]);
}

#[tokio::test]
async fn nothing_is_shown_of_sessions_that_are_hashes_in_redis() {
    let mut watch = Watch::start();
    for flavor in Flavor::ALL {
        for hash in ["none", "sha256"] {
            let server = with_password(flavor);
            let store = Store::from_toml(&format!(
                "step = [
                    {{ type = 'key-mapper', hash = '{hash}' }},
                    {{ type = 'expiry', resolution = '10ms' }},
                    {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s', layout = 'hash', max_bytes = 2000, max_fields = 5 }},
                ]",
                server.url()
            ))
            .unwrap();
            let id = use_all(&store, &mut watch).await;
            let name = match hash {
                "none" => id.as_str().to_owned(),
                _ => id.digest().name(),
            };
            let key = format!("sessions:{name}");
            let spoilt = [
                vec!["HSET", &key, "$rrss", VALUE],
                vec!["HSET", &key, "$rrss", "{}", "wide", OTHER_VALUE, VALUE, "1"],
            ];
            let wide = ["a", "b", "c"].map(|name| vec!["HSET", key.as_str(), name, VALUE]);
            let mut refused = 0;
            for command in spoilt.iter().chain(&wide) {
                server.command(command);
                if let Err(error) = store.load(&id).await {
                    watch.see_error(&error, ErrorKind::Corrupt);
                    refused += 1;
                }
            }
            assert!(refused >= 2, "{refused}");
            server.command(&["UNLINK", &key]);
            server.command(&["SET", &key, VALUE]);
            watch.see_error(&store.load(&id).await.unwrap_err(), ErrorKind::Corrupt);
            store.shutdown(Duration::from_secs(60)).await.unwrap();
        }
    }
    watch.ends("`max_bytes` allows 2000");
}

/// With digests in the place of ids, and while stores become so: old sessions have keys of both kinds.
#[tokio::test]
async fn nothing_is_shown_of_ids_that_are_hashed() {
    let mut watch = Watch::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rrss.toml");
    let servers = Flavor::ALL.map(with_password);
    let redis = |server: &RedisServer| {
        format!(
            "{{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
            server.url()
        )
    };
    for (backend, cache) in [
        ("{ type = 'memory' }".to_owned(), ""),
        ("{ type = 'embedded' }".to_owned(), ""),
        (redis(&servers[0]), ""),
        (redis(&servers[1]), "{ type = 'cache' },"),
    ] {
        for until in ["", ", accept_raw_keys_until = 2999-01-01"] {
            let text = format!(
                "store = {{ on_corrupt = 'quarantine' }}
                step = [
                    {{ type = 'key-mapper', hash = 'sha256' {until} }},
                    {{ type = 'expiry', resolution = '10ms' }},
                    {{ type = 'index', fields = ['user'], max_per_value = 3, keep_expired = '1d' }},
                    {cache}
                    {{ type = 'json-codec' }},
                    {backend},
                ]"
            );
            std::fs::write(&file, text).unwrap();
            let store = Store::from_file(&file).unwrap();
            watch.see_debug(&store);
            let session = new_session(&store, &mut watch).await;
            let id = session.id().unwrap();
            hidden(&mut watch, id);
            watch.see_debug(&store.list(None, 10).await.unwrap());
            spoil(&store, id).await;
            watch.see_debug(&store.load(id).await);
            let names = store.quarantine().unwrap().names(None, 10).await.unwrap();
            watch.see_debug(&names);
            use_index(&store, &mut watch).await;
        }
    }
    watch.ends("sha256");
}

/// Overwrites what is stored, whatever the backend.
async fn spoil(store: &Store, id: &SessionId) {
    let mut op = Operation::new(Action::Update, store.now()).with_id(id.clone());
    assert!(store.pipeline().prepare(&mut op).unwrap());
    op.payload = Payload::Bytes(VALUE.into());
    op.deadline = Deadline::Keep;
    store.pipeline().run_on_backend(&op).await.unwrap();
}

#[tokio::test]
async fn nothing_is_shown_of_sessions_of_other_stores() {
    let mut watch = Watch::start();
    let server = with_password(Flavor::Redis);
    let json = format!("{{\"pin\":\"\\\"{VALUE}\\\"\",\"user\":\"\\\"{OTHER_VALUE}\\\"\"}}");
    for (format, whole) in [
        ("tower-sessions", tower_record()),
        ("actix-session", json.into_bytes()),
    ] {
        let broken = &whole[..whole.len() - 15];
        let store = Store::from_toml(&format!(
            "step = [
                {{ type = 'key-mapper', template = '{{id}}', id = '{format}' }},
                {{ type = 'expiry', resolution = '10ms' }},
                {{ type = 'json-codec' }},
                {{ type = 'legacy-read', format = '{format}' }},
                {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
            ]",
            server.url()
        ))
        .unwrap();
        watch.see_debug(&store);
        let id = new_session(&store, &mut watch).await.id().unwrap().clone();
        put(&server, id.as_str(), &whole);
        let mut session = store.load(&id).await.unwrap().unwrap();
        let pin: Option<String> = session.get("pin").unwrap();
        assert_eq!(pin.as_deref(), Some(VALUE), "{format}");
        watch.see_debug(&session);
        session.insert("more", OTHER_VALUE).unwrap();
        store.save(&mut session).await.unwrap();
        watch.see_debug(&store.inspect(&id).await.unwrap());
        put(&server, id.as_str(), broken);
        watch.see_error(&store.load(&id).await.unwrap_err(), ErrorKind::Corrupt);
        let mut other = Session::with_id(id);
        other.insert("pin", VALUE).unwrap();
        watch.see_error(
            &store.save(&mut other).await.unwrap_err(),
            ErrorKind::Conflict,
        );
    }
    watch.ends("legacy-read");
}

fn put(server: &RedisServer, key: &str, bytes: &[u8]) {
    server.command(&[b"SET", key.as_bytes(), bytes, b"EX", b"1000"]);
}

/// As tower-sessions stores one, in MessagePack: no id, a map of two fields, and a date.
fn tower_record() -> Vec<u8> {
    let text = |text: &str| [&[0xa0 | text.len() as u8][..], text.as_bytes()].concat();
    [
        &[0x93, 0xc0, 0x82][..],
        &text("pin"),
        &text(VALUE),
        &text("user"),
        &text(OTHER_VALUE),
        &[0x99, 0xcd, 0x27, 0x0f, 1, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat()
}
