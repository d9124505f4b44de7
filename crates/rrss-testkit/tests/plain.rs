//! The plain steps that the suites put above a backend keep every promise of their kind.

use rrss_testkit::Specimen;
use rrss_testkit::plain::{PlainJson, PlainKeys};

fn json() -> Specimen {
    Specimen::new(PlainJson::SHAPE, PlainJson)
}

fn keys() -> Specimen {
    Specimen::new(PlainKeys::SHAPE, PlainKeys::new("plain:"))
}

mod plain_json {
    rrss_testkit::transform_promises!(super::json());
    rrss_testkit::round_trip_promises!(super::json());
}

mod plain_keys {
    rrss_testkit::transform_promises!(super::keys());
    rrss_testkit::round_trip_promises!(super::keys());
    rrss_testkit::key_promises!(super::keys());
}
