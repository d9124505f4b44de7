//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use rrss_core::{
    BuildContext, Error, ErrorKind, InstantOption, Pipeline, Registry, Shape, Step, Timestamp,
};
use rrss_encryption::{Encryption, KeyOption, Options};
use support::{key, key_text, options};

#[track_caller]
fn not_built(options: &Options, option: &str, words: &str) {
    let error = Encryption::new(options, "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some(option));
    assert!(error.message().contains(words), "{error}");
}

#[test]
fn keys_are_read_in_their_order() {
    let text = format!(
        "keys = [{{ id = 'b', key = '{}' }}, {{ id = 'a', key = '{}' }}]\naccept_plaintext_until = 2026-12-31",
        key_text(1),
        key_text(2)
    );
    let options: Options = toml::from_str(&text).unwrap();
    let ids: Vec<_> = options.keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!(*options.keys[1].key.to_base64(), key_text(2));
    let until = InstantOption::new(Timestamp::from_millis(1_798_675_200_000));
    assert_eq!(options.accept_plaintext_until, Some(until));
    assert!(Encryption::new(&options, "").is_ok());
}

#[test]
fn options_that_cannot_work_are_refused() {
    not_built(&options(&[]), "keys", "rrss keygen");
    not_built(
        &options(&["a", "b", "a"]),
        "keys[2].id",
        "`a` is the id of keys[0]",
    );
    let twice = ["a", "b"].map(|id| KeyOption::new(id.parse().unwrap(), key(7)));
    not_built(
        &Options::new(twice),
        "keys[1].key",
        "`a` and `b` are one key",
    );
}

#[test]
fn no_key_is_ever_printed() {
    let options = options(&["2026-11"]);
    let step = Encryption::new(&options, "shop").unwrap();
    let json = serde_json::to_string(&options).unwrap();
    let printed = format!("{options:?} {step:?} {json}");
    let bytes = format!("{:?}", [b'2'; 32]);
    assert!(
        !printed.contains(&key_text(b'2')) && !printed.contains(&bytes),
        "{printed}"
    );
    assert!(
        printed.contains("[redacted]") && printed.contains("2026-11"),
        "{printed}"
    );
}

#[test]
fn what_is_missing_or_unknown_is_refused() {
    for (toml, said) in [
        ("", "missing field `keys`"),
        ("keys = [{ id = 'a' }]", "missing field `key`"),
        ("keys = []\nkey = 'x'", "unknown field `key`"),
        ("keys = [{ id = 'a b', key = 'x' }]", "1 to 32 letters"),
        ("keys = [{ id = 'a', key = 7 }]", "rrss keygen"),
        (
            "keys = [{ id = 'a', key = 'hunter2' }]",
            "this is no base64",
        ),
        ("keys = [{ id = 'a', key = 'c2hvcnQ=' }]", "this is 5 bytes"),
    ] {
        let error = toml::from_str::<Options>(toml)
            .unwrap_err()
            .message()
            .to_owned();
        assert!(error.contains(said), "{toml}: {error}");
        assert!(
            !error.contains("hunter2") && !error.contains("c2hvc"),
            "{error}"
        );
    }
}

#[test]
fn accepting_plain_sessions_is_warned_of_before_and_after_the_date() {
    let options = Options {
        accept_plaintext_until: Some(InstantOption::new(Timestamp::from_millis(
            1_798_675_200_000,
        ))),
        ..options(&["2026-11"])
    };
    for (now, said) in [
        (0, "until 2026-12-31T00:00:00Z"),
        (1_798_675_200_000, "has passed"),
    ] {
        let warnings = Encryption::warnings(&options, Timestamp::from_millis(now));
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].option(), Some("accept_plaintext_until"));
        assert!(warnings[0].message().contains(said), "{}", warnings[0]);
    }
    let without = support::options(&["2026-11"]);
    assert!(Encryption::warnings(&without, Timestamp::from_millis(0)).is_empty());
}

#[test]
fn the_name_of_the_store_is_what_sessions_are_bound_to() {
    let stored = support::store(&support::step(&["2026-11"]), "key", "{}");
    for (context, reads) in [
        (BuildContext::default().of_store("shop"), true),
        (BuildContext::default().of_store("admin"), false),
        (BuildContext::default(), false),
    ] {
        let pipeline = Pipeline::builder()
            .before("keys", Shape::anywhere().makes_key(), |_| Ok(()))
            .before("codec", Shape::codec(), |_| Ok(()))
            .step::<Encryption>(options(&["2026-11"]))
            .step::<rrss::Memory>(Default::default())
            .context(context)
            .build()
            .unwrap();
        let read = pipeline.read(&support::load("key"), support::found(stored.clone()));
        assert_eq!(read.is_ok(), reads);
    }
}

#[test]
fn linking_the_crate_registers_the_step() {
    let registry = Registry::linked();
    let step = registry.get("encryption").unwrap();
    assert_eq!(step.crate_name(), "rrss-encryption");
    assert!(step.summary().starts_with("Stores sessions encrypted"));
}

#[test]
fn without_the_step_an_encrypted_session_is_corrupt_and_the_step_is_named() {
    let stored = support::store(&support::step(&["2026-11"]), "key", "{}");
    let codec = rrss::JsonCodec::new(rrss::json_codec::Options::default()).unwrap();
    let error =
        rrss::core::Transform::after(&codec, &support::load("key"), &mut support::found(stored));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("`encryption`"), "{error}");
}

fn misfits(steps: &str) -> Error {
    let text = steps.replace(
        "encryption'",
        &format!(
            "encryption', keys = [{{ id = 'a', key = '{}' }}]",
            key_text(1)
        ),
    );
    rrss::Store::from_toml(&text).unwrap_err()
}

#[test]
fn it_stands_between_compression_and_a_backend_of_bytes() {
    for (steps, said) in [
        (
            "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'encryption' }, { type = 'compression' }, { type = 'memory' }]",
            "move `compression` above `encryption`",
        ),
        (
            "step = [{ type = 'key-mapper' }, { type = 'encryption' }, { type = 'json-codec' }, { type = 'memory' }]",
            "move `json-codec` above `encryption`",
        ),
        (
            "step = [{ type = 'json-codec' }, { type = 'encryption' }, { type = 'key-mapper' }, { type = 'memory' }]",
            "move `key-mapper` above `encryption`",
        ),
        (
            "step = [{ type = 'key-mapper' }, { type = 'encryption' }, { type = 'redis', layout = 'hash' }]",
            "keeps the fields of a session one by one",
        ),
        (
            "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'encryption' }, { type = 'redis', layout = 'hash' }]",
            "remove `json-codec` and `encryption`",
        ),
    ] {
        let error = misfits(steps);
        let mut said_by = format!("{error}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said_by += &error.to_string();
            cause = error.source();
        }
        assert!(said_by.contains(said), "{steps}: {said_by}");
    }
}
