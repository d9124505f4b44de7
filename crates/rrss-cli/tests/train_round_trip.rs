//! A dictionary from its training to its retirement, on the backends.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;
#[path = "cli/shop.rs"]
mod shop;

use cli::{Folder, pipeline, redis_pipeline};
use rrss::SessionId;
use rrss_test_servers::{Flavor, RedisServer};
use serde_json::Value;

const SESSIONS: u64 = 600;

fn trained(folder: &Folder, file: &str) -> Value {
    serde_json::from_str(&folder.ok(["train", "--out", file, "--json"])).unwrap()
}

/// The file with other lines in its `compression` step.
fn compressing(config: &str, lines: &str) -> String {
    let step = "type = \"compression\"\n";
    assert!(config.contains(step));
    config.replace(step, &format!("{step}{lines}\n"))
}

fn stored_bytes(folder: &Folder, ids: &[SessionId]) -> u64 {
    let each = ids.iter().map(|id| {
        let shown = folder.ok(["show", id.as_str(), "--json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["stored_bytes"].as_u64().unwrap()
    });
    each.sum()
}

#[track_caller]
fn readable(folder: &Folder, id: &SessionId, number: u64) {
    assert_eq!(folder.ok(["get", id.as_str()]), shop::session(number));
}

/// Trains, configures, saves, trains again, and retires the first dictionary, in a store of this file.
fn lives_and_ends(folder: &Folder, config: &str) {
    let file = folder.path().join("rrss.toml");
    let old = shop::fill(&file, 0..SESSIONS);
    let before = stored_bytes(folder, &old[..20]);
    let ends = |id: &SessionId| {
        let shown: Value =
            serde_json::from_str(&folder.ok(["show", id.as_str(), "--json"])).unwrap();
        shown["expires_at"].clone()
    };
    let deadline = ends(&old[0]);

    let first = trained(folder, "first.dict");
    let stored = |kind: &str| first["stored"][kind]["bytes"].as_u64().unwrap();
    assert_eq!(
        (&first["trained_on"], &first["held_out"]),
        (&480.into(), &120.into())
    );
    assert!(stored("zstd") < stored("plain"));
    assert!(stored("trained") * 3 < stored("zstd") * 2, "{first}");
    assert_eq!(first["stored"]["trained"]["larger"], 0);
    assert_eq!(first["left_out"], 0);
    assert_eq!(ends(&old[0]), deadline, "training renews no session");
    assert_eq!(folder.ok(["count"]), SESSIONS.to_string());

    let reading = "dictionary = \"first.dict\"\nwrite_with_dictionary = false";
    folder.write("reading.toml", compressing(config, reading));
    folder.write(
        "rrss.toml",
        compressing(config, "dictionary = \"first.dict\""),
    );
    folder.ok(["check"]);
    let new = shop::fill(&file, 0..20);
    let after = stored_bytes(folder, &new);
    assert!(after * 3 < before * 2, "{after} {before}");
    for number in 0..20_u64 {
        readable(folder, &old[number as usize], number);
        readable(folder, &new[number as usize], number);
    }
    let id = new[0].as_str();
    let read = folder.ok(["get", id, "--config", "reading.toml"]);
    assert_eq!(read, shop::session(0));

    shop::fill(&file, 1_000..1_200);
    let second = trained(folder, "second.dict");
    assert_eq!(
        second["dictionary"],
        Value::from(["second.dict", "first.dict"].map(Value::from).to_vec())
    );
    assert_ne!(second["id"], first["id"]);
    assert!(second["stored"]["current"]["bytes"].as_u64().unwrap() > 0);
    let both = "dictionary = [\"second.dict\", \"first.dict\"]";
    folder.write("rrss.toml", compressing(config, both));
    folder.ok(["check"]);
    let newest = shop::fill(&file, [7]);
    readable(folder, &old[0], 0);
    readable(folder, &new[0], 0);
    readable(folder, &newest[0], 7);

    folder.write(
        "rrss.toml",
        compressing(config, "dictionary = \"second.dict\""),
    );
    readable(folder, &old[0], 0);
    readable(folder, &newest[0], 7);
    let run = folder.run(["get", id]);
    run.failed(
        65,
        &format!(
            "the dictionary of id {}, which is not configured",
            first["id"]
        ),
    );
    assert!(!run.err.contains(id), "{run:?}");
    let partly = trained(folder, "third.dict");
    let figure = |name: &str| partly[name].as_u64().unwrap();
    assert!(figure("left_out") > 100, "{partly}");
    let all = figure("trained_on") + figure("held_out") + figure("left_out");
    assert_eq!(all.to_string(), folder.ok(["count"]));

    folder.write("rrss.toml", compressing(config, both));
    readable(folder, &new[0], 0);
    std::fs::remove_file(folder.path().join("first.dict")).unwrap();
    folder.run(["get", id]).failed(78, "first.dict");
    let check = folder.run(["check"]);
    check.failed(78, "the dictionary `first.dict` could not be read");
}

#[test]
fn a_dictionary_lives_and_ends_on_embedded() {
    let config = pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n");
    lives_and_ends(&Folder::with(&config), &config);
}

#[test]
fn a_dictionary_lives_and_ends_on_redis_and_valkey() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let config = redis_pipeline(&server.url());
        lives_and_ends(&Folder::with(&config), &config);
    }
}

#[test]
fn sessions_that_cannot_be_read_are_left_out_and_counted() {
    let server = RedisServer::start(Flavor::ALL[0]);
    let folder = Folder::with(&redis_pipeline(&server.url()));
    let ids = shop::fill(&folder.path().join("rrss.toml"), 0..200);
    for (id, bytes) in ids.iter().zip(["", "plain text", "{\"a\":"]) {
        server.command(&["SET", &format!("sessions:{}", id.as_str()), bytes]);
    }
    let report = folder.ok(["train", "--out", "sessions.dict"]);
    assert!(report.contains("trained on 158 sessions"), "{report}");
    assert!(report.contains("\n3 sessions were left out"), "{report}");
    for id in ids {
        assert!(!report.contains(id.as_str()));
    }
}

#[test]
fn a_sample_is_as_large_as_it_is_asked_for() {
    let folder = Folder::embedded();
    shop::fill(&folder.path().join("rrss.toml"), 0..300);
    let of = |sample: &str, file: &str| {
        let text = folder.ok(["train", "--sample", sample, "--out", file, "--json"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        report["trained_on"].as_u64().unwrap() + report["held_out"].as_u64().unwrap()
    };
    assert_eq!(of("150", "a.dict"), 150);
    assert_eq!(of("5000", "b.dict"), 300);
    let few = folder.run(["train", "--sample", "99", "--out", "c.dict"]);
    few.failed(
        65,
        "100 sessions or more, some thousand are good, and here are 99",
    );
    assert!(
        few.err
            .contains("help: take more sessions of the store: --sample N"),
        "{few:?}"
    );
}
