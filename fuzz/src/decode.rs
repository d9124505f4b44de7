//! The steps between a backend and a session.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use rrss::compression::Algorithm;
use rrss::encryption::{KeyOption, Options};
use rrss::{Compression, Encryption, Expiry, JsonCodec, KeyMapper, compression};
use rrss_core::{
    Action, Backend, Clock, Cursor, ErrorKind, Operation, Outcome, Page, Payload, Pipeline, Record,
    Result, StorageKey, SystemClock, Transform, Written,
};

/// The longest content that is unpacked.
const LONGEST: usize = 64 * 1024;

const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

thread_local! {
    static CHAINS: Vec<(Given, Pipeline)> = chains();
    static ENCRYPTION: Encryption = Encryption::new(&keys(), "").expect("there is a key");
}

pub(crate) fn run(input: &[u8]) {
    read(Bytes::copy_from_slice(input));
    // No input is what this key has sealed, so what is behind the seal is reached by sealing.
    read(sealed(input));
}

fn read(bytes: Bytes) {
    CHAINS.with(|chains| {
        for (given, pipeline) in chains {
            given.give(bytes.clone());
            let op = Operation::new(Action::Load, SystemClock.now());
            let mut op = op.with_id(ID.into());
            let run = pipeline.run(&mut op).now_or_never();
            match run.expect("nothing is waited for") {
                Ok(answer) => {
                    assert!(matches!(answer.outcome, Outcome::Found | Outcome::Missing));
                    if let Payload::Session(session) = &answer.payload {
                        let packed: usize = session.iter_raw().map(|(_, raw)| raw.len()).sum();
                        assert!(packed <= LONGEST.max(bytes.len()), "{packed}");
                    }
                }
                Err(error) => assert!(
                    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge),
                    "{error:?}"
                ),
            }
        }
    });
}

fn keys() -> Options {
    let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".parse();
    let id = "2026-11".parse();
    Options::new([KeyOption::new(
        id.expect("it is the id of a key"),
        key.expect("it is a key"),
    )])
}

fn sealed(input: &[u8]) -> Bytes {
    let mut op = Operation::new(Action::Update, SystemClock.now());
    op.key = Some(StorageKey::from(format!("sessions:{ID}")));
    op.payload = Payload::Bytes(Bytes::copy_from_slice(input));
    ENCRYPTION
        .with(|encryption| encryption.before(&mut op))
        .expect("there is a key");
    op.bytes().expect("they were sealed").clone()
}

fn chains() -> Vec<(Given, Pipeline)> {
    let mut chains = Vec::new();
    for (packed, seals) in [
        (None, false),
        (Some(Algorithm::Zstd), false),
        (Some(Algorithm::Lz4), false),
        (None, true),
        (Some(Algorithm::Zstd), true),
        (Some(Algorithm::Lz4), true),
    ] {
        let given = Given::default();
        let mut builder = Pipeline::builder()
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(Default::default())
            .step::<JsonCodec>(Default::default());
        if let Some(algorithm) = packed {
            builder = builder.step::<Compression>(compression::Options {
                algorithm,
                max_bytes: LONGEST,
                ..Default::default()
            });
        }
        if seals {
            builder = builder.step::<Encryption>(keys());
        }
        let pipeline = builder.backend("given", given.clone()).build();
        chains.push((given, pipeline.expect("the steps go together")));
    }
    chains
}

/// A backend that has the same bytes for everybody.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<Bytes>>);

impl Given {
    fn give(&self, bytes: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }
}

impl Backend for Given {
    async fn load(&self, _: &Operation) -> Result<Option<Record>> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(Record::new(bytes.clone(), None)))
    }

    async fn write(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn touch(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn delete(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Done)
    }

    async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> {
        Ok(Page::new(Vec::new(), None))
    }

    async fn count(&self, _: &Operation) -> Result<u64> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}
