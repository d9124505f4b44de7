//! Stored values that no session is: of any size and shape, they cost bounded memory, and are refused with the limit that they
//! are beyond.
//!
//! What is counted is what a load allocates on the thread of the test, which runs the steps and the connection to Redis. What
//! the engine of `embedded` takes on threads of its own is not seen, nor what zstd's C code takes for itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use allocation_counter::{AllocationInfo, measure};
use rrss::core::{Action, Deadline, Outcome, Payload, Transform};
use rrss::{Compression, ErrorKind, Operation, Result, Session, SessionId, Store, compression};
use rrss_test_servers::{Flavor, RedisServer};
use tokio::runtime::Runtime;

const MIB: u64 = 1024 * 1024;

/// The limits of the steps, where nothing is written.
const MAX_JSON: usize = 1024 * 1024;
const MAX_CONTENT: u64 = 16 * MIB;

/// A large text gets a table for as many fields as it could have, by its colons and its length: so many bytes at most.
const TABLE: u64 = 5 * MAX_JSON as u64;

/// What a load may take besides what is stored: buffers, the operation, an error.
const BESIDES: u64 = 256 * 1024;

/// A store on one backend, and the id of the session whose bytes are overwritten.
struct Place {
    store: Store,
    runtime: Runtime,
    id: SessionId,
    /// How often a value lies in memory at a time while it is loaded.
    copies: u64,
    _kept: Option<Box<dyn std::any::Any>>,
}

impl Place {
    fn new(backend: &str, copies: u64, kept: Option<Box<dyn std::any::Any>>) -> Self {
        Self::with_codec("", backend, copies, kept)
    }

    fn with_codec(
        codec: &str,
        backend: &str,
        copies: u64,
        kept: Option<Box<dyn std::any::Any>>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let store = Store::from_toml(&format!(
            "step = [
                {{ type = 'key-mapper' }},
                {{ type = 'expiry' }},
                {{ type = 'index', fields = ['user'] }},
                {{ type = 'json-codec' {codec} }},
                {{ type = 'compression' }},
                {backend}
            ]"
        ))
        .unwrap();
        let id = runtime.block_on(async {
            let mut session = Session::new();
            session.insert("user", "ann").unwrap();
            store.save(&mut session).await.unwrap();
            session.id().unwrap().clone()
        });
        Self {
            store,
            runtime,
            id,
            copies,
            _kept: kept,
        }
    }

    /// With a step that reads the sessions of another store.
    fn with_legacy(format: &str) -> Self {
        let steps =
            format!("{{ type = 'legacy-read', format = '{format}' }}, {{ type = 'memory' }}");
        Self::new(&steps, 0, None)
    }

    /// Each backend, on real servers.
    fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let embedded = format!(
            "{{ type = 'embedded', path = '{}' }}",
            folder.path().display()
        );
        let server = RedisServer::start(Flavor::Redis);
        let redis = format!(
            "{{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
            server.url()
        );
        vec![
            Self::new("{ type = 'memory' }", 0, None),
            Self::new(&embedded, 3, Some(Box::new(folder))),
            // The buffer of the connection grows by doubling.
            Self::new(&redis, 4, Some(Box::new(server))),
        ]
    }

    /// Overwrites what is stored.
    fn put(&self, bytes: Vec<u8>) {
        self.runtime.block_on(async {
            let mut op = Operation::new(Action::Update, self.store.now()).with_id(self.id.clone());
            assert!(self.store.pipeline().prepare(&mut op).unwrap());
            op.payload = Payload::Bytes(bytes.into());
            op.deadline = Deadline::Keep;
            let answer = self.store.pipeline().run_on_backend(&op).await.unwrap();
            assert_eq!(answer.outcome, Outcome::Done);
        });
    }

    /// Loads what is stored, and counts what that takes.
    fn load(&self) -> (Result<Session>, AllocationInfo) {
        let mut loaded = None;
        let seen = measure(|| loaded = Some(self.runtime.block_on(self.store.load(&self.id))));
        (
            loaded.unwrap().map(|session| session.expect("it lives")),
            seen,
        )
    }

    /// That `bytes` are corrupt, for this reason, and that it takes no more than them and `more` to see it.
    #[track_caller]
    fn refuses(&self, what: &str, bytes: Vec<u8>, more: u64, reason: &str) {
        let bound = self.copies * bytes.len() as u64 + more + BESIDES;
        self.put(bytes);
        let (loaded, seen) = self.load();
        let error = loaded.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        assert!(error.to_string().contains(reason), "{what}: {error}");
        assert!(
            seen.bytes_max <= bound,
            "{what} in {:?}: {seen:?}, {bound}",
            self.store
        );
    }

    /// That `bytes` are a session, and that it takes no more than them and `more` to read it.
    #[track_caller]
    fn reads(&self, what: &str, bytes: Vec<u8>, more: u64) -> Session {
        let bound = self.copies * bytes.len() as u64 + more + BESIDES;
        self.put(bytes);
        let (loaded, seen) = self.load();
        assert!(
            seen.bytes_max <= bound,
            "{what} in {:?}: {seen:?}, {bound}",
            self.store
        );
        loaded.unwrap()
    }
}

