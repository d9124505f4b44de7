//! Pipelines of the built-in steps keep every promise to stores, with an index and without, and to the table of
//! interleavings.

use std::time::Duration;

use rrss::StoreBuilder;
use rrss_compression::{Algorithm, Compression};
use rrss_expiry::Expiry;
use rrss_index::Index;
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
        ..Default::default()
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

/// As `usual`, with an index, and with deadlines that a step keeps from passing a whole life.
fn indexed(builder: StoreBuilder, prefix: &str, index: rrss_index::Options) -> StoreBuilder {
    builder
        .step::<KeyMapper>(keys(&format!("{prefix}{{id}}"), IdFormat::Uuid))
        .step::<Expiry>(rrss_expiry::Options {
            absolute: Some(Duration::from_secs(90 * 24 * 3600).into()),
            ..Default::default()
        })
        .step::<Index>(index)
        .step::<JsonCodec>(Default::default())
        .step::<Compression>(compression(Algorithm::Zstd))
}

fn under_an_index() -> Subject {
    under(|builder, prefix| indexed(builder, prefix, rrss_index::Options::of(["user"])))
        .with_indexed_steps(indexed)
}

mod the_usual_pipeline {
    rrss_testkit::store_promises!(super::under(super::usual));

    mod interleavings {
        rrss_testkit::interleaving_promises!(super::super::under(super::super::usual));
    }
}

mod a_pipeline_with_an_index {
    mod store {
        rrss_testkit::store_promises!(super::super::under_an_index());
    }

    mod find {
        rrss_testkit::find_promises!(super::super::under_an_index());
    }

    mod interleavings {
        rrss_testkit::interleaving_promises!(super::super::under_an_index());
    }
}

mod an_unusual_pipeline {
    rrss_testkit::store_promises!(super::under(super::unusual));
}

mod the_least_pipeline {
    rrss_testkit::store_promises!(super::under(super::least));
}
