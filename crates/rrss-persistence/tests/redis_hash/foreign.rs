//! A string where a hash is expected, and the reverse.

use rrss::Store;
use rrss_core::{Action, Backend, ErrorKind, Session, Written};
use rrss_persistence::redis::{Compat, Hashes, Options};
use rrss_test_servers::RedisServer;
use serde_json::json;

use super::support::*;

on_both_servers![
    a_string_where_a_hash_is_expected_is_corrupt_and_stays_as_it_was,
    a_hash_where_a_string_is_expected_is_corrupt_and_stays_as_it_was,
    two_layouts_in_one_database_list_and_count_their_own,
    a_foreign_list_among_the_keys_is_no_session,
];

async fn a_string_where_a_hash_is_expected_is_corrupt_and_stays_as_it_was(server: RedisServer) {
    let shared = Hashes::new(Options {
        compat: Some(Compat::Rrss02),
        ..generous(&server.url())
    });
    for redis in [connect(&server), shared.unwrap()] {
        server.command(&["SET", KEY, "hunter2"]);
        let write = update(KEY, session(&[("a", "1")]), in_an_hour());
        let form = redis.stored_form(&session(&[("a", "1")])).unwrap();
        let stale = unchanged(update(KEY, session(&[("a", "2")]), in_an_hour()), &form);
        for error in [
            redis.load(&op(Action::Load, KEY, now())).await.unwrap_err(),
            redis.write(&write).await.unwrap_err(),
            redis.write(&stale).await.unwrap_err(),
            redis
                .delete(&unchanged(delete(KEY), &form))
                .await
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains("another type"), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("hunter2") && !shown.contains(KEY),
                "{shown}"
            );
        }
        let create = create(KEY, session(&[("a", "1")]), in_an_hour());
        assert_eq!(redis.write(&create).await.unwrap(), Written::Taken);
        assert_eq!(server.command(&["GET", KEY]), "hunter2");
        assert_eq!(server.command(&["PTTL", KEY]), "-1");

        // Deleting is the one way to be rid of what cannot be read.
        assert_eq!(redis.delete(&delete(KEY)).await.unwrap(), Written::Done);
        assert_eq!(server.command(&["DBSIZE"]), "0");
    }
}

fn of_strings(server: &RedisServer) -> Store {
    let url = server.url();
    Store::from_toml(&format!(
        "[[step]]\ntype = \"key-mapper\"\n[[step]]\ntype = \"json-codec\"\n\
         [[step]]\ntype = \"redis\"\ntimeout = \"60s\"\nconnect_timeout = \"60s\"\nurl = \"{url}\"\n"
    ))
    .unwrap()
}

async fn a_hash_where_a_string_is_expected_is_corrupt_and_stays_as_it_was(server: RedisServer) {
    let (hashes, strings) = (store(&server, ""), of_strings(&server));
    let mut saved = session(&[("a", "1")]);
    hashes.save(&mut saved).await.unwrap();
    let id = saved.id().unwrap().clone();
    assert_eq!(
        strings.load(&id).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    let mut taken = Session::with_id(id);
    taken.insert("b", &2).unwrap();
    assert_eq!(
        strings.save(&mut taken).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(fields(&loaded(&hashes, &saved).await), json!({ "a": 1 }));
}

async fn two_layouts_in_one_database_list_and_count_their_own(server: RedisServer) {
    let (hashes, strings) = (store(&server, ""), of_strings(&server));
    let (mut hash, mut string) = (session(&[("a", "1")]), session(&[("b", "2")]));
    hashes.save(&mut hash).await.unwrap();
    strings.save(&mut string).await.unwrap();
    for (store, own, other) in [(&hashes, &hash, &string), (&strings, &string, &hash)] {
        assert_eq!(store.count().await.unwrap(), 1);
        let listed = store.list(None, 100).await.unwrap();
        assert_eq!(listed.ids, [own.id().unwrap().clone()]);
        let error = store.load(other.id().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    assert_eq!(server.command(&["DBSIZE"]), "2");
}

async fn a_foreign_list_among_the_keys_is_no_session(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["RPUSH", KEY, "a", "b"]);
    let error = redis.load(&op(Action::Load, KEY, now())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(
        redis.count(&op(Action::Count, KEY, now())).await.unwrap(),
        0
    );
    assert_eq!(server.command(&["LLEN", KEY]), "2");
}
