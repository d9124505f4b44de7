//! The commands with Redis and Valkey, there and not there.

mod cli;

use cli::{Folder, UNKNOWN_ID, impatient_pipeline, indexed, malformed_ids, redis_pipeline};
use rrss_test_servers::{Blackhole, Flavor, RedisServer, refused_port};

fn each(test: impl Fn(&RedisServer, &Folder)) {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let folder = Folder::with(&redis_pipeline(&server.url()));
        test(&server, &folder);
    }
}

fn key(id: &str) -> String {
    format!("sessions:{id}")
}

#[test]
fn a_session_lives_from_create_to_delete() {
    each(|server, folder| {
        let id = folder.ok(["create", "user=ann", "n=1"]);
        assert_eq!(server.scan("*"), [key(&id)]);
        assert_ne!(server.command(&["TTL", &key(&id)]), "-1");
        assert_eq!(folder.ok(["get", &id]), r#"{"user":"ann","n":1}"#);
        folder.ok(["set", &id, "n=2"]);
        folder.ok(["unset", &id, "user"]);
        assert_eq!(folder.ok(["get", &id]), r#"{"n":2}"#);

        server.command(&["EXPIRE", &key(&id), "1000"]);
        folder.ok(["touch", &id]);
        let ttl: u32 = server.command(&["TTL", &key(&id)]).parse().unwrap();
        assert!(ttl > 1000, "{ttl}");

        let new = folder.ok(["rotate", &id]);
        let mark = format!("sessions:rotated:{{{}}}", key(&id));
        assert_eq!(server.scan("*"), [key(&new), mark.clone()]);
        assert_eq!(folder.ok(["list"]), new);
        assert_eq!(folder.ok(["list", "--json"]), format!(r#"["{new}"]"#));
        assert_eq!(folder.ok(["count"]), "1");
        assert_eq!(folder.ok(["sweep"]), "0");
        folder.ok(["delete", &new]);
        assert_eq!(server.scan("*"), [mark]);
    });
}

#[test]
fn sessions_are_found_shown_and_revoked_by_a_value() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let folder = Folder::with(&indexed(&redis_pipeline(&server.url())));
        let ids = [(); 3].map(|()| folder.ok(["create", "user=ann"]));
        let other = folder.ok(["create", "user=bob"]);

        let found = folder.ok(["find", "user", "ann", "--ids"]);
        for id in &ids {
            let shown = folder.ok(["show", id]);
            assert!(
                shown.ends_with("index         user: found by it"),
                "{shown}"
            );
            let deadline = shown
                .lines()
                .find(|line| line.starts_with("deadline"))
                .unwrap();
            let deadline = deadline.split_whitespace().last().unwrap();
            let line = found.lines().find(|line| line.ends_with(id)).unwrap();
            assert!(line.contains(deadline), "{line} {shown}");
            let bytes = server.bytes(&["GET", &key(id)]).unwrap().len();
            assert!(
                shown.contains(&format!("stored bytes  {bytes}\n")),
                "{shown}"
            );
        }
        let handle = found.split('\t').next().unwrap();
        assert_eq!(
            folder.ok(["revoke", "user", "ann", "--handle", handle]),
            "1"
        );
        assert_eq!(folder.ok(["revoke", "user", "ann"]), "2");
        assert_eq!(folder.ok(["list"]), other);
        assert_eq!(folder.ok(["find", "user", "ann"]), "");
    }
}

#[test]
fn check_with_connect_says_how_long_it_took() {
    each(|_, folder| {
        let said = folder.ok(["check", "--connect"]);
        let mut lines = said.lines();
        let line = lines.find(|line| line.starts_with("redis answered in "));
        assert!(line.unwrap().ends_with(" ms"), "{said}");
    });
}

#[test]
fn a_malformed_id_is_exit_1_and_the_server_is_never_asked() {
    each(|server, folder| {
        server.reset_counts();
        for id in malformed_ids() {
            folder.run(["get", "--", &id]).failed(1, "no such session");
            folder
                .run(["set", "--", &id, "a=1"])
                .failed(1, "no such session");
            folder
                .run(["touch", "--", &id])
                .failed(1, "no such session");
            folder
                .run(["delete", "--", &id])
                .failed(1, "no such session");
        }
        assert_eq!(server.command_counts(), [].into());
        folder.run(["get", UNKNOWN_ID]).failed(1, "no such session");
        assert_eq!(server.command_counts().get("get"), Some(&1));
    });
}

#[test]
fn stored_bytes_that_are_no_session_are_exit_65_and_stay_as_they_are() {
    each(|server, folder| {
        let id = folder.ok(["create", &format!("text={}", "long ".repeat(200))]);
        let stored = server.bytes(&["GET", &key(&id)]).unwrap();
        let cut = stored[..stored.len() / 2].to_vec();
        for bytes in [
            cut,
            b"plain text".to_vec(),
            b"{\"a\":".to_vec(),
            Vec::new(),
            vec![0xff; 100],
        ] {
            server.command(&["SET".as_bytes(), key(&id).as_bytes(), &bytes]);
            for arguments in [
                &["get", &id][..],
                &["get", &id, "text"],
                &["show", &id],
                &["set", &id, "a=1"],
                &["unset", &id, "text"],
                &["rotate", &id],
            ] {
                let run = folder.run(arguments);
                run.failed(65, "error: ");
                assert!(!run.err.contains(&id), "{run:?}");
            }
            assert_eq!(server.bytes(&["GET", &key(&id)]).unwrap(), bytes);
        }
        assert_eq!(server.scan("*"), [key(&id)]);
    });
}

/// That every command which needs the server fails with exit code 69 and says which server, and nothing secret.
fn unavailable(config: &str, place: &str) {
    let folder = Folder::with(&indexed(config));
    for arguments in [
        &["create", "user=ann"][..],
        &["get", UNKNOWN_ID],
        &["set", UNKNOWN_ID, "a=1"],
        &["touch", UNKNOWN_ID],
        &["delete", UNKNOWN_ID],
        &["show", UNKNOWN_ID],
        &["find", "user", "ann"],
        &["revoke", "user", "ann"],
        &["list"],
        &["count"],
    ] {
        let run = folder.run(arguments);
        run.failed(69, place);
        assert!(!run.err.contains("hunter2"), "{run:?}");
        assert!(!run.err.contains(UNKNOWN_ID), "{run:?}");
    }
    assert!(folder.ok(["check"]).starts_with("rrss.toml: ok"));
    let connect = folder.run(["check", "--connect"]);
    assert_eq!(connect.code, 69, "{connect:?}");
    assert!(connect.err.contains(place), "{connect:?}");
    assert!(!connect.err.contains("hunter2"), "{connect:?}");
}

#[test]
fn a_server_that_refuses_is_exit_69() {
    let place = format!("127.0.0.1:{}", refused_port());
    unavailable(
        &redis_pipeline(&format!("redis://:hunter2@{place}")),
        &place,
    );
}

#[test]
fn a_server_that_does_not_answer_is_exit_69() {
    let hole = Blackhole::start();
    let place = format!("{}:{}", hole.host(), hole.port());
    unavailable(
        &impatient_pipeline(&format!("redis://:hunter2@{place}")),
        &place,
    );
}

#[test]
fn a_server_that_stops_answering_is_exit_69() {
    each(|server, folder| {
        let id = folder.ok(["create", "a=1"]);
        let impatient = Folder::with(&impatient_pipeline(&server.url()));
        server.pause();
        let run = impatient.run(["get", &id]);
        server.resume();
        run.failed(69, &server.port().to_string());
        assert_eq!(folder.ok(["get", &id]), r#"{"a":1}"#);
    });
}

#[test]
fn a_wrong_password_is_exit_69_and_is_not_repeated() {
    for flavor in Flavor::ALL {
        let server = RedisServer::builder(flavor).password("right").start();
        let place = format!("127.0.0.1:{}", server.port());
        unavailable(
            &redis_pipeline(&format!("redis://:hunter2@{place}")),
            &place,
        );
        unavailable(&redis_pipeline(&format!("redis://{place}")), &place);
        assert_eq!(
            Folder::with(&redis_pipeline(&server.url())).ok(["count"]),
            "0"
        );
    }
}
