//! TLS with an authority and certificates of one's own. On Redis alone: the Valkey that the tests install is built without
//! it.

use std::path::PathBuf;

use rrss_core::{Backend, BuildContext, ErrorKind, Step};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::Log;

use super::authority::Authority;
use super::support::*;

struct Secured {
    server: RedisServer,
    authority: Authority,
    port: u16,
}

impl Secured {
    fn start() -> Self {
        let server = RedisServer::start(Flavor::Redis);
        let authority = Authority::new("ours");
        let port = authority.secure(&server);
        Self {
            server,
            authority,
            port,
        }
    }

    /// With the generous limits that a busy machine wants.
    fn with(&self, options: Options) -> Options {
        Options {
            url: Some(format!("rediss://localhost:{}", self.port).parse().unwrap()),
            timeout: GENEROUS,
            connect_timeout: GENEROUS,
            ..options
        }
    }

    async fn ping(&self, options: Options) -> rrss_core::Result<()> {
        Redis::new(self.with(options))?.ping().await
    }

    fn disconnect(&self) {
        self.server
            .command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
}

#[tokio::test]
async fn a_server_of_ones_own_authority_lets_in_who_shows_a_certificate() {
    let secured = Secured::start();
    let redis = Redis::new(secured.with(secured.authority.client())).unwrap();
    redis
        .write(&create("sessions:1", b"{}", in_an_hour()))
        .await
        .unwrap();
    assert_eq!(secured.server.command(&["GET", "sessions:1"]), "{}");
}

#[tokio::test]
async fn the_same_is_said_with_host_and_port() {
    let secured = Secured::start();
    let options = Options {
        url: None,
        host: Some("localhost".to_owned()),
        port: Some(secured.port),
        tls: true,
        ..secured.with(secured.authority.client())
    };
    Redis::new(options).unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn relative_paths_start_where_the_file_is() {
    let secured = Secured::start();
    secured.authority.make("client");
    let options = |folder: &str| Options {
        cacert: Some("ca.pem".into()),
        cert: Some(PathBuf::from(folder).join("client.pem")),
        key: Some("client.key".into()),
        ..secured.with(Options::default())
    };
    let context = BuildContext::in_dir(secured.authority.folder.path());
    Redis::build(options(""), &context).unwrap();
    let error = Redis::build(options("elsewhere"), &context).unwrap_err();
    assert_eq!(error.option(), Some("cert"), "{error}");
}

#[tokio::test]
async fn a_server_of_another_authority_is_unavailable_and_said() {
    let secured = Secured::start();
    let other = Authority::new("theirs");
    let options = Options {
        cacert: Some(other.certificate()),
        ..secured.authority.client()
    };
    let error = secured.ping(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(
        error.message().contains("an authority in `cacert`"),
        "{error}"
    );
    assert!(all_that_it_says(&error).contains("UnknownIssuer"));
}

/// As `openssl req -x509` makes it where nothing is said about extensions.
#[tokio::test]
async fn a_server_that_shows_the_certificate_of_an_authority_is_explained() {
    let server = RedisServer::start(Flavor::Redis);
    let authority = Authority::new("ours");
    let key = authority.folder.path().join("ca.key");
    let port = authority.secure_with(&server, &authority.certificate(), &key);
    let secured = Secured {
        server,
        authority,
        port,
    };
    let error = secured.ping(secured.authority.client()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    for part in ["CA:TRUE", "make a certificate for the server"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_or_with_another_is_told_so() {
    let secured = Secured::start();
    let without = Options {
        cacert: Some(secured.authority.certificate()),
        ..Options::default()
    };
    let other = Authority::new("theirs");
    let with_another = Options {
        cacert: without.cacert.clone(),
        ..other.client()
    };
    for (options, part) in [
        (without, "set `cert` and `key`"),
        (with_another, "in `cert`"),
    ] {
        let error = secured.ping(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains(part), "{error:?}");
    }
}

#[test]
fn files_that_are_of_no_use_are_configuration_errors_at_their_options() {
    let authority = Authority::new("ours");
    let folder = authority.folder.path();
    let (cert, key) = authority.make("client");
    let (_, other_key) = authority.make("other");
    let garbage = folder.join("garbage");
    std::fs::write(&garbage, "hunter2\n").unwrap();
    let broken = folder.join("broken");
    std::fs::write(
        &broken,
        "-----BEGIN CERTIFICATE-----\nhunter2hunter2\n-----END CERTIFICATE-----\n\
         -----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    let large = folder.join("large");
    std::fs::write(&large, vec![b'-'; 1024 * 1024 + 1]).unwrap();
    let missing = folder.join("missing");
    let ca = authority.certificate();
    for (cacert, cert, key, option, part) in [
        (Some(&missing), None, None, "cacert", "cannot be read"),
        (
            Some(&garbage),
            None,
            None,
            "cacert",
            "no certificate in PEM",
        ),
        (Some(&key), None, None, "cacert", "no certificate in PEM"),
        (
            Some(&broken),
            None,
            None,
            "cacert",
            "cannot be one of an authority",
        ),
        (Some(&large), None, None, "cacert", "1 MiB"),
        (None, Some(&missing), Some(&key), "cert", "cannot be read"),
        (
            None,
            Some(&garbage),
            Some(&key),
            "cert",
            "no certificate in PEM",
        ),
        (None, Some(&cert), Some(&missing), "key", "cannot be read"),
        (
            None,
            Some(&cert),
            Some(&garbage),
            "key",
            "no private key in PEM",
        ),
        (None, Some(&cert), Some(&broken), "key", "of a kind that"),
        (
            Some(&ca),
            Some(&cert),
            Some(&other_key),
            "key",
            "of another certificate",
        ),
        (Some(&ca), Some(&cert), None, "cert", "set `key` too"),
        (Some(&ca), None, Some(&key), "key", "set `cert` too"),
    ] {
        let error = Redis::new(Options {
            cacert: cacert.cloned(),
            cert: cert.cloned(),
            key: key.cloned(),
            ..to("rediss://localhost")
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(error.option(), Some(option), "{error}");
        assert!(error.message().contains(part), "{error}");
        assert!(!all_that_it_says(&error).contains("hunter2"), "{error:?}");
    }
}

#[test]
fn certificates_without_tls_are_refused_before_anything_is_opened() {
    for (options, option) in [
        (to("redis://localhost"), "cacert"),
        (to("redis+unix:///run/redis.sock"), "cacert"),
        (Options::default(), "cacert"),
    ] {
        let options = Options {
            cacert: Some("ca.pem".into()),
            ..options
        };
        let error = Redis::check(&options).unwrap_err();
        assert_eq!(error.option(), Some(option), "{error}");
        assert!(error.message().contains("`rediss://`"), "{error}");
    }
}

#[tokio::test]
async fn certificates_are_read_again_for_each_connection() {
    let secured = Secured::start();
    let redis = Redis::new(secured.with(secured.authority.client())).unwrap();
    redis.ping().await.unwrap();

    let next = Authority::new("next");
    let (cert, key) = next.make("server");
    let set = |settings: &[&str]| {
        secured
            .server
            .command(&[&["CONFIG", "SET"], settings].concat())
    };
    set(&["tls-ca-cert-file", next.certificate().to_str().unwrap()]);
    set(&[
        "tls-cert-file",
        cert.to_str().unwrap(),
        "tls-key-file",
        key.to_str().unwrap(),
    ]);
    // The open connection serves on; one that is opened now is refused.
    redis.ping().await.unwrap();
    secured.disconnect();
    redis.ping().await.unwrap_err();

    let folder = secured.authority.folder.path();
    next.make("client");
    for file in ["ca.pem", "client.pem", "client.key"] {
        std::fs::copy(next.folder.path().join(file), folder.join(file)).unwrap();
    }
    redis.ping().await.unwrap();
}

#[tokio::test]
async fn certificates_that_are_half_replaced_are_used_as_before_and_logged() {
    let log = Log::listen();
    let secured = Secured::start();
    let redis = Redis::new(secured.with(secured.authority.client())).unwrap();
    redis.ping().await.unwrap();
    let (_, other) = secured.authority.make("other");
    std::fs::copy(other, secured.authority.folder.path().join("client.key")).unwrap();
    secured.disconnect();
    redis.ping().await.unwrap();
    let said = log.text();
    assert!(said.contains("of another certificate"), "{said}");
    assert!(!said.contains("PRIVATE KEY"), "{said}");
}

/// In log lines of every level, in every error, and in `Debug`.
#[tokio::test]
async fn nothing_is_shown_of_what_goes_over_tls_nor_of_the_key_that_opens_it() {
    const PASSWORD: &str = "password-ieN4oozu";
    const VALUE: &str = "value-Eimoh1ph";
    const ID: &str = "sessions:5f0c9f2e-9ad8-4a1d-a5a4-3d0b1b2a7c66";
    let log = Log::listen();
    let secured = Secured::start();
    secured
        .server
        .command(&["CONFIG", "SET", "requirepass", PASSWORD]);
    let ours = secured.authority.client();
    let with = |password: &str| {
        secured.with(Options {
            password: Some(password.to_owned().into()),
            ..ours.clone()
        })
    };
    let mut shown = String::new();
    let mut show = |value: &dyn std::fmt::Debug| shown += &format!("{value:?} {value:#?}\n");

    let options = with(PASSWORD);
    show(&options);
    let redis = Redis::new(options).unwrap();
    show(&redis);
    redis
        .write(&create(ID, VALUE.as_bytes(), in_an_hour()))
        .await
        .unwrap();
    assert_eq!(stored(&redis, ID).await.unwrap().unwrap(), VALUE);

    let theirs = Authority::new("theirs");
    let their_client = theirs.client();
    let other_authority = Options {
        cacert: Some(theirs.certificate()),
        ..with(PASSWORD)
    };
    let other_client = Options {
        cacert: ours.cacert.clone(),
        password: Some(PASSWORD.to_owned().into()),
        ..secured.with(their_client.clone())
    };
    for options in [with("hunter2"), other_authority, other_client] {
        let redis = Redis::new(options).unwrap();
        for error in every_failure(&redis, ID).await {
            show(&error);
            show(&all_that_it_says(&error));
        }
    }

    let keys = [&ours, &their_client].map(|options| {
        let text = std::fs::read_to_string(options.key.as_ref().unwrap()).unwrap();
        text.lines().nth(1).unwrap().to_owned()
    });
    let said = log.text() + &shown;
    assert!(
        said.contains("UnknownIssuer") && said.contains("DEBUG"),
        "{said}"
    );
    let secrets = [PASSWORD, VALUE, ID, "hunter2", &keys[0], &keys[1]];
    for (number, secret) in secrets.iter().enumerate() {
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "secret {number} is shown");
    }
}
