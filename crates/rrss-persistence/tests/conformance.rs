//! The built-in backends under the suites that every backend is held to.

#[cfg(feature = "memory")]
mod memory {
    use rrss_persistence::memory::{Memory, Options};
    use rrss_testkit::Subject;

    fn subject() -> Subject {
        Subject::of_step::<Memory>(Options::default())
    }

    mod backend {
        rrss_testkit::backend_promises!(super::subject());
    }

    mod store {
        rrss_testkit::store_promises!(super::subject());
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

    mod interleavings {
        rrss_testkit::interleaving_promises!(super::subject());
    }
}

#[cfg(feature = "embedded")]
mod embedded {
    use rrss_persistence::embedded::{Durability, Embedded, Options};
    use rrss_testkit::Subject;

    fn subject(durability: Durability) -> Subject {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let options = Options {
            durability,
            ..Options::at(folder.path().join("sessions"))
        };
        Subject::of_step::<Embedded>(options).keeping(folder)
    }

    mod backend {
        use super::Durability;

        rrss_testkit::backend_promises!(super::subject(Durability::Process));
    }

    mod store {
        use super::Durability;

        rrss_testkit::store_promises!(super::subject(Durability::Process));
    }

    mod index {
        use super::Durability;

        rrss_testkit::index_promises!(super::subject(Durability::Process));
    }

    mod find {
        use super::Durability;

        rrss_testkit::find_promises!(super::subject(Durability::Process));
    }

    mod expired {
        use super::Durability;

        rrss_testkit::expired_promises!(super::subject(Durability::Process));
    }

    mod interleavings {
        use super::Durability;

        rrss_testkit::interleaving_promises!(super::subject(Durability::Process));
    }

    mod on_disk {
        use super::Durability;

        rrss_testkit::backend_promises!(super::subject(Durability::Disk));
    }
}

#[cfg(feature = "redis")]
mod redis {
    use std::sync::OnceLock;
    use std::time::Duration;

    use rrss_persistence::redis::{Options, Redis};
    use rrss_test_servers::{Blackhole, Flavor, RedisServer, refused_port};
    use rrss_testkit::Subject;

    /// A connection to the one server of its flavour; the subjects' keys do not meet.
    fn subject(flavor: Flavor) -> Subject {
        static REDIS: OnceLock<RedisServer> = OnceLock::new();
        static VALKEY: OnceLock<RedisServer> = OnceLock::new();
        let server = match flavor {
            Flavor::Redis => &REDIS,
            Flavor::Valkey => &VALKEY,
            Flavor::Redis8 => unreachable!("it is not one of `Flavor::ALL`"),
        };
        let server = server.get_or_init(|| RedisServer::start(flavor));
        at(&server.url()).real_time()
    }

    /// With limits that a busy machine does not reach.
    fn at(url: &str) -> Subject {
        within(Duration::from_secs(60), url)
    }

    fn within(limit: Duration, url: &str) -> Subject {
        Subject::of_step::<Redis>(Options {
            url: Some(url.parse().expect("it is a URL")),
            timeout: limit.into(),
            connect_timeout: limit.into(),
            ..Options::default()
        })
    }

    mod on_redis {
        use super::Flavor;

        rrss_testkit::backend_promises!(super::subject(Flavor::Redis));
    }

    mod on_valkey {
        use super::Flavor;

        rrss_testkit::backend_promises!(super::subject(Flavor::Valkey));
    }

    mod store_on_redis {
        use super::Flavor;

        rrss_testkit::store_promises!(super::subject(Flavor::Redis));
    }

    mod store_on_valkey {
        use super::Flavor;

        rrss_testkit::store_promises!(super::subject(Flavor::Valkey));
    }

    mod index_on_redis {
        use super::Flavor;

        rrss_testkit::index_promises!(super::subject(Flavor::Redis));
    }

    mod find_on_redis {
        use super::Flavor;

        rrss_testkit::find_promises!(super::subject(Flavor::Redis));
    }

    mod expired_on_redis {
        use super::Flavor;

        rrss_testkit::expired_promises!(super::subject(Flavor::Redis));
    }

    mod interleavings_on_redis {
        use super::Flavor;

        rrss_testkit::interleaving_promises!(super::subject(Flavor::Redis));
    }

    mod index_on_valkey {
        use super::Flavor;

        rrss_testkit::index_promises!(super::subject(Flavor::Valkey));
    }

    mod find_on_valkey {
        use super::Flavor;

        rrss_testkit::find_promises!(super::subject(Flavor::Valkey));
    }

    mod expired_on_valkey {
        use super::Flavor;

        rrss_testkit::expired_promises!(super::subject(Flavor::Valkey));
    }

    mod interleavings_on_valkey {
        use super::Flavor;

        rrss_testkit::interleaving_promises!(super::subject(Flavor::Valkey));
    }

    mod where_nothing_listens {
        use super::{at, refused_port};

        rrss_testkit::outage_promises!(at(&format!("redis://127.0.0.1:{}", refused_port())));
    }

    mod where_nobody_answers {
        use super::{Blackhole, Duration, within};

        // The limit has to run out.
        rrss_testkit::outage_promises!({
            let server = Blackhole::start();
            let url = format!("redis://127.0.0.1:{}", server.port());
            within(Duration::from_millis(300), &url).keeping(server)
        });
    }

    mod where_the_password_is_wrong {
        use super::{Flavor, RedisServer, at};

        rrss_testkit::outage_promises!({
            let server = RedisServer::builder(Flavor::Redis)
                .password("right")
                .start();
            let url = format!("redis://:wrong@127.0.0.1:{}", server.port());
            at(&url).keeping(server)
        });
    }
}
