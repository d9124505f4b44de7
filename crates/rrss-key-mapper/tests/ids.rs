//! Ids: new ones cannot be guessed, malformed ones never reach the backend.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rrss_core::{
    Action, Backend, Cursor, ErrorKind, Operation, Outcome, Page, Payload, Pipeline, Record,
    Result, Session, Shape, Timestamp, Written,
};
use rrss_key_mapper::{IdFormat, KeyMapper, Options};

const UUID: &str = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
const TOKEN: &str = "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0ZXM";
const ACTIONS: [Action; 4] = [Action::Load, Action::Update, Action::Touch, Action::Delete];

/// Answers everything, and counts how often it was asked.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn ask(&self, op: &Operation) {
        assert!(op.key.is_some(), "asked without a key");
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Backend for Counting {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        self.ask(op);
        Ok(Some(Record::new("{}".into(), None)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        self.ask(op);
        Ok(Written::Done)
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.ask(op);
        Ok(Written::Done)
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.ask(op);
        Ok(Written::Done)
    }

    async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> {
        Ok(Page::default())
    }

    async fn count(&self, _: &Operation) -> Result<u64> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

fn pipeline(ids: IdFormat) -> (Pipeline, Counting) {
    let backend = Counting::default();
    let pipeline = Pipeline::builder()
        .step::<KeyMapper>(Options {
            id: ids,
            ..Options::default()
        })
        .before("codec", Shape::codec(), |op| {
            if op.take_session().is_some() {
                op.payload = Payload::Bytes("{}".into());
            }
            Ok(())
        })
        .backend("counting", backend.clone())
        .build()
        .unwrap();
    (pipeline, backend)
}

fn on(action: Action, id: &str) -> Operation {
    Operation::new(action, Timestamp::from_millis(0)).with_id(id.into())
}

fn create(session: Session) -> Operation {
    Operation::new(Action::Create, Timestamp::from_millis(0)).with_session(session)
}

/// Texts that are no uuid and no token, however near they come.
fn malformed() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\0",
        "*",
        "?",
        "../../etc/passwd",
        "..",
        "sessions:",
        "null",
        "undefined",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f600",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60\n",
        "\n8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6\n",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6\0",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6*",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6 ",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5fg0",
        "8F14E45F-CEEA-467F-A3D4-1B2C3D4E5F60",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5F60",
        "8f14e45f0ceea0467f0a3d401b2c3d4e5f60",
        "8f14e45fceea467fa3d41b2c3d4e5f60",
        "8f14e45-fceea-467f-a3d4-1b2c3d4e5f60",
        "{8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6}",
        "urn:uuid:8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "------------------------------------",
        "٨f14e45f-ceea-467f-a3d4-1b2c3d4e5f6",
        "ｆ14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0ZX",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0ZXMA",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0ZXM=",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0ZXM\n",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0ZXN",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0Z+M",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0Z/M",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0Z M",
        "c2Vzc2lvbnMtYXJlLW5vdC1maWxlcy1idXQtYnl0Zé",
        "ééééééééééééééééééééé",
    ]
    .map(str::to_owned)
    .into();
    texts.push("a".repeat(1024 * 1024));
    texts.push(format!("{UUID}{}", "\0".repeat(1024)));
    texts
}

#[tokio::test]
async fn a_malformed_id_is_no_session_and_the_backend_is_never_asked() {
    for ids in [IdFormat::Uuid, IdFormat::Token] {
        let (pipeline, backend) = pipeline(ids);
        for id in malformed() {
            for action in ACTIONS {
                let mut op = on(action, &id);
                let answer = pipeline.run(&mut op).await.unwrap();
                assert_eq!(answer.outcome, Outcome::Missing, "{ids:?} {id:.60}");
                assert_eq!(op.key, None);
            }
        }
        assert_eq!(backend.asked(), 0);
    }
}

#[tokio::test]
async fn the_form_that_is_not_configured_is_no_session_either() {
    for (ids, other) in [(IdFormat::Uuid, TOKEN), (IdFormat::Token, UUID)] {
        let (pipeline, backend) = pipeline(ids);
        for action in ACTIONS {
            let answer = pipeline.run(&mut on(action, other)).await.unwrap();
            assert_eq!(answer.outcome, Outcome::Missing);
        }
        assert_eq!(backend.asked(), 0);
    }
}

