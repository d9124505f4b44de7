//! rrss in the shapes that are measured: the default pipeline, and what an application may change of it.

use std::path::PathBuf;
use std::time::Duration;

use rrss::redis::Options;
use rrss::{
    Cache, Compression, Conflict, Expiry, JsonCodec, KeyMapper, Redis, Store, cache, compression,
};

use crate::peer::{Entrant, Result, Rrss};

/// `key-mapper`, `expiry`, `json-codec`, `redis`, as `rrss init` writes them: a save merges, and so detects conflicts.
pub const DEFAULT: &str = "rrss";
pub const LAST_WRITE: &str = "rrss, last-write";
pub const ZSTD: &str = "rrss, zstd";
/// The default with a `cache`, which has all sessions after the first round: a load sends nothing then.
pub const CACHE: &str = "rrss, cache";
pub const DICTIONARY: &str = "rrss, zstd, dictionary";

/// From where on sessions are compressed with a dictionary: with one, short texts get smaller too.
const MIN_BYTES: usize = 64;

pub fn entrants(dictionary: PathBuf) -> Vec<Entrant> {
    let zstd = compression::Options::default();
    let trained = compression::Options {
        dictionary: vec![dictionary],
        min_bytes: MIN_BYTES,
        ..compression::Options::default()
    };
    vec![
        entrant(DEFAULT, Conflict::Merge, None),
        Entrant::new(CACHE, |url: String| {
            let store = cached(&url);
            async move { Ok(Rrss(store?)) }
        }),
        entrant(LAST_WRITE, Conflict::LastWrite, None),
        entrant(ZSTD, Conflict::Merge, Some(zstd)),
        entrant(DICTIONARY, Conflict::Merge, Some(trained)),
    ]
}

fn entrant(
    name: &'static str,
    conflict: Conflict,
    compression: Option<compression::Options>,
) -> Entrant {
    Entrant::new(name, move |url: String| {
        let store = store(&url, conflict, compression.clone());
        async move { Ok(Rrss(store?)) }
    })
}

/// A store on the server at `url`.
pub fn store(
    url: &str,
    conflict: Conflict,
    compression: Option<compression::Options>,
) -> Result<Store> {
    let mut builder = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default());
    if let Some(options) = compression {
        builder = builder.step::<Compression>(options);
    }
    let builder = builder.step::<Redis>(server(url)?).conflict(conflict);
    Ok(builder.build()?)
}

fn cached(url: &str) -> Result<Store> {
    // A round begins long after the one before it: what is measured is a session that is at hand.
    let cache = cache::Options {
        max_age: Duration::from_secs(3600).into(),
        ..Default::default()
    };
    let builder = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<Cache>(cache)
        .step::<JsonCodec>(Default::default())
        .step::<Redis>(server(url)?);
    Ok(builder.build()?)
}

fn server(url: &str) -> Result<Options> {
    Ok(Options {
        url: Some(url.parse()?),
        ..Options::default()
    })
}
