//! Everything that is promised of stores holds with hashed ids, on every backend; and while they become hashed.

use rrss::Timestamp;
use rrss_test_servers::Flavor;
use rrss_testkit::Subject;

use crate::support::{Keys, cluster, embedded, memory, redis, redis_hash, under};

/// A date that no test comes to.
const FOR_EVER: Timestamp = Timestamp::from_millis(u64::MAX);

macro_rules! on {
    ($($of:ident: $subject:expr,)+) => {
        $(
            mod $of {
                use super::*;

                fn subject() -> Subject {
                    $subject
                }

                mod store {
                    rrss_testkit::store_promises!(super::subject());
                }

                mod find {
                    rrss_testkit::find_promises!(super::subject());
                }

                mod expired {
                    rrss_testkit::expired_promises!(super::subject());
                }

                mod interleavings {
                    rrss_testkit::interleaving_promises!(super::subject());
                }
            }
        )+
    };
}

on! {
    in_memory: under(memory(), Keys::Hashed),
    on_disk: under(embedded(), Keys::Hashed),
    on_redis: under(redis(Flavor::Redis), Keys::Hashed),
    on_valkey: under(redis(Flavor::Valkey), Keys::Hashed),
    in_memory_while_they_become_hashed: under(memory(), Keys::HashedSince(FOR_EVER)),
    on_redis_while_they_become_hashed: under(redis(Flavor::Redis), Keys::HashedSince(FOR_EVER)),
}

mod on_redis_field_by_field {
    use super::*;

    rrss_testkit::store_promises!(under(redis_hash(), Keys::Hashed));
}

mod on_redis_field_by_field_while_they_become_hashed {
    use super::*;

    rrss_testkit::store_promises!(under(redis_hash(), Keys::HashedSince(FOR_EVER)));
}

mod on_a_cluster_while_they_become_hashed {
    use super::*;

    rrss_testkit::store_promises!(under(cluster(), Keys::HashedSince(FOR_EVER)));
}
