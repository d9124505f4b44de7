//! The `expiry` step under the suites that every transform is held to.

use std::time::Duration;

use rrss_expiry::{Expiry, Options, Renew};
use rrss_testkit::Specimen;

const HOUR: Duration = Duration::from_secs(3600);

fn plain() -> Specimen {
    Specimen::of_step::<Expiry>(Options::default())
}

fn sliding() -> Options {
    Options {
        renew: Renew::Load,
        renew_after: Some(HOUR.into()),
        jitter: Some(HOUR.into()),
        ..Options::default()
    }
}

fn bounded() -> Specimen {
    Specimen::of_step::<Expiry>(Options {
        absolute: Some((HOUR * 24 * 30).into()),
        ..sliding()
    })
}

mod as_it_is {
    rrss_testkit::transform_promises!(super::plain());
    rrss_testkit::round_trip_promises!(super::plain());
}

mod sliding_with_jitter {
    rrss_testkit::round_trip_promises!(super::Specimen::of_step::<super::Expiry>(super::sliding()));
}

/// Not the promises of a round trip: bytes that are damaged so that they tell another time of creation are a session
/// whose life may be over.
mod with_every_option {
    rrss_testkit::transform_promises!(super::bounded());
}
