//! The `expiry` step under the suites that every transform is held to.

use rrss_expiry::{Expiry, Options};
use rrss_testkit::Specimen;

fn expiry() -> Specimen {
    Specimen::of_step::<Expiry>(Options::default())
}

rrss_testkit::transform_promises!(expiry());
rrss_testkit::round_trip_promises!(expiry());
