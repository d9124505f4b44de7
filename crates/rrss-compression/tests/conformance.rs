//! The `compression` step under the suites that every transform is held to.

use rrss_compression::{Algorithm, Compression, Options};
use rrss_testkit::Specimen;

fn compression(algorithm: Algorithm, min_bytes: usize) -> Specimen {
    Specimen::of_step::<Compression>(Options {
        algorithm,
        min_bytes,
        ..Options::default()
    })
}

mod zstd {
    use super::{Algorithm, compression};

    rrss_testkit::transform_promises!(compression(Algorithm::Zstd, 256));
    rrss_testkit::round_trip_promises!(compression(Algorithm::Zstd, 256));
}

mod zstd_for_every_session {
    use super::{Algorithm, compression};

    rrss_testkit::round_trip_promises!(compression(Algorithm::Zstd, 0));
}

mod lz4 {
    use super::{Algorithm, compression};

    rrss_testkit::transform_promises!(compression(Algorithm::Lz4, 256));
    rrss_testkit::round_trip_promises!(compression(Algorithm::Lz4, 256));
}

mod lz4_for_every_session {
    use super::{Algorithm, compression};

    rrss_testkit::round_trip_promises!(compression(Algorithm::Lz4, 0));
}
