//! The suites that every backend is held to.

use rrss_persistence::redis::{Layout, Options, Redis};
use rrss_test_servers::Flavor;
use rrss_testkit::Subject;

use super::support::{cluster, to};

fn subject(flavor: Flavor) -> Subject {
    Subject::of_step::<Redis>(to(&cluster(flavor).nodes())).real_time()
}

fn hashes(flavor: Flavor) -> Subject {
    Subject::of_step::<Redis>(Options {
        layout: Layout::Hash,
        ..to(&cluster(flavor).nodes())
    })
    .real_time()
}

mod on_redis {
    use super::{Flavor, subject};

    rrss_testkit::backend_promises!(subject(Flavor::Redis));
}

mod on_valkey {
    use super::{Flavor, subject};

    rrss_testkit::backend_promises!(subject(Flavor::Valkey));
}

mod store_on_redis {
    use super::{Flavor, subject};

    rrss_testkit::store_promises!(subject(Flavor::Redis));
}

mod store_on_valkey {
    use super::{Flavor, subject};

    rrss_testkit::store_promises!(subject(Flavor::Valkey));
}

mod interleavings_on_redis {
    use super::{Flavor, subject};

    rrss_testkit::interleaving_promises!(subject(Flavor::Redis));
}

mod interleavings_on_valkey {
    use super::{Flavor, subject};

    rrss_testkit::interleaving_promises!(subject(Flavor::Valkey));
}

mod index_on_redis {
    use super::{Flavor, subject};

    rrss_testkit::index_promises!(subject(Flavor::Redis));
}

mod index_on_valkey {
    use super::{Flavor, subject};

    rrss_testkit::index_promises!(subject(Flavor::Valkey));
}

mod find_on_redis {
    use super::{Flavor, subject};

    rrss_testkit::find_promises!(subject(Flavor::Redis));
}

mod find_on_valkey {
    use super::{Flavor, subject};

    rrss_testkit::find_promises!(subject(Flavor::Valkey));
}

mod store_of_hashes_on_redis {
    use super::{Flavor, hashes};

    rrss_testkit::store_promises!(hashes(Flavor::Redis));
}

mod store_of_hashes_on_valkey {
    use super::{Flavor, hashes};

    rrss_testkit::store_promises!(hashes(Flavor::Valkey));
}

mod interleavings_of_hashes_on_redis {
    use super::{Flavor, hashes};

    rrss_testkit::interleaving_promises!(hashes(Flavor::Redis));
}

mod interleavings_of_hashes_on_valkey {
    use super::{Flavor, hashes};

    rrss_testkit::interleaving_promises!(hashes(Flavor::Valkey));
}
