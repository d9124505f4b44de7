//! Entries: which operations make some, and which remove some.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::{
    Action, ErrorKind, Handle, IndexKey, Note, NoteChange, Operation, Pipeline, Session, Shape,
    Step, Timestamp, Transform,
};
use rrss_index::{Index, Options};

const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);

fn index() -> Index {
    Index::new(Options::of(["user", "device"])).unwrap()
}

fn entry(field: &str, raw: &str) -> IndexKey {
    IndexKey::of(field, raw).unwrap().unwrap()
}

/// A session as it was loaded.
fn loaded(json: &'static str) -> Session {
    let (mut session, _) = Session::from_json(json.into(), None).unwrap();
    session.mark_stored("id".into(), None, None);
    session
}

fn run(action: Action, session: Session) -> Operation {
    let mut op = Operation::new(action, NOW).with_session(session);
    index().before(&mut op).unwrap();
    op
}

#[test]
fn a_new_session_gets_an_entry_for_each_indexed_field_that_it_has() {
    let mut session = Session::new();
    session.insert("other", &1).unwrap();
    assert!(run(Action::Create, session.clone()).index.is_empty());
    session.insert("device", "laptop").unwrap();
    let put = run(Action::Create, session.clone()).index.put;
    assert_eq!(put, [entry("device", "\"laptop\"")]);
    session.insert("user", &42).unwrap();
    let changes = run(Action::Create, session).index;
    let both = [entry("user", "42"), entry("device", "\"laptop\"")];
    assert_eq!(changes.put, both);
    assert!(changes.removed.is_empty());
}