#[tokio::test]
async fn a_wellformed_id_reaches_the_backend_unchanged() {
    for (ids, id) in [(IdFormat::Uuid, UUID), (IdFormat::Token, TOKEN)] {
        let (pipeline, backend) = pipeline(ids);
        for action in [Action::Load, Action::Touch, Action::Delete] {
            let mut op = on(action, id);
            pipeline.run(&mut op).await.unwrap();
            assert_eq!(op.key().unwrap().as_str(), format!("sessions:{id}"));
        }
        assert_eq!(backend.asked(), 3);
    }
}

#[tokio::test]
async fn an_operation_that_names_no_session_finds_none() {
    let (pipeline, backend) = pipeline(IdFormat::Uuid);
    for action in ACTIONS {
        let mut op = Operation::new(action, Timestamp::from_millis(0));
        assert_eq!(
            pipeline.run(&mut op).await.unwrap().outcome,
            Outcome::Missing
        );
    }
    assert_eq!(backend.asked(), 0);
}

#[tokio::test]
async fn a_new_session_without_id_gets_one_and_its_key() {
    for ids in [IdFormat::Uuid, IdFormat::Token] {
        let (pipeline, _) = pipeline(ids);
        let mut op = create(Session::new());
        assert_eq!(pipeline.run(&mut op).await.unwrap().outcome, Outcome::Done);
        let id = op.id().unwrap().as_str();
        assert!(ids.accepts(id));
        assert_eq!(op.key().unwrap().as_str(), format!("sessions:{id}"));
    }
}

#[tokio::test]
async fn a_new_session_keeps_the_id_that_it_brings() {
    for (ids, id) in [(IdFormat::Uuid, UUID), (IdFormat::Token, TOKEN)] {
        let (pipeline, _) = pipeline(ids);
        let mut op = create(Session::with_id(id.into()));
        pipeline.run(&mut op).await.unwrap();
        assert_eq!(op.id().unwrap().as_str(), id);
        assert_eq!(op.key().unwrap().as_str(), format!("sessions:{id}"));
    }
}

#[tokio::test]
async fn a_uuid_of_any_version_is_accepted() {
    let (pipeline, backend) = pipeline(IdFormat::Uuid);
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ] {
        pipeline.run(&mut on(Action::Load, id)).await.unwrap();
    }
    assert_eq!(backend.asked(), 3);
}

#[tokio::test]
async fn a_new_session_with_a_malformed_id_is_an_error_that_does_not_show_it() {
    for (ids, name) in [
        (IdFormat::Uuid, "not a uuid"),
        (IdFormat::Token, "not a token"),
    ] {
        let (pipeline, backend) = pipeline(ids);
        for id in malformed() {
            let mut op = create(Session::with_id(id.as_str().into()));
            let error = pipeline.run(&mut op).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
            assert_eq!(error.step(), Some("key-mapper"));
            assert!(error.message().contains(name), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(id.len() < 10 || !shown.contains(&id), "{shown}");
        }
        assert_eq!(backend.asked(), 0);
    }
}

#[test]
fn ten_thousand_ids_are_distinct_and_well_formed() {
    for ids in [IdFormat::Uuid, IdFormat::Token] {
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let id = ids.generate().unwrap();
            assert!(ids.accepts(id.as_str()));
            assert!(seen.insert(id));
        }
    }
}

#[test]
fn a_uuid_is_of_version_4_and_its_other_122_bits_vary() {
    let mut ones = [0_u32; 128];
    for _ in 0..1_000 {
        let id = IdFormat::Uuid.generate().unwrap();
        let uuid = uuid::Uuid::parse_str(id.as_str()).unwrap();
        assert_eq!(uuid.get_version_num(), 4);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(uuid.to_string(), id.as_str());
        for (at, count) in ones.iter_mut().enumerate() {
            *count += u32::from(uuid.as_u128() >> at & 1 == 1);
        }
    }
    // A fair bit misses 300..700 of 1,000 once in 10^37.
    let fair = ones
        .iter()
        .filter(|count| (300..700).contains(*count))
        .count();
    assert_eq!(fair, 122);
}

#[test]
fn all_256_bits_of_a_token_vary() {
    use base64::Engine as _;
    let mut ones = [0_u32; 256];
    for _ in 0..1_000 {
        let id = IdFormat::Token.generate().unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(id.as_str())
            .unwrap();
        assert_eq!(bytes.len(), 32);
        for (at, count) in ones.iter_mut().enumerate() {
            *count += u32::from(bytes[at / 8] >> (at % 8) & 1 == 1);
        }
    }
    assert!(ones.iter().all(|count| (300..700).contains(count)));
}
