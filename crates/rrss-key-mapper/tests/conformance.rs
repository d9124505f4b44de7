//! The `key-mapper` step under the suites that every transform is held to, and that every key mapper is.

use rrss_core::KeySpace;
use rrss_key_mapper::{Hash, IdFormat, KeyMapper, Options};
use rrss_testkit::Specimen;

fn template(template: &str, id: IdFormat) -> Specimen {
    Specimen::of_step::<KeyMapper>(Options {
        template: template.parse().expect("it has the one `{id}`"),
        id,
        ..Options::default()
    })
}

mod uuids {
    use super::{IdFormat, template};

    rrss_testkit::transform_promises!(template("sessions:{id}", IdFormat::Uuid));
    rrss_testkit::round_trip_promises!(template("sessions:{id}", IdFormat::Uuid));
    rrss_testkit::key_promises!(template("sessions:{id}", IdFormat::Uuid));
}

mod tokens {
    use super::{IdFormat, template};

    rrss_testkit::transform_promises!(template("shop:{id}:data", IdFormat::Token));
    rrss_testkit::round_trip_promises!(template("shop:{id}:data", IdFormat::Token));
    rrss_testkit::key_promises!(template("shop:{id}:data", IdFormat::Token));
}

mod ids_of_tower_sessions {
    use super::{IdFormat, template};

    rrss_testkit::transform_promises!(template("{id}", IdFormat::TowerSessions));
    rrss_testkit::round_trip_promises!(template("{id}", IdFormat::TowerSessions));
    rrss_testkit::key_promises!(template("{id}", IdFormat::TowerSessions));
}

mod keys_of_actix_session {
    use super::{IdFormat, template};

    rrss_testkit::transform_promises!(template("{id}", IdFormat::ActixSession));
    rrss_testkit::round_trip_promises!(template("{id}", IdFormat::ActixSession));
    rrss_testkit::key_promises!(template("{id}", IdFormat::ActixSession));
}

mod a_function {
    use super::{KeyMapper, Specimen};

    fn function() -> Specimen {
        Specimen::new(
            KeyMapper::SHAPE,
            KeyMapper::from_fn(|id| format!("app:{id}")),
        )
    }

    rrss_testkit::transform_promises!(function());
    rrss_testkit::round_trip_promises!(function());
    rrss_testkit::key_promises!(function());
}

mod a_function_with_its_key_space {
    use super::{KeyMapper, KeySpace, Specimen};

    fn function() -> Specimen {
        let keys = KeyMapper::from_fn(|id| format!("app:{id}"));
        Specimen::new(
            KeyMapper::SHAPE,
            keys.with_key_space(KeySpace::new("app:", "")),
        )
    }

    rrss_testkit::transform_promises!(function());
    rrss_testkit::key_promises!(function());
}

mod hashed_ids {
    use super::{Hash, IdFormat, KeyMapper, Options, Specimen};

    fn hashed(id: IdFormat) -> Specimen {
        Specimen::of_step::<KeyMapper>(Options {
            template: "shop:{id}:data".parse().expect("it has the one `{id}`"),
            id,
            hash: Hash::Sha256,
            ..Options::default()
        })
    }

    mod uuids {
        use super::{IdFormat, hashed};

        rrss_testkit::transform_promises!(hashed(IdFormat::Uuid));
        rrss_testkit::round_trip_promises!(hashed(IdFormat::Uuid));
        rrss_testkit::key_promises!(hashed(IdFormat::Uuid));
    }

    mod tokens {
        use super::{IdFormat, hashed};

        rrss_testkit::transform_promises!(hashed(IdFormat::Token));
        rrss_testkit::key_promises!(hashed(IdFormat::Token));
    }
}

mod hashed_ids_while_raw_keys_are_accepted {
    use super::{Hash, KeyMapper, Options, Specimen};

    fn hashed() -> Specimen {
        Specimen::of_step::<KeyMapper>(Options {
            hash: Hash::Sha256,
            accept_raw_keys_until: Some(rrss_core::Timestamp::from_millis(u64::MAX).into()),
            ..Options::default()
        })
    }

    rrss_testkit::transform_promises!(hashed());
    rrss_testkit::key_promises!(hashed());
}

mod a_function_of_hashed_ids {
    use super::{Hash, KeyMapper, KeySpace, Specimen};

    fn function() -> Specimen {
        let keys = KeyMapper::from_fn(|name| format!("app:{name}")).hash(Hash::Sha256);
        Specimen::new(
            KeyMapper::HASHED_SHAPE,
            keys.with_key_space(KeySpace::new("app:", "")),
        )
    }

    rrss_testkit::transform_promises!(function());
    rrss_testkit::key_promises!(function());
}