fn repeated(front: &str, part: &str, times: usize, back: &str) -> Vec<u8> {
    [front, &part.repeat(times), back].concat().into_bytes()
}

fn fields(count: usize) -> Vec<u8> {
    let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":1")).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

/// What the `compression` step makes of so many zeros.
fn bomb(algorithm: compression::Algorithm, zeros: usize) -> Vec<u8> {
    let options = compression::Options {
        algorithm,
        max_bytes: usize::MAX,
        ..Default::default()
    };
    let mut op = Operation::new(Action::Update, rrss::Timestamp::from_millis(0));
    op.payload = Payload::Bytes(vec![0; zeros].into());
    Compression::new(options).unwrap().before(&mut op).unwrap();
    op.bytes().unwrap().to_vec()
}

const ALGORITHMS: [compression::Algorithm; 2] =
    [compression::Algorithm::Zstd, compression::Algorithm::Lz4];

#[test]
fn a_value_of_100_mb_is_refused_by_its_size_alone() {
    for place in Place::all() {
        let text = repeated("{\"a\":\"", "x", 100_000_000, "\"}");
        place.refuses("100 MB", text, 0, "`max_bytes` allows 1048576");
    }
}

#[test]
fn a_million_brackets_are_refused_before_there_is_a_table_of_them() {
    let told = "`max_depth` allows (127)";
    for place in Place::all() {
        place.refuses(
            "never closed",
            repeated("{\"a\":", "[", 1_000_000, ""),
            0,
            told,
        );
        let closed = |count| {
            [
                &b"{\"a\":"[..],
                &vec![b'['; count],
                &vec![b']'; count],
                b"}",
            ]
            .concat()
        };
        place.refuses(
            "beyond the size",
            closed(1_000_000),
            0,
            "`max_bytes` allows",
        );
        place.refuses("closed", closed(500_000), 0, told);
        place.refuses(
            "objects",
            repeated("{\"a\":", "{\"a\":", 150_000, ""),
            0,
            told,
        );
        place.refuses(
            "not the first",
            repeated("{\"a\":[],\"b\":[{}", ",[{}", 200_000, ""),
            0,
            told,
        );
        let session = place.reads(
            "side by side",
            repeated("{\"a\":[[]", ",[]", 300_000, "]}"),
            0,
        );
        assert!(session.get::<Vec<Vec<u8>>>("a").unwrap().unwrap().len() > 300_000);
    }
}

