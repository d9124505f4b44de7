//! What cannot be carried out is refused when the store is built.

use std::time::Duration;

use rrss::{Error, ErrorKind, JsonCodec, KeyMapper, Memory, OnCorrupt, Store};

fn refused(built: rrss::Result<Store>) -> Error {
    let error = built.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error
}

fn of(key_mapper: KeyMapper, on_corrupt: OnCorrupt) -> rrss::Result<Store> {
    Store::builder()
        .transform("key-mapper", KeyMapper::SHAPE, key_mapper)
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .on_corrupt(on_corrupt)
        .build()
}

#[test]
fn a_quarantine_needs_to_know_which_keys_are_sessions() {
    let function = || KeyMapper::from_fn(|id: &str| format!("app:{id}"));
    let error = refused(of(function(), OnCorrupt::Quarantine));
    assert_eq!(error.option(), Some("on_corrupt"));
    assert!(error.to_string().contains("key space"), "{error}");
    assert!(of(function(), OnCorrupt::Discard).is_ok());

    let space = rrss::core::KeySpace::new("app:", "");
    let error = refused(of(
        function().with_key_space(space.clone()),
        OnCorrupt::Quarantine,
    ));
    assert!(
        error.to_string().contains("`KeySpace::with_middle_of`"),
        "{error}"
    );
    let apart = function().with_key_space(space.with_middle_of(36));
    assert!(of(apart, OnCorrupt::Quarantine).is_ok());
}

#[test]
fn a_quarantine_of_no_time_is_refused() {
    let builder = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .on_corrupt(OnCorrupt::Quarantine)
        .quarantine_for(Duration::ZERO);
    let error = refused(builder.build());
    assert_eq!(error.option(), Some("quarantine_for"));
}

#[test]
fn the_quarantine_of_a_store_that_cannot_have_one_is_unsupported() {
    let store = of(
        KeyMapper::from_fn(|id: &str| id.to_owned()),
        OnCorrupt::Error,
    )
    .unwrap();
    let error = store.quarantine().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[cfg(all(feature = "toml", feature = "redis"))]
#[test]
fn a_backend_of_fields_has_no_policy_for_bytes() {
    for policy in ["discard", "quarantine"] {
        let error = refused(Store::from_toml(&format!(
            "store = {{ on_corrupt = '{policy}' }}\nstep = [{{ type = 'key-mapper' }}, {{ type = 'redis', layout = 'hash' }}]"
        )));
        assert!(
            error.to_string().contains("`on_corrupt` of `[store]`"),
            "{error}"
        );
    }
    let builder = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<rrss::Redis>(rrss::redis::Options {
            layout: rrss::redis::Layout::Hash,
            ..Default::default()
        })
        .on_corrupt(OnCorrupt::Discard);
    assert_eq!(refused(builder.build()).option(), Some("on_corrupt"));
}

#[cfg(feature = "toml")]
#[test]
fn a_file_says_what_happens() {
    let store = |line: &str| {
        let steps =
            "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]";
        Store::from_toml(&format!("{steps}\n[store]\n{line}\n")).unwrap()
    };
    assert_eq!(store("").on_corrupt(), OnCorrupt::Error);
    assert_eq!(
        store("on_corrupt = 'discard'").on_corrupt(),
        OnCorrupt::Discard
    );
    let quarantine = store("on_corrupt = 'quarantine'\nquarantine_for = '7d'");
    assert_eq!(quarantine.on_corrupt(), OnCorrupt::Quarantine);
}
