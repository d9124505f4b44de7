//! The suites that every backend is held to; which promises cannot be kept, and why, is in `rrss_testkit::exceptions`.

use std::sync::OnceLock;
use std::time::Duration;

use rrss_persistence::redis::{Compat, Options, Redis};
use rrss_test_servers::{Blackhole, Flavor, RedisServer, refused_port};
use rrss_testkit::Subject;

use super::support::{generous, to};

/// On the one server of its flavour; the subjects' keys do not meet.
fn subject(flavor: Flavor) -> Subject {
    static REDIS: OnceLock<RedisServer> = OnceLock::new();
    static VALKEY: OnceLock<RedisServer> = OnceLock::new();
    let server = match flavor {
        Flavor::Redis => &REDIS,
        Flavor::Valkey => &VALKEY,
        Flavor::Redis8 => unreachable!("it is not one of `Flavor::ALL`"),
    };
    let server = server.get_or_init(|| RedisServer::start(flavor));
    Subject::of_step::<Redis>(generous(&server.url())).real_time()
}

/// On a server of its own, since all sessions of a server are in one sorted set, and a sweep is over all of them.
fn shared_with_the_original(flavor: Flavor) -> Subject {
    let server = RedisServer::start(flavor);
    let options = Options {
        compat: Some(Compat::Rrss02),
        ..generous(&server.url())
    };
    Subject::of_step::<Redis>(options)
        .real_time()
        .without_times()
        .keeping(server)
}

mod store_on_redis {
    rrss_testkit::store_promises!(super::subject(super::Flavor::Redis));
}

mod store_on_valkey {
    rrss_testkit::store_promises!(super::subject(super::Flavor::Valkey));
}

mod interleavings_on_redis {
    rrss_testkit::interleaving_promises!(super::subject(super::Flavor::Redis));
}

mod interleavings_on_valkey {
    rrss_testkit::interleaving_promises!(super::subject(super::Flavor::Valkey));
}

mod store_with_the_original_on_redis {
    use super::{Flavor, shared_with_the_original};

    rrss_testkit::store_promises!(shared_with_the_original(Flavor::Redis));
}

mod store_with_the_original_on_valkey {
    use super::{Flavor, shared_with_the_original};

    rrss_testkit::store_promises!(shared_with_the_original(Flavor::Valkey));
}

mod interleavings_with_the_original_on_redis {
    use super::{Flavor, shared_with_the_original};

    rrss_testkit::interleaving_promises!(shared_with_the_original(Flavor::Redis));
}

mod interleavings_with_the_original_on_valkey {
    use super::{Flavor, shared_with_the_original};

    rrss_testkit::interleaving_promises!(shared_with_the_original(Flavor::Valkey));
}

/// With a limit that has to run out.
fn impatient(url: &str) -> Subject {
    Subject::of_step::<Redis>(Options {
        connect_timeout: Duration::from_millis(300).into(),
        ..to(url)
    })
}

mod where_nothing_listens {
    use super::{Redis, Subject, generous, refused_port};

    rrss_testkit::outage_promises!(Subject::of_step::<Redis>(generous(&format!(
        "redis://127.0.0.1:{}",
        refused_port()
    ))));
}

mod where_nobody_answers {
    use super::{Blackhole, impatient};

    rrss_testkit::outage_promises!({
        let server = Blackhole::start();
        impatient(&format!("redis://127.0.0.1:{}", server.port())).keeping(server)
    });
}
