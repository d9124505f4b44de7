//! The sessions that all are given, with the bytes that rrss makes of them, and a dictionary trained on others.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use rrss::{Conflict, Session};
use rrss_test_servers::RedisServer;
use tokio::runtime::Runtime;

use super::rrss as ours;
use crate::corpus::{self, Size};
use crate::peer::{Result, Sample};

const SEED: u64 = 5;
/// None of the sessions that are measured are in the dictionary.
const OTHER_SEED: u64 = 6;

/// Of how many sessions a dictionary is made, and how large it is at most, in bytes.
const TRAINED_ON: usize = 2_000;
const DICTIONARY: usize = 16 * 1_024;

/// So many sessions. Their stored bytes are those that rrss leaves in this database, which is empty afterwards.
pub fn measured(
    runtime: &Rc<Runtime>,
    server: &RedisServer,
    size: Size,
    count: usize,
) -> Result<Arc<[Sample]>> {
    stored(runtime, server, corpus::sessions(SEED, size, count))
}

/// A file in `folder` with a dictionary for sessions of this size.
pub fn dictionary(
    runtime: &Rc<Runtime>,
    server: &RedisServer,
    size: Size,
    folder: &Path,
) -> Result<PathBuf> {
    let others = stored(
        runtime,
        server,
        corpus::sessions(OTHER_SEED, size, TRAINED_ON),
    )?;
    let others: Vec<&[u8]> = others.iter().map(|sample| &sample.stored[..]).collect();
    let trained = zstd::dict::from_samples(&others, DICTIONARY)?;
    let file = folder.join(format!("{}.dictionary", size.bytes()));
    fs::write(&file, trained)?;
    Ok(file)
}

fn stored(
    runtime: &Rc<Runtime>,
    server: &RedisServer,
    texts: Vec<String>,
) -> Result<Arc<[Sample]>> {
    runtime.block_on(async {
        let store = ours::store(&server.url(), Conflict::Merge, None)?;
        let mut samples = Vec::with_capacity(texts.len());
        for text in texts {
            let (mut session, _) = Session::from_json(text.clone().into(), None)?;
            store.save(&mut session).await?;
            let id = session.id().ok_or("it was not stored")?;
            let key = format!("sessions:{}", id.as_str());
            let stored = server.bytes(&["GET", &key]);
            let stored = Bytes::from(stored.ok_or("the key is not the one of the default")?);
            store.delete(id).await?;
            samples.push(Sample { text, stored });
        }
        Ok(samples.into())
    })
}
