//! Any session through any pipeline, and through a pipeline that was changed since.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use proptest::prelude::*;
use proptest::sample::select;
use rrss::cache::OnUntracked;
use rrss::compression::Algorithm;
use rrss::encryption::KeyOption;
use rrss::key_mapper::Hash;
use rrss::legacy_read::Format;
use rrss::{
    Cache, Compression, Embedded, Encryption, ErrorKind, Expiry, JsonCodec, KeyMapper, LegacyRead,
    Memory, Session, SessionId, Store, cache, compression, embedded, encryption, key_mapper,
    legacy_read,
};
use rrss_testkit::Subject;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

/// The steps that may differ.
#[derive(Debug, Clone, Copy)]
struct Steps {
    template: &'static str,
    hash: Hash,
    is_cached: bool,
    legacy: Option<Format>,
    compression: Option<Algorithm>,
    /// The keys of `encryption`, by their numbers; the first encrypts.
    keys: &'static [u8],
    name: &'static str,
}

/// Each backend that is fast enough for hundreds of sessions; stores share what they are given.
fn backends() -> [Subject; 2] {
    let folder = tempfile::tempdir().unwrap();
    let options = embedded::Options {
        path: folder.path().join("sessions"),
        ..Default::default()
    };
    [
        Subject::new(Memory::default()),
        Subject::of_step::<Embedded>(options).keeping(folder),
    ]
}

fn key(number: u8) -> KeyOption {
    let key = match number {
        1 => "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        _ => "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
    };
    KeyOption::new(format!("k{number}").parse().unwrap(), key.parse().unwrap())
}

fn store(steps: Steps, backend: &Subject) -> Store {
    let mut builder = Store::builder()
        .name(steps.name)
        .step::<KeyMapper>(key_mapper::Options {
            template: steps.template.parse().unwrap(),
            hash: steps.hash,
            ..Default::default()
        })
        .step::<Expiry>(Default::default());
    if steps.is_cached {
        builder = builder.step::<Cache>(cache::Options {
            on_untracked: OnUntracked::MaxAge,
            ..Default::default()
        });
    }
    builder = builder.step::<JsonCodec>(Default::default());
    if let Some(format) = steps.legacy {
        builder = builder.step::<LegacyRead>(legacy_read::Options::of(format));
    }
    if let Some(algorithm) = steps.compression {
        builder = builder.step::<Compression>(compression::Options {
            algorithm,
            min_bytes: 16,
            ..Default::default()
        });
    }
    if !steps.keys.is_empty() {
        let keys = steps.keys.iter().map(|number| key(*number));
        builder = builder.step::<Encryption>(encryption::Options::new(keys));
    }
    builder.backend("shared", backend.clone()).build().unwrap()
}

fn steps() -> impl Strategy<Value = Steps> {
    (
        select(vec!["sessions:{id}", "s:{id}:x"]),
        select(vec![Hash::None, Hash::Sha256]),
        any::<bool>(),
        select(vec![
            None,
            Some(Format::TowerSessions),
            Some(Format::ActixSession),
        ]),
        select(vec![None, Some(Algorithm::Zstd), Some(Algorithm::Lz4)]),
        select(vec![&[][..], &[1], &[2], &[2, 1], &[1, 2]]),
        select(vec!["shop", "other"]),
    )
        .prop_map(
            |(template, hash, is_cached, legacy, compression, keys, name)| Steps {
                template,
                hash,
                is_cached,
                legacy,
                compression,
                keys,
                name,
            },
        )
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..6)
                .prop_map(|fields| Value::from(Map::from_iter(fields))),
        ]
    })
}

fn fields() -> impl Strategy<Value = Vec<(String, Value)>> {
    let fields = prop::collection::btree_map("[^$]{0,12}", value(), 1..12);
    fields.prop_map(|fields| fields.into_iter().collect())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn save(store: &Store, fields: &[(String, Value)]) -> SessionId {
    let mut session = Session::new();
    for (name, value) in fields {
        session.insert(name, value).unwrap();
    }
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

fn of(session: &Session) -> Vec<(String, Value)> {
    let names = session.keys();
    let mut fields: Vec<_> = names
        .map(|name| (name.to_owned(), session.get(name).unwrap().unwrap()))
        .collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}

proptest! {
    #[test]
    fn any_session_through_any_pipeline_comes_back_equal(steps in steps(), fields in fields()) {
        runtime().block_on(async {
            for backend in backends() {
                let writer = store(steps, &backend);
                let id = save(&writer, &fields).await;
                for reader in [writer, store(steps, &backend)] {
                    let loaded = reader.load(&id).await.unwrap().unwrap();
                    prop_assert_eq!(&of(&loaded), &fields);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_pipeline_that_was_changed_reads_a_session_or_says_that_it_is_corrupt(
        before in steps(),
        after in steps(),
        fields in fields(),
    ) {
        runtime().block_on(async {
            let backend = Subject::new(Memory::default());
            let id = save(&store(before, &backend), &fields).await;
            let changed = store(after, &backend);
            match changed.load(&id).await {
                Ok(Some(loaded)) => prop_assert_eq!(of(&loaded), fields),
                Ok(None) => prop_assert_ne!((before.template, before.hash), (after.template, after.hash)),
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
                    let reads = before.keys.is_empty() && after.keys.is_empty() && before.compression == after.compression;
                    prop_assert!(!reads, "{error}");
                }
            }
            Ok(())
        })?;
    }
}