#[test]
fn a_million_fields_are_refused_before_there_is_a_table_of_them() {
    for place in Place::all() {
        place.refuses(
            "beyond the size",
            fields(1_000_000),
            0,
            "`max_bytes` allows",
        );
        place.refuses(
            "within the size",
            fields(90_000),
            0,
            "`max_fields` allows (1000)",
        );
        place.refuses(
            "the same again and again",
            repeated("{\"\":1", ",\"\":1", 200_000, "}"),
            0,
            "`max_fields` allows",
        );
    }
    let patient = Place::with_codec(", max_bytes = 1000000000", "{ type = 'memory' }", 0, None);
    patient.refuses(
        "a raised size",
        fields(1_000_000),
        0,
        "`max_fields` allows (1000)",
    );
}

#[test]
fn as_many_fields_as_there_may_be_take_a_table_of_them() {
    for place in Place::all() {
        let session = place.reads("1,000 fields", fields(1_000), 1_000 * 128);
        assert_eq!(session.len(), 1_000);
    }
}

#[test]
fn a_number_of_a_million_digits_is_read_and_is_no_number_to_anybody() {
    for place in Place::all() {
        let session = place.reads("digits", repeated("{\"n\":", "9", 1_000_000, "}"), 0);
        for error in [
            session.get::<u64>("n").unwrap_err(),
            session.get::<f64>("n").unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Value);
            assert!(!error.to_string().contains("99"), "{error}");
        }
        let long = repeated("{\"n\":0.", "9", 1_000_000, "}");
        assert!(place.reads("a fraction", long, 0).get::<f64>("n").is_ok());
        place.refuses(
            "digits",
            repeated("{\"n\":", "9", 1_100_000, "}"),
            0,
            "`max_bytes`",
        );
    }
}

#[test]
fn texts_and_names_of_any_form_take_no_more_than_they_are() {
    for place in Place::all() {
        let size = MAX_JSON as u64;
        place.reads(
            "colons",
            repeated("{\"a\":\"", ":", 1_000_000, "\"}"),
            TABLE,
        );
        place.reads("commas", repeated("{\"a\":\"", "\\\",", 300_000, "\"}"), 0);
        place.reads("a long name", repeated("{\"", "a", 1_000_000, "\":1}"), 0);
        // A name with escapes is kept beside the text.
        place.reads(
            "an escaped name",
            repeated("{\"", "\\u0061", 170_000, "\":1}"),
            3 * size,
        );
        place.reads("spaces", repeated("{", " ", 1_000_000, "}"), 0);
        place.refuses(
            "no end",
            repeated("{\"a\":\"", "\\\"", 500_000, ""),
            0,
            "not a JSON object",
        );
        place.refuses(
            "no text",
            repeated("{", "\u{0}", 1_000_000, "}"),
            0,
            "not a JSON object",
        );
    }
}

#[test]
fn a_bomb_is_refused_before_there_is_memory_for_what_it_stands_for() {
    for place in Place::all() {
        for algorithm in ALGORITHMS {
            let bomb = bomb(algorithm, 100_000_000);
            assert!(bomb.len() < 500_000, "{algorithm:?}: {}", bomb.len());
            place.refuses("a bomb", bomb, 0, "`max_bytes` allows (16777216)");
        }
    }
}

#[test]
fn a_bomb_within_the_limit_takes_no_more_than_the_limit() {
    for place in Place::all() {
        for algorithm in ALGORITHMS {
            let bomb = bomb(algorithm, 16_000_000);
            place.refuses(
                "a small bomb",
                bomb,
                MAX_CONTENT,
                "`max_bytes` allows 1048576",
            );
        }
    }
}

#[test]
fn a_frame_that_lies_of_its_length_takes_no_more_than_the_limit() {
    // Zstandard: one segment and an eight-byte length (RFC 8878, section 3.1.1.1), then one raw block of one byte.
    let zstd = |claimed: u64| {
        let header = [
            &[0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000][..],
            &claimed.to_le_bytes(),
        ]
        .concat();
        [&header[..], b"\x09\0\0a"].concat()
    };
    for place in Place::all() {
        for claimed in [u64::MAX - 3, 1 << 40, MAX_CONTENT + 1] {
            place.refuses(
                "more than may be",
                zstd(claimed),
                0,
                "`max_bytes` allows (16777216)",
            );
        }
        for claimed in [0, 2, 1_000_000, MAX_CONTENT] {
            place.refuses("another", zstd(claimed), claimed, "damaged zstd frame");
        }
    }
}

