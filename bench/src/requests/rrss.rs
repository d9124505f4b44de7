//! The store under all contenders of rrss: the default pipeline.

use rrss::redis::Options;
use rrss::{Conflict, Expiry, JsonCodec, KeyMapper, Redis, Store};

use crate::peer::Result;

/// By default a save merges what two requests changed.
pub fn store(url: &str) -> Result<Store> {
    store_with(url, Conflict::Merge)
}

pub fn store_with(url: &str, conflict: Conflict) -> Result<Store> {
    let options = Options {
        url: Some(url.parse()?),
        ..Options::default()
    };
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Redis>(options)
        .conflict(conflict)
        .build()?;
    Ok(store)
}
