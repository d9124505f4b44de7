//! `keygen`, `rekey`, and what `check` says of the `encryption` step.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use cli::{Folder, indexed, pipeline, redis_pipeline, run};
use rrss::{Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisServer};
use serde_json::Value;

/// The file with the step above its backend, and these keys of the folder.
fn encrypted(config: &str, keys: &[&str], more: &str) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|id| format!("{{ id = \"{id}\", key = {{ file = \"{id}.key\" }} }}"))
        .collect();
    let step = format!(
        "[[step]]\ntype = \"encryption\"\nkeys = [{}]\n{more}\n",
        keys.join(", ")
    );
    let compression = "[[step]]\ntype = \"compression\"\n";
    config.replace(compression, &format!("{compression}\n{step}"))
}

fn embedded() -> String {
    indexed(&pipeline(
        "[[step]]\ntype = \"embedded\"\npath = \"data\"\n",
    ))
}

/// A folder with two keys and `rrss.toml`, in which the first of `keys` encrypts.
fn folder(config: &str, keys: &[&str]) -> Folder {
    let folder = Folder::empty();
    for id in ["old", "new"] {
        folder.write(&format!("{id}.key"), folder.ok(["keygen"]));
    }
    folder.write("rrss.toml", encrypted(config, keys, ""));
    folder
}

/// The same folder, after a change of its keys.
fn change(folder: &Folder, config: &str, keys: &[&str], more: &str) {
    folder.write("rrss.toml", encrypted(config, keys, more));
}

fn counted(rekeyed: u64, current: u64, corrupt: u64) -> String {
    format!("rekeyed  {rekeyed}\ncurrent  {current}\ncorrupt  {corrupt}")
}

#[test]
fn keygen_prints_a_new_key_and_nothing_else() {
    let folder = Folder::empty();
    let (one, other) = (folder.ok(["keygen"]), folder.ok(["keygen"]));
    assert_eq!((one.len(), other.len()), (44, 44));
    assert_ne!(one, other);
    one.parse::<rrss::encryption::Key>().unwrap();
}

#[test]
fn rekey_stores_all_under_the_first_key_so_that_the_old_one_can_go() {
    let folder = folder(&embedded(), &["old"]);
    let ids: Vec<String> = (0..5)
        .map(|n| folder.ok(["create", "user=ann", &format!("n={n}")]))
        .collect();
    let shown = folder.ok(["show", &ids[0]]);
    assert_eq!(folder.ok(["rekey"]), counted(0, 5, 0));

    change(&folder, &embedded(), &["new"], "");
    folder.run(["get", &ids[0]]).failed(65, "`old`");
    let refused = folder.run(["rekey"]);
    assert_eq!((refused.code, refused.out), (65, counted(0, 0, 5) + "\n"));
    assert!(refused.err.contains("5 of the stored sessions") && refused.err.contains("`old`"));

    change(&folder, &embedded(), &["new", "old"], "");
    folder.ok(["set", &ids[4], "n=4"]);
    folder.ok(["set", &ids[4], "n=44"]);
    assert_eq!(folder.ok(["rekey"]), counted(4, 1, 0));
    assert_eq!(
        folder.ok(["rekey", "--json"]),
        r#"{"changed":0,"corrupt":0,"current":5,"in_quarantine":0,"notes_left":0,"rekeyed":0}"#
    );

    change(&folder, &embedded(), &["new"], "");
    for (n, id) in ids[..4].iter().enumerate() {
        assert_eq!(folder.ok(["get", id, "n"]), n.to_string());
    }
    assert_eq!(folder.ok(["get", &ids[4], "n"]), "44");
    let bytes = |shown: &str| -> Vec<String> { shown.lines().map(str::to_owned).collect() };
    assert_eq!(bytes(&folder.ok(["show", &ids[0]])), bytes(&shown));
    assert_eq!(folder.ok(["find", "user", "ann"]).lines().count(), 5);
}

#[test]
fn rekey_says_how_much_of_the_quarantine_it_leaves() {
    let config = format!("[store]\non_corrupt = \"quarantine\"\n\n{}", embedded());
    let folder = folder(&config, &["old"]);
    let ids = ["ann", "bob"].map(|user| folder.ok(["create", &format!("user={user}")]));
    change(&folder, &config, &["new"], "");
    folder.run(["get", &ids[0]]).failed(1, "no such session");

    change(&folder, &config, &["new", "old"], "");
    let run = folder.run(["rekey"]);
    assert_eq!((run.code, run.out), (0, counted(1, 0, 0) + "\n"));
    assert!(
        run.err.contains("in quarantine (1) stays as it was"),
        "{}",
        run.err
    );
    let json: Value = serde_json::from_str(&folder.run(["rekey", "--json"]).out).unwrap();
    assert_eq!(json["in_quarantine"], 1);

    assert_eq!(folder.ok(["quarantine", "restore", "--all"]), "1");
    let run = folder.run(["rekey"]);
    assert_eq!((run.code, run.out), (0, counted(1, 1, 0) + "\n"));
    assert_eq!(run.err, "");
    change(&folder, &config, &["new"], "");
    assert_eq!(folder.ok(["get", &ids[0], "user"]), "\"ann\"");
}