/// A record of tower-sessions with this map of fields, in MessagePack.
fn record(fields: &[u8]) -> Vec<u8> {
    let (front, until) = (
        &[0x93, 0xc0][..],
        &[0x99, 0xcd, 0x23, 0x28, 1, 0, 0, 0, 0, 0, 0, 0][..],
    );
    [front, fields, until].concat()
}

#[test]
fn sessions_of_other_stores_are_bounded_before_they_become_values() {
    let tower = Place::with_legacy("tower-sessions");
    let nothings = |count: u32| {
        let head = [&[0x81, 0xa1, b'a', 0xdd][..], &count.to_be_bytes()].concat();
        record(&[head, vec![0xc0; count as usize]].concat())
    };
    // A value takes 32 bytes and a byte of MessagePack makes one; lists grow by doubling. Its JSON is `null,`.
    tower.reads(
        "a million nothings",
        nothings(1_000_000),
        1_000_000 * (3 * 32 + 2 * 8),
    );
    tower.refuses(
        "ten million",
        nothings(10_000_000),
        0,
        "`max_bytes` allows 1048576",
    );
    tower.refuses(
        "brackets",
        record(&[&[0x81, 0xa1, b'a'][..], &[0x91; 1_000_000]].concat()),
        0,
        "no whole one",
    );

    let actix = Place::with_legacy("actix-session");
    let members: Vec<String> = (0..80_000).map(|n| format!("\"{n}\":\"1\"")).collect();
    let members = format!("{{{}}}", members.join(","));
    let session = actix.reads("80,000 fields", members.into_bytes(), 80_000 * 300);
    assert_eq!(session.len(), 80_000);
    let large = repeated("{\"a\":\"", "1", 2_000_000, "\"}");
    actix.refuses("2 MB", large, 0, "`max_bytes` allows 1048576");
}

/// With `layout = "hash"` there is no codec, and the step itself stops behind the first field too many.
#[test]
fn a_hash_of_a_million_fields_costs_what_one_of_a_thousand_costs() {
    const FIELDS: usize = 1_000_000;
    /// Names and values as Redis answers them, the text, the table, and the form that the next save compares with.
    const EACH: u64 = 500;
    let server = RedisServer::start(Flavor::Redis);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry' }},
            {{ type = 'redis', layout = 'hash', url = '{}', timeout = '60s', connect_timeout = '60s' }}
        ]",
        server.url()
    ))
    .unwrap();
    let id = runtime.block_on(async {
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        store.save(&mut session).await.unwrap();
        session.id().unwrap().clone()
    });
    let script = "for n = 1, ARGV[1] do redis.call('HSET', KEYS[1], 'f' .. n, 'v' .. n) end";
    let key = format!("sessions:{}", id.as_str());
    server.command(&["EVAL", script, "1", &key, &FIELDS.to_string()]);

    let load = || {
        let mut loaded = None;
        let seen = measure(|| loaded = Some(runtime.block_on(store.load(&id))));
        (loaded.unwrap(), seen.bytes_max)
    };
    let (loaded, bytes) = load();
    let error = loaded.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let told = "`max_fields` allows (1000)";
    assert!(error.to_string().contains(told), "{error}");
    assert!(bytes <= 1_000 * EACH, "{bytes}");

    let script = "for n = 1000, ARGV[1] do redis.call('HDEL', KEYS[1], 'f' .. n) end";
    server.command(&["EVAL", script, "1", &key, &FIELDS.to_string()]);
    let (loaded, bytes) = load();
    assert_eq!(loaded.unwrap().unwrap().len(), 1_000);
    assert!(bytes <= 1_000 * EACH, "{bytes}");
}
