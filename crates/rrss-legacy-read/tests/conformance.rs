//! The `legacy-read` step under the suites that every transform is held to.

use rrss_legacy_read::{Format, LegacyRead, Options};
use rrss_testkit::Specimen;

fn legacy_read(format: Format) -> Specimen {
    Specimen::of_step::<LegacyRead>(Options::of(format))
}

mod tower_sessions {
    use super::{Format, legacy_read};

    rrss_testkit::transform_promises!(legacy_read(Format::TowerSessions));
    rrss_testkit::round_trip_promises!(legacy_read(Format::TowerSessions));
}

mod actix_session {
    use super::{Format, legacy_read};

    rrss_testkit::transform_promises!(legacy_read(Format::ActixSession));
    rrss_testkit::round_trip_promises!(legacy_read(Format::ActixSession));
}
