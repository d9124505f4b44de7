//! Keys: which a session is stored under, and which of a listing are ours.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::{
    Action, Answer, ErrorKind, IndexKey, KeySpace, Operation, Outcome, Page, StorageKey, Timestamp,
    Transform,
};
use rrss_key_mapper::{IdFormat, KeyMapper, Options};

const ONE: &str = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
const TWO: &str = "c9f0f895-fb98-4b91-99f5-1fd0297e236d";

fn op(action: Action) -> Operation {
    Operation::new(action, Timestamp::from_millis(0))
}

fn list() -> Operation {
    op(Action::List {
        cursor: None,
        limit: 10,
    })
}

fn find() -> Operation {
    op(Action::Find {
        entry: IndexKey::of("user_id", "42").unwrap().unwrap(),
        cursor: None,
        limit: 10,
    })
}

fn mapper(template: &str) -> KeyMapper {
    KeyMapper::new(Options {
        template: template.parse().unwrap(),
        ..Options::default()
    })
}

/// The ids that `mapper` finds in a page of these keys.
fn ids_of(mapper: &KeyMapper, keys: &[String]) -> Vec<String> {
    let keys: Vec<StorageKey> = keys.iter().cloned().map(StorageKey::from).collect();
    let mut answer = Answer::new(Outcome::Page(Page::new(keys.clone(), Some(vec![7].into()))));
    mapper.after(&list(), &mut answer).unwrap();
    let Outcome::Page(page) = answer.outcome else {
        panic!("a page stays a page");
    };
    assert_eq!((page.keys, page.next), (keys, Some(vec![7].into())));
    page.ids.iter().map(|id| id.as_str().to_owned()).collect()
}

#[test]
fn a_listing_is_confined_to_the_keys_of_the_template() {
    for mut op in [list(), find(), op(Action::Count)] {
        mapper("shop:{id}:data").before(&mut op).unwrap();
        assert_eq!(
            op.key_space().unwrap(),
            &KeySpace::new("shop:", ":data").with_middle_of(36)
        );
        assert_eq!(op.key, None);
    }
}

/// The entries of an index stand among the keys of the store, and are made together with the session's.
#[test]
fn every_operation_on_one_session_has_the_key_space_of_its_key() {
    for action in [
        Action::Load,
        Action::Create,
        Action::Update,
        Action::Touch,
        Action::Delete,
    ] {
        let mut op = op(action).with_id(ONE.into());
        mapper("shop:{id}:data").before(&mut op).unwrap();
        let space = op.key_space().unwrap();
        assert_eq!(space.middle(op.key().unwrap().as_str()), Some(ONE));
    }
}

#[test]
fn the_keys_that_a_value_is_found_by_are_named_as_those_of_a_listing_are() {
    let keys = [format!("sessions:{ONE}"), format!("carts:{TWO}")];
    let keys: Vec<StorageKey> = keys.into_iter().map(StorageKey::from).collect();
    let mut answer = Answer::new(Outcome::Page(Page::new(keys, None)));
    mapper("sessions:{id}").after(&find(), &mut answer).unwrap();
    let Outcome::Page(page) = answer.outcome else {
        panic!("a page stays a page");
    };
    assert_eq!(page.ids, [ONE.into()]);
}

#[test]
fn a_key_of_an_index_is_never_taken_for_that_of_a_session() {
    let entry = IndexKey::of("user_id", "42").unwrap().unwrap();
    for template in ["{id}", "sessions:{id}", "sessions:{id}:data"] {
        let mapper = mapper(template);
        let mut op = list();
        mapper.before(&mut op).unwrap();
        let key = entry.storage_key(op.key_space().unwrap());
        assert!(ids_of(&mapper, &[key.as_str().to_owned()]).is_empty());
    }
}

#[test]
fn a_sweep_passes_untouched() {
    let mut op = op(Action::Sweep { limit: 10 });
    mapper("{id}").before(&mut op).unwrap();
    assert!(op.key.is_none() && op.key_space.is_none() && op.id().is_none());
}

