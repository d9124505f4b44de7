//! The sentences of `rrss_core::Backend`, by the suite that every backend must pass.

use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::Subject;

use super::support::{GENEROUS, to};

async fn subject(flavor: Flavor) -> Subject {
    let server = RedisServer::start(flavor);
    let options = Options {
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..to(&server.url())
    };
    Subject::of_step::<Redis>(options)
        .real_time()
        .keeping(server)
}

mod redis {
    rrss_testkit::backend_promises!(super::subject(super::Flavor::Redis).await);
}

mod valkey {
    rrss_testkit::backend_promises!(super::subject(super::Flavor::Valkey).await);
}