#[test]
fn plain_sessions_are_encrypted_while_the_file_accepts_them_and_check_says_so() {
    let folder = folder(&embedded(), &["new"]);
    folder.write("rrss.toml", embedded());
    let id = folder.ok(["create", "user=ann"]);
    change(&folder, &embedded(), &["new"], "");
    folder.run(["get", &id]).failed(65, "not encrypted");

    change(
        &folder,
        &embedded(),
        &["new"],
        "accept_plaintext_until = 9999-12-31",
    );
    let check = folder.run(["check"]);
    assert_eq!(check.code, 0);
    for words in [
        "warning: `accept_plaintext_until` of step `encryption`: until 9999-12-31T00:00:00Z",
        "rrss.toml:21:26",
        "rrss rekey",
    ] {
        assert!(check.err.contains(words), "{words}: {check:?}");
    }
    assert_eq!(folder.ok(["get", &id, "user"]), "\"ann\"");
    assert_eq!(folder.ok(["rekey"]), counted(1, 0, 0));

    change(
        &folder,
        &embedded(),
        &["new"],
        "accept_plaintext_until = 2001-01-01",
    );
    let check = folder.run(["check"]);
    assert_eq!(check.code, 0);
    assert!(
        check.err.contains("2001-01-01T00:00:00Z has passed"),
        "{check:?}"
    );
    change(&folder, &embedded(), &["new"], "");
    folder.ok(["check"]);
    assert_eq!(folder.ok(["get", &id, "user"]), "\"ann\"");
}

#[test]
fn without_the_step_there_is_nothing_to_rekey() {
    let folder = Folder::embedded();
    let run = folder.run(["rekey"]);
    run.failed(78, "there is no `encryption` step");
    assert!(run.err.contains("rrss steps encryption"), "{run:?}");
}

#[test]
fn bad_keys_are_reported_at_their_place_and_never_shown() {
    let folder = Folder::empty();
    let key = folder.ok(["keygen"]);
    let file = |keys: &str| {
        embedded().replace(
            "[[step]]\ntype = \"compression\"\n",
            &format!("[[step]]\ntype = \"encryption\"\nkeys = {keys}\n"),
        )
    };
    let env = "{ id = \"a\", key = { env = \"RRSS_KEY\" } }";
    for (keys, value, place, words) in [
        ("[]".to_owned(), None, ":17:8", "rrss keygen"),
        (format!("[{env}]"), None, ":17:35", "`RRSS_KEY`"),
        (
            format!("[{env}]"),
            Some("aHVudGVyMg=="),
            ":17:27",
            "this is 7 bytes",
        ),
        (
            format!("[{env}]"),
            Some("hunter2!"),
            ":17:27",
            "this is no base64",
        ),
        (
            format!("[{env}, {env}]"),
            Some(&*key),
            ":17:8",
            "`a` is the id of keys[0] already",
        ),
        (
            format!("[{env}, {}]", env.replace("\"a\"", "\"b\"")),
            Some(&*key),
            ":17:8",
            "`a` and `b` are one key",
        ),
        (
            format!("[{}]", env.replace("\"a\"", "\"a b\"")),
            Some(&*key),
            ":17:16",
            "1 to 32 letters",
        ),
        ("[{ id = \"a\" }]".to_owned(), None, ":17:9", "`key`"),
        (
            "[{ id = \"a\", key = \"hunter2\" }]".to_owned(),
            None,
            ":17:27",
            "rrss keygen",
        ),
    ] {
        folder.write("rrss.toml", file(&keys));
        let mut command = folder.command(["check"]);
        if let Some(value) = value {
            command.env("RRSS_KEY", value);
        }
        let run = run(&mut command);
        run.failed(78, words);
        assert!(
            run.err.contains(&format!("rrss.toml{place}")),
            "{keys}: {run:?}"
        );
        let shown = ["hunter2", "aHVudGVyMg", &*key];
        assert!(shown.iter().all(|key| !run.err.contains(key)), "{run:?}");
    }
}

