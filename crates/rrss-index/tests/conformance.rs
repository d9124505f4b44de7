//! The `index` step under the suites that every transform is held to.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::Shape;
use rrss_index::{Index, Options};
use rrss_testkit::Specimen;

/// The backend of these suites keeps no index, so the shape does not ask for one; what the step says to a backend that
/// does is in `entries.rs`.
fn index() -> Specimen {
    let index = Index::new(Options::of(["user_id"])).unwrap();
    Specimen::new(Shape::on_session().needs_key().once(), index)
}

rrss_testkit::transform_promises!(index());
rrss_testkit::round_trip_promises!(index());