#[test]
fn a_save_puts_every_entry_and_removes_those_of_values_that_changed_or_went() {
    let mut session = loaded(r#"{"user":42,"device":"laptop","other":1}"#);
    session.insert("other", &2).unwrap();
    let changes = run(Action::Update, session.clone()).index;
    assert_eq!(changes.put.len(), 2);
    assert!(
        changes.removed.is_empty(),
        "nothing that is indexed changed"
    );

    session.insert("user", &43).unwrap();
    session.remove("device");
    let changes = run(Action::Update, session.clone()).index;
    assert_eq!(changes.put, [entry("user", "43")]);
    let before = [entry("user", "42"), entry("device", "\"laptop\"")];
    assert_eq!(changes.removed, before);

    session.mark_stored("id".into(), None, None);
    let changes = run(Action::Update, session).index;
    assert_eq!(changes.put, [entry("user", "43")]);
    assert!(changes.removed.is_empty(), "those went with the last save");
}

#[test]
fn a_value_written_in_another_way_keeps_its_entry() {
    let mut session = loaded(r#"{"user":"a"}"#);
    session.insert_raw("user", r#""\u0061""#).unwrap();
    let changes = run(Action::Update, session).index;
    assert_eq!(changes.put, [entry("user", "\"a\"")]);
    assert!(changes.removed.is_empty());
}

#[test]
fn what_refused_tries_put_goes_unless_it_is_put_again() {
    let mut session = loaded(r#"{"user":42}"#);
    session.insert("user", &43).unwrap();
    let mut op = Operation::new(Action::Update, NOW).with_session(session);
    op.index.removed = vec![entry("user", "41"), entry("user", "43")];
    index().before(&mut op).unwrap();
    assert_eq!(op.index.put, [entry("user", "43")]);
    assert_eq!(op.index.removed, [entry("user", "41"), entry("user", "42")]);
}

#[test]
fn a_touch_and_a_delete_go_by_what_is_stored() {
    let mut session = loaded(r#"{"user":42}"#);
    session.insert("user", &43).unwrap();
    session.insert("device", "laptop").unwrap();
    let stored = [entry("user", "42")];
    let touch = run(Action::Touch, session.clone()).index;
    assert_eq!(touch.put, stored);
    assert!(touch.removed.is_empty());
    let delete = run(Action::Delete, session).index;
    assert_eq!(delete.removed, stored);
    assert!(delete.put.is_empty());
}

#[test]
fn a_touch_and_a_delete_by_id_want_the_session_and_nothing_else_does() {
    let index = index();
    for (action, wanted) in [
        (Action::Touch, true),
        (Action::Delete, true),
        (Action::Load, false),
        (Action::Count, false),
        (Action::Sweep { limit: 1 }, false),
    ] {
        let op = Operation::new(action, NOW);
        assert_eq!(index.wants_session(&op), wanted, "{:?}", op.action());
        let with_it = op.with_session(loaded("{}"));
        assert!(!index.wants_session(&with_it));
    }
}

#[test]
fn an_operation_without_a_session_changes_no_entry_of_its_own() {
    for action in [Action::Touch, Action::Delete, Action::Load, Action::Count] {
        let mut op = Operation::new(action, NOW).with_id("id".into());
        op.index.removed = vec![entry("user", "42")];
        index().before(&mut op).unwrap();
        assert!(op.index.put.is_empty());
        assert_eq!(op.index.removed, [entry("user", "42")]);
    }
}

#[test]
fn null_has_no_entry_and_what_is_no_single_value_is_refused() {
    let mut session = loaded(r#"{"user":42}"#);
    session.insert("user", &None::<u32>).unwrap();
    let changes = run(Action::Update, session.clone()).index;
    assert!(changes.put.is_empty());
    assert_eq!(changes.removed, [entry("user", "42")]);

    for raw in [r#"{"pin":"hunter2"}"#, r#"["hunter2"]"#] {
        session.insert_raw("user", raw).unwrap();
        for action in [Action::Create, Action::Update] {
            let mut op = Operation::new(action, NOW).with_session(session.clone());
            let error = index().before(&mut op).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
            assert!(error.message().contains("`user`"), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"));
            assert!(op.index.is_empty());
        }
    }
}

#[test]
fn a_session_stored_before_its_field_was_indexed_can_be_touched_and_deleted() {
    for action in [Action::Touch, Action::Delete] {
        let op = run(action, loaded(r#"{"user":{"name":"ann"},"device":[]}"#));
        assert!(op.index.is_empty());
    }
}

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn noting() -> Options {
    Options {
        keep_expired: Some(DAY.into()),
        ..Options::of(["user", "device"])
    }
}

fn noted(action: Action, session: Session) -> NoteChange {
    let mut op = Operation::new(action, NOW).with_session(session);
    op.assign_id("id".into());
    Index::new(noting()).unwrap().before(&mut op).unwrap();
    op.index.note
}

#[track_caller]
fn kept(change: NoteChange) -> Vec<(String, String)> {
    let NoteChange::Keep { note, after } = change else {
        panic!("{change:?} keeps nothing");
    };
    assert_eq!(after, DAY);
    let note = Note::read(&note).unwrap();
    assert_eq!(note.handle, Handle::of(&"id".into()));
    let fields = note.fields.iter_raw();
    fields
        .map(|(name, raw)| (name.to_owned(), raw.to_owned()))
        .collect()
}

#[test]
fn a_note_has_the_indexed_fields_that_the_session_will_have() {
    let mut session = loaded(r#"{"user":42,"other":1}"#);
    session.insert("device", "laptop").unwrap();
    let pair = |name: &str, raw: &str| (name.to_owned(), raw.to_owned());
    let both = [pair("user", "42"), pair("device", "\"laptop\"")];
    assert_eq!(kept(noted(Action::Create, session.clone())), both);
    assert_eq!(kept(noted(Action::Update, session.clone())), both);
    assert_eq!(kept(noted(Action::Touch, session.clone())), both[..1]);
    assert_eq!(noted(Action::Load, session.clone()), NoteChange::Leave);
    assert_eq!(kept(noted(Action::Create, Session::new())), []);
}

#[test]
fn a_delete_removes_the_note_also_of_what_could_not_be_read() {
    let session = loaded(r#"{"user":42}"#);
    assert_eq!(noted(Action::Delete, session), NoteChange::Remove);
    let mut op = Operation::new(Action::Delete, NOW).with_id("id".into());
    let index = Index::new(noting()).unwrap();
    index.before(&mut op).unwrap();
    assert_eq!(op.index.note, NoteChange::Remove);
}

#[test]
fn notes_are_asked_of_the_backend_only_where_they_are_kept() {
    let shape = Index::shape(&noting());
    assert_eq!(shape, Index::shape(&Options::of(["user"])).needs_expired());
    let session = loaded(r#"{"user":42}"#);
    for action in [
        Action::Create,
        Action::Update,
        Action::Touch,
        Action::Delete,
    ] {
        assert_eq!(run(action, session.clone()).index.note, NoteChange::Leave);
    }
}

#[test]
fn it_stands_once_below_the_key_mapper_and_above_the_codec() {
    let shape = Index::shape(&Options::of(["user"]));
    assert_eq!(shape, Shape::on_session().needs_key().needs_index().once());
    let twice = Pipeline::builder()
        .step::<Index>(Options::of(["user"]))
        .step::<Index>(Options::of(["device"]))
        .build()
        .unwrap_err();
    let message = twice.to_string();
    assert!(
        message.contains("`index` stands here a second time"),
        "{message}"
    );
}
