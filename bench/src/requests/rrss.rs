//! The store under all contenders of rrss: the default pipeline, which merges what two requests changed.

use rrss::redis::Options;
use rrss::{Expiry, JsonCodec, KeyMapper, Redis, Store};

use crate::peer::Result;

pub fn store(url: &str) -> Result<Store> {
    let options = Options {
        url: Some(url.parse()?),
        ..Options::default()
    };
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Redis>(options)
        .build()?;
    Ok(store)
}