#[test]
fn explain_and_the_schema_know_the_step_and_show_no_key() {
    let folder = folder(&embedded(), &["new", "old"]);
    let picture = folder.ok(["explain"]);
    assert!(
        picture.contains("encryption") && picture.contains("[redacted]"),
        "{picture}"
    );
    let key = folder.read("new.key");
    assert!(!picture.contains(key.trim()), "{picture}");
    let schema: Value = serde_json::from_str(&folder.ok(["schema"])).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let file: Value = toml::from_str(&folder.read("rrss.toml")).unwrap();
    assert!(schema.is_valid(&file));
    let slip = folder.read("rrss.toml").replace("id = ", "ID = ");
    assert!(!schema.is_valid(&toml::from_str(&slip).unwrap()));
}

async fn add(store: &Store, id: &SessionId, field: &str, n: u64) {
    let mut session = store.load(id).await.unwrap().unwrap();
    session.insert(field, &n).unwrap();
    store.save(&mut session).await.unwrap();
}

/// Threads that save, each with a store of its own, until they are told to stop; and the round that each ended with.
struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<(String, u64)>>,
}

impl Writers {
    /// Each has saved every session once when this returns.
    fn start(folder: &Folder, ids: &[SessionId], count: usize) -> Self {
        let (stop, begun) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Barrier::new(count + 1)),
        );
        let config = folder.path().join("rrss.toml");
        let threads = (0..count).map(|writer| {
            let (stop, begun, config) = (Arc::clone(&stop), Arc::clone(&begun), config.clone());
            let (ids, field) = (ids.to_vec(), format!("writer{writer}"));
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread();
                runtime_of(runtime).block_on(async {
                    let store = Store::from_file(config).unwrap();
                    for round in 1.. {
                        for id in &ids {
                            add(&store, id, &field, round).await;
                        }
                        if round == 1 {
                            begun.wait();
                        }
                        if stop.load(Ordering::Acquire) {
                            return (field, round);
                        }
                    }
                    unreachable!("the rounds do not end")
                })
            })
        });
        let threads = threads.collect();
        begun.wait();
        Self { stop, threads }
    }

    fn end(self) -> Vec<(String, u64)> {
        self.stop.store(true, Ordering::Release);
        self.threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    }
}

fn runtime_of(mut builder: tokio::runtime::Builder) -> tokio::runtime::Runtime {
    builder.enable_all().build().unwrap()
}

#[test]
fn rekeying_beside_writers_loses_no_update_and_brings_nobody_back() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let config = indexed(&redis_pipeline(&server.url()));
        let folder = folder(&config, &["old"]);
        let runtime = runtime_of(tokio::runtime::Builder::new_current_thread());
        let old =
            runtime.block_on(async { Store::from_file(folder.path().join("rrss.toml")).unwrap() });
        let ids: Vec<SessionId> = (0..300)
            .map(|_| {
                let mut session = Session::new();
                session.insert("user", "ann").unwrap();
                runtime.block_on(old.save(&mut session)).unwrap();
                session.id().unwrap().clone()
            })
            .collect();
        let (live, others) = ids.split_at(100);
        let (left_alone, ended) = others.split_at(100);
        let deadlines: Vec<_> = left_alone
            .iter()
            .map(|id| server.command(&["PEXPIRETIME", &format!("sessions:{}", id.as_str())]))
            .collect();

        change(&folder, &config, &["new", "old"], "");
        let writers = Writers::start(&folder, live, 3);
        let mut rekey = folder.command(["rekey"]);
        let rekey = rekey
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let rekey = rekey.spawn().unwrap();
        for id in ended {
            assert!(runtime.block_on(old.delete(id)).unwrap());
        }
        let rekeyed = cli::finish(rekey);
        assert_eq!((rekeyed.code, &*rekeyed.err), (0, ""), "{rekeyed:?}");
        assert!(rekeyed.out.contains("corrupt  0"), "{rekeyed:?}");
        let rounds = writers.end();

        change(&folder, &config, &["new"], "");
        assert_eq!(folder.ok(["rekey"]), counted(0, 200, 0));
        let new =
            runtime.block_on(async { Store::from_file(folder.path().join("rrss.toml")).unwrap() });
        for id in live {
            let session = runtime.block_on(new.load(id)).unwrap().unwrap();
            for (field, round) in &rounds {
                assert_eq!(
                    session.get::<u64>(field).unwrap(),
                    Some(*round),
                    "{flavor}: {field}"
                );
            }
        }
        for (id, deadline) in left_alone.iter().zip(&deadlines) {
            assert!(runtime.block_on(new.load(id)).unwrap().is_some());
            let now = server.command(&["PEXPIRETIME", &format!("sessions:{}", id.as_str())]);
            assert_eq!(now, *deadline, "{flavor}");
        }
        for id in ended {
            assert!(runtime.block_on(new.load(id)).unwrap().is_none());
        }
        assert_eq!(folder.ok(["count"]), "200");
    }
}
