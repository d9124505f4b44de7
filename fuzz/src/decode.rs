//! The steps between a backend and a session.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use rrss::compression::Algorithm;
use rrss::{Compression, Expiry, JsonCodec, KeyMapper, compression};
use rrss_core::{
    Action, Backend, Clock, Cursor, ErrorKind, Operation, Outcome, Page, Payload, Pipeline, Record,
    Result, SystemClock, Written,
};

/// The longest content that is unpacked.
const LONGEST: usize = 64 * 1024;

thread_local! {
    static CHAINS: Vec<(Given, Pipeline)> = chains();
}

pub(crate) fn run(input: &[u8]) {
    CHAINS.with(|chains| {
        for (given, pipeline) in chains {
            given.give(input);
            let op = Operation::new(Action::Load, SystemClock.now());
            let mut op = op.with_id("0f8fad5b-d9cb-469f-a165-70867728950e".into());
            let run = pipeline.run(&mut op).now_or_never();
            match run.expect("nothing is waited for") {
                Ok(answer) => {
                    assert!(matches!(answer.outcome, Outcome::Found | Outcome::Missing));
                    if let Payload::Session(session) = &answer.payload {
                        let bytes: usize = session.iter_raw().map(|(_, raw)| raw.len()).sum();
                        assert!(bytes <= LONGEST.max(input.len()), "{bytes}");
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

fn chains() -> Vec<(Given, Pipeline)> {
    let mut chains = Vec::new();
    for packed in [None, Some(Algorithm::Zstd), Some(Algorithm::Lz4)] {
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
        let pipeline = builder.backend("given", given.clone()).build();
        chains.push((given, pipeline.expect("the steps go together")));
    }
    chains
}

/// A backend that has the same bytes for everybody.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<Bytes>>);

impl Given {
    fn give(&self, input: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Bytes::copy_from_slice(input);
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

    async fn touch(&self, _: &Operation) -> Result<bool> {
        Ok(true)
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
