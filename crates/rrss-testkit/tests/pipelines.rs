//! Pipelines of the built-in steps keep every promise to stores.

use rrss::StoreBuilder;
use rrss_compression::{Algorithm, Compression};
use rrss_expiry::Expiry;
use rrss_json_codec::JsonCodec;
use rrss_key_mapper::{IdFormat, KeyMapper};
use rrss_persistence::memory::Memory;
use rrss_testkit::Subject;

fn under(steps: fn(StoreBuilder, &str) -> StoreBuilder) -> Subject {
    Subject::new(Memory::default()).with_steps(steps)
}

fn keys(template: &str, id: IdFormat) -> rrss_key_mapper::Options {
    rrss_key_mapper::Options {
        template: template.parse().expect("it has the one `{id}`"),
        id,
    }
}

fn compression(algorithm: Algorithm) -> rrss_compression::Options {
    rrss_compression::Options {
        algorithm,
        min_bytes: 0,
        ..Default::default()
    }
}

/// As the README's file has it.
fn usual(builder: StoreBuilder, prefix: &str) -> StoreBuilder {
    builder
        .step::<KeyMapper>(keys(&format!("{prefix}{{id}}"), IdFormat::Uuid))
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Compression>(compression(Algorithm::Zstd))
}

/// Everything that can be otherwise, in another order.
fn unusual(builder: StoreBuilder, prefix: &str) -> StoreBuilder {
    builder
        .step::<JsonCodec>(Default::default())
        .step::<Compression>(compression(Algorithm::Lz4))
        .step::<Expiry>(Default::default())
        .step::<KeyMapper>(keys(&format!("{prefix}{{id}}:data"), IdFormat::Token))
}

/// As the original's default store: sessions never end by themselves.
fn least(builder: StoreBuilder, prefix: &str) -> StoreBuilder {
    builder
        .step::<KeyMapper>(keys(&format!("{prefix}{{id}}"), IdFormat::Uuid))
        .step::<JsonCodec>(Default::default())
}

mod the_usual_pipeline {
    rrss_testkit::store_promises!(super::under(super::usual));
}

mod an_unusual_pipeline {
    rrss_testkit::store_promises!(super::under(super::unusual));
}

mod the_least_pipeline {
    rrss_testkit::store_promises!(super::under(super::least));
}