#[test]
fn a_listing_names_our_sessions_and_leaves_foreign_keys_out() {
    let keys = [
        format!("sessions:{ONE}:data"),
        format!("sessions:{TWO}:data"),
        format!("sessions:{TWO}:data:data"),
        format!("sessions:{ONE}"),
        format!("carts:{ONE}:data"),
        "sessions::data".to_owned(),
        "sessions:all:data".to_owned(),
        format!("sessions:{}:data", ONE.to_uppercase()),
        String::new(),
    ];
    assert_eq!(ids_of(&mapper("sessions:{id}:data"), &keys), [ONE, TWO]);
}

#[test]
fn other_answers_pass_untouched() {
    let mut answer = Answer::new(Outcome::Count(3));
    mapper("{id}")
        .after(&op(Action::Count), &mut answer)
        .unwrap();
    assert_eq!(answer.outcome, Outcome::Count(3));
}

#[test]
fn any_function_of_the_id_makes_the_key() {
    let mapper = KeyMapper::from_fn(|id: &str| id.chars().rev().collect());
    let mut op = op(Action::Load).with_id(ONE.into());
    mapper.before(&mut op).unwrap();
    assert_eq!(
        op.key().unwrap().as_str(),
        ONE.chars().rev().collect::<String>()
    );
}

#[test]
fn a_function_is_never_called_with_a_malformed_id() {
    let mapper = KeyMapper::from_fn(|_: &str| panic!("called"));
    for id in ["", "../", "*"] {
        let mut op = op(Action::Load).with_id(id.into());
        mapper.before(&mut op).unwrap();
        assert_eq!(op.key, None);
    }
}

#[test]
fn a_function_may_have_tokens_for_ids() {
    let mapper = KeyMapper::from_fn(|id: &str| format!("app1:{id}")).ids(IdFormat::Token);
    let mut op = op(Action::Create);
    mapper.before(&mut op).unwrap();
    assert!(IdFormat::Token.accepts(op.id().unwrap().as_str()));
}

#[test]
fn a_function_without_key_space_says_that_it_cannot_list_or_find() {
    let mapper = KeyMapper::from_fn(|id: &str| format!("app1:{id}"));
    for mut op in [list(), find(), op(Action::Count)] {
        let error = mapper.before(&mut op).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("with_key_space"), "{error}");
    }
    assert!(ids_of(&mapper, &[format!("app1:{ONE}")]).is_empty());

    let mut load = op(Action::Load).with_id(ONE.into());
    mapper.before(&mut load).unwrap();
    assert!(load.key.is_some() && load.key_space.is_none());
}

#[test]
fn a_function_with_a_key_space_lists() {
    let mapper = KeyMapper::from_fn(|id: &str| format!("app1:{id}"))
        .with_key_space(KeySpace::new("app1:", ""));
    for mut op in [list(), find(), op(Action::Load).with_id(ONE.into())] {
        mapper.before(&mut op).unwrap();
        assert_eq!(op.key_space().unwrap().prefix(), "app1:");
    }
    let keys = [format!("app1:{ONE}"), format!("app2:{TWO}")];
    assert_eq!(ids_of(&mapper, &keys), [ONE]);
}

#[test]
fn a_key_space_that_is_not_the_functions_names_no_sessions() {
    let mapper = KeyMapper::from_fn(|id: &str| format!("app1:{id}"))
        .with_key_space(KeySpace::new("app2:", ""));
    assert!(ids_of(&mapper, &[format!("app1:{ONE}"), format!("app2:{TWO}")]).is_empty());
}

#[test]
fn debug_shows_the_options() {
    assert_eq!(
        format!("{:?}", mapper("a:{id}")),
        r#"KeyMapper { ids: Uuid, hash: None, template: "a:{id}" }"#
    );
}
