//! What is known of a session, without its values.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use cli::{Folder, malformed_ids, pipeline};
use rrss::{Handle, Session, SessionId, Store, Timestamp};
use serde_json::{Value, json};

fn shown(folder: &Folder, id: &str) -> Value {
    serde_json::from_str(&folder.ok(["show", id, "--json"])).unwrap()
}

/// Stores one session, and answers its id and how many bytes were stored of it.
fn store(folder: &Folder, mut session: Session) -> (String, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Store::from_file(folder.path().join("rrss.toml")).unwrap();
        store.save(&mut session).await.unwrap();
        store
            .shutdown(std::time::Duration::from_secs(60))
            .await
            .unwrap();
        let id = session.id().unwrap().as_str().to_owned();
        (id, session.stored().unwrap().as_bytes().len())
    })
}

#[test]
fn show_tells_all_but_the_values_and_the_id() {
    let folder = Folder::indexed();
    let mut session = Session::new();
    session.insert("user", "hunter2").unwrap();
    session.insert("two words", &vec!["hunter2"; 100]).unwrap();
    let (id, bytes) = store(&folder, session);
    assert!(bytes < 100 * "hunter2".len(), "compressed: {bytes}");

    let json = shown(&folder, &id);
    let text = folder.ok(["show", &id]);
    let lines: Vec<&str> = text.lines().collect();
    let instant = |name: &str| json[name].as_str().unwrap().to_owned();
    let (created, written) = (instant("created_at"), instant("written_at"));
    let deadline = instant("expires_at");
    for instant in [&created, &written, &deadline] {
        humantime::parse_rfc3339(instant).unwrap();
    }
    let handle = Handle::of(&SessionId::from(&*id)).to_string();
    assert_eq!(
        lines,
        [
            &*format!("handle        {handle}"),
            &*format!("created       {created}"),
            &*format!("written       {written}"),
            &*format!("deadline      {deadline}"),
            "own deadline  none",
            &*format!("stored bytes  {bytes}"),
            "fields        user",
            "              \"two words\"",
            "index         user: found by it",
        ]
    );
    let expected = json!({
        "handle": handle,
        "created_at": created,
        "written_at": written,
        "expires_at": deadline,
        "own_deadline": null,
        "stored_bytes": bytes,
        "fields": ["user", "two words"],
        "index": [{ "field": "user", "found": true }],
    });
    assert_eq!(json, expected);
    for secret in ["hunter2", &id] {
        assert!(!text.contains(secret) && !json.to_string().contains(secret));
    }
}

#[test]
fn a_session_without_fields_or_index_is_shown_too() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "a=1"]);
    folder.ok(["unset", &id, "a"]);
    let text = folder.ok(["show", &id]);
    assert!(
        text.ends_with("\nfields        none\nindex         none"),
        "{text}"
    );
    let json = shown(&folder, &id);
    assert_eq!((&json["fields"], &json["index"]), (&json!([]), &json!([])));
}

#[test]
fn a_deadline_of_its_own_is_told() {
    let folder = Folder::embedded();
    let mut session = Session::new();
    session.insert("a", &1).unwrap();
    session.set_expires_at(Timestamp::from_millis(4_102_444_800_000));
    let (id, _) = store(&folder, session);
    let json = shown(&folder, &id);
    assert_eq!(json["own_deadline"], "2100-01-01T00:00:00.000Z");
    assert_eq!(json["expires_at"], json["own_deadline"]);
    let text = folder.ok(["show", &id]);
    assert!(
        text.contains("\nown deadline  2100-01-01T00:00:00.000Z\n"),
        "{text}"
    );
}

#[test]
fn a_session_that_was_stored_before_its_field_was_indexed_is_not_found_by_it_until_it_changes() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "user=ann", "tenant=[1]", "n=1"]);
    folder.write("rrss.toml", cli::indexed(&folder.read("rrss.toml")));
    let text = folder.ok(["show", &id]);
    assert!(
        text.contains("index         user: not found by it until"),
        "{text}"
    );
    assert!(
        text.contains("\n              tenant: not found by it: the value is neither"),
        "{text}"
    );
    assert_eq!(folder.ok(["find", "user", "ann"]), "");
    let missing = |field: &str| json!({ "field": field, "found": false });
    assert_eq!(
        shown(&folder, &id)["index"],
        json!([missing("user"), missing("tenant")])
    );

    folder.ok(["set", &id, "n=2", "tenant=null"]);
    assert!(
        folder
            .ok(["show", &id])
            .ends_with("index         user: found by it")
    );
    assert_eq!(folder.ok(["find", "user", "ann"]).lines().count(), 1);
}

#[test]
fn showing_a_session_is_no_use_of_it() {
    let embedded = pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n");
    let renewing = "duration = \"1h\"\nrenew = \"load\"\nrenew_after = \"1ms\"\n";
    let folder = Folder::with(&embedded.replace("duration = \"1h\"\n", renewing));
    let id = folder.ok(["create", "a=1"]);
    let before = shown(&folder, &id);
    assert_eq!(shown(&folder, &id), before);
    folder.ok(["show", &id]);
    assert_eq!(shown(&folder, &id), before);

    let mut used = before.clone();
    while used == before {
        folder.ok(["get", &id]);
        used = shown(&folder, &id);
    }
    assert!(used["expires_at"].as_str() > before["expires_at"].as_str());
    assert_eq!(used["written_at"], before["written_at"]);
}

#[test]
fn an_id_that_names_no_session_is_exit_1_and_is_not_repeated() {
    let folder = Folder::indexed();
    folder.ok(["create", "user=ann"]);
    for id in malformed_ids()
        .into_iter()
        .chain([cli::UNKNOWN_ID.to_owned()])
    {
        let run = folder.run(["show", "--", &id]);
        run.failed(1, "no such session");
        assert!(id.len() < 3 || !run.err.contains(&id), "{run:?}");
    }
}
