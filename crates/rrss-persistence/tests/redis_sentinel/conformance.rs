//! The suites that every backend is held to.

use std::sync::OnceLock;

use rrss_persistence::redis::Redis;
use rrss_test_servers::{Flavor, RedisSentinel};
use rrss_testkit::Subject;

use super::to;

/// The keys of two subjects do not meet.
fn subject() -> Subject {
    static GROUP: OnceLock<RedisSentinel> = OnceLock::new();
    let group = GROUP.get_or_init(|| RedisSentinel::start(Flavor::Valkey));
    Subject::of_step::<Redis>(to(group.master_name(), &group.sentinels())).real_time()
}

mod backend {
    rrss_testkit::backend_promises!(super::subject());
}

mod store {
    rrss_testkit::store_promises!(super::subject());
}

mod interleavings {
    rrss_testkit::interleaving_promises!(super::subject());
}

mod index {
    rrss_testkit::index_promises!(super::subject());
}

mod find {
    rrss_testkit::find_promises!(super::subject());
}

mod expired {
    rrss_testkit::expired_promises!(super::subject());
}
