//! Keys that are made of digests: what they hold, and whom they answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::{
    Action, Answer, ErrorKind, IdDigest, Operation, Outcome, Page, SessionId, Step, StorageKey,
    Timestamp, Transform,
};
use rrss_key_mapper::{Hash, IdFormat, KeyMapper, Options};

const ID: &str = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";

const UNTIL: Timestamp = Timestamp::from_millis(1_000);

fn options(id: IdFormat) -> Options {
    Options {
        id,
        hash: Hash::Sha256,
        ..Options::default()
    }
}

fn moving() -> KeyMapper {
    KeyMapper::new(Options {
        accept_raw_keys_until: Some(UNTIL.into()),
        ..options(IdFormat::Uuid)
    })
}

fn op(action: Action, at: u64) -> Operation {
    Operation::new(action, Timestamp::from_millis(at))
}

fn list(at: u64) -> Operation {
    op(
        Action::List {
            cursor: None,
            limit: 10,
        },
        at,
    )
}

/// The key that `mapper` asks the backend for; `None` where it answers by itself.
fn asked(mapper: &KeyMapper, id: SessionId, at: u64) -> Option<String> {
    let mut op = op(Action::Load, at).with_id(id);
    mapper.before(&mut op).unwrap();
    op.key.map(|key| key.as_str().to_owned())
}

fn ids_of(mapper: &KeyMapper, keys: &[&str], at: u64) -> Vec<SessionId> {
    let keys = keys.iter().map(|key| StorageKey::from((*key).to_owned()));
    let mut answer = Answer::new(Outcome::Page(Page::new(keys.collect(), None)));
    mapper.after(&list(at), &mut answer).unwrap();
    match answer.outcome {
        Outcome::Page(page) => page.ids,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn the_key_holds_the_digest_and_nothing_of_the_id() {
    let key = asked(&KeyMapper::new(options(IdFormat::Uuid)), ID.into(), 0).unwrap();
    assert_eq!(key, format!("sessions:{}", IdDigest::of(ID).name()));
    assert!(!key.contains(&ID[..8]) && key.len() == "sessions:".len() + 50);
}

#[test]
fn cve_2019_16782_what_is_stored_is_no_id_in_any_form() {
    // Rack looked sessions up by what was presented, so who read the store could present what it held.
    for form in [
        IdFormat::Uuid,
        IdFormat::Token,
        IdFormat::TowerSessions,
        IdFormat::ActixSession,
    ] {
        let id = form.generate().unwrap();
        let hashed = KeyMapper::new(options(form));
        let moving = KeyMapper::new(Options {
            accept_raw_keys_until: Some(UNTIL.into()),
            ..options(form)
        });
        let key = asked(&hashed, id.clone(), 0).unwrap();
        let name = &key["sessions:".len()..];
        for text in [&*key, name, &name["sha256:".len()..]] {
            assert!(text == &name["sha256:".len()..] || !form.accepts(text));
            for mapper in [&hashed, &moving] {
                let presented = asked(mapper, text.into(), 0);
                assert_ne!(presented.as_deref(), Some(&*key), "{form}");
                // And not by the way that sessions from before are found.
                let former = asked(mapper, SessionId::from(text).former(), 0);
                assert_ne!(former.as_deref(), Some(&*key), "{form}");
            }
        }
    }
}

#[test]
fn a_listing_names_sessions_so_that_this_step_finds_them_again() {
    let mapper = KeyMapper::new(options(IdFormat::Uuid));
    let key = asked(&mapper, ID.into(), 0).unwrap();
    let raw = format!("sessions:{ID}");
    let cut = &key[..key.len() - 1];
    let ids = ids_of(&mapper, &[&key, &raw, cut, "sessions:"], 0);
    assert_eq!(ids.len(), 1);
    assert!(ids[0].is_private() && ids[0].names_same(&ID.into()));
    assert_eq!(asked(&mapper, ids[0].clone(), 0), Some(key));
}

#[test]
fn a_step_that_does_not_hash_takes_no_private_id() {
    let plain = KeyMapper::new(Options::default());
    let private = SessionId::private(IdDigest::of(ID));
    assert_eq!(asked(&plain, private, 0), None);
}

#[test]
fn raw_keys_are_asked_for_and_listed_until_the_date_and_not_after() {
    let mapper = moving();
    let raw = format!("sessions:{ID}");
    let hashed = asked(&mapper, ID.into(), 0).unwrap();
    let former = SessionId::from(ID).former();
    for (at, is_before) in [(0, true), (999, true), (1_000, false), (9_999, false)] {
        let asked_former = asked(&mapper, former.clone(), at);
        assert_eq!(asked_former.as_deref(), is_before.then_some(&*raw), "{at}");
        assert_eq!(asked(&mapper, ID.into(), at).as_deref(), Some(&*hashed));
        let ids = ids_of(&mapper, &[&raw, &hashed], at);
        assert_eq!(ids.len(), 1 + usize::from(is_before));
        assert_eq!(ids[0].is_former(), is_before);

        let mut list = list(at);
        mapper.before(&mut list).unwrap();
        let space = list.key_space().unwrap();
        assert_eq!(space.middle(&raw).is_some(), is_before);
        assert!(space.middle(&hashed).is_some());
    }
    assert_eq!(mapper.former_keys_until(), Some(UNTIL));
}

#[test]
fn sessions_from_before_are_told_of_when_they_expire_also_after_the_date() {
    let mut op = op(Action::ForgetExpired { keys: Vec::new() }, 9_999);
    moving().before(&mut op).unwrap();
    let space = op.key_space().unwrap();
    assert!(space.middle(&format!("sessions:{ID}")).is_some());
}

#[test]
fn a_date_without_a_hash_is_refused_at_its_place() {
    let options = Options {
        accept_raw_keys_until: Some(UNTIL.into()),
        ..Options::default()
    };
    let error = KeyMapper::check(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some("accept_raw_keys_until"));
}

#[test]
fn a_date_warns_before_it_and_after_it() {
    let options = Options {
        accept_raw_keys_until: Some(UNTIL.into()),
        ..options(IdFormat::Uuid)
    };
    for (at, said) in [(0, "are read under their ids"), (1_000, "has passed")] {
        let warnings = KeyMapper::warnings(&options, Timestamp::from_millis(at));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].message().contains(said), "{}", warnings[0]);
        assert_eq!(warnings[0].option(), Some("accept_raw_keys_until"));
    }
    assert!(KeyMapper::warnings(&Options::default(), UNTIL).is_empty());
}
