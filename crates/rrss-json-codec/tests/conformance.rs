//! The `json-codec` step under the suites that every transform is held to.

use rrss_json_codec::{JsonCodec, Options};
use rrss_testkit::Specimen;

fn codec() -> Specimen {
    Specimen::of_step::<JsonCodec>(Options::default())
}

rrss_testkit::transform_promises!(codec());
rrss_testkit::round_trip_promises!(codec());
