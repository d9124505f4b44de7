//! What an operation costs in heap allocations: the same however many fields the session has.
//!
//! Counted on the thread of the test, in Rust alone: what zstd's C code takes for itself is not seen here.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use allocation_counter::measure;
use futures_util::FutureExt;
use rrss::{Session, SessionId, Store};

/// Loads, saves and creates are counted after this many of them: caches and pools are filled then.
const WARM: usize = 8;

const FIELDS: [usize; 5] = [1, 10, 100, 300, 1000];

const PLAIN: &str = "";
const ZSTD: &str = "{ type = 'compression', algorithm = 'zstd', min_bytes = 0 },";
const LZ4: &str = "{ type = 'compression', algorithm = 'lz4', min_bytes = 0 },";

fn store(compression: &str) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry', duration = '7d' }},
            {{ type = 'json-codec' }},
            {compression}
            {{ type = 'memory' }},
        ]"
    ))
    .unwrap()
}

/// A session as a site has it: text, numbers, lists, and values with text that repeats.
fn session(fields: usize) -> Session {
    let mut session = Session::new();
    for number in 0..fields {
        let name = format!("field_{number}");
        match number % 3 {
            0 => session.insert(
                &name,
                "a text of some length, as a name or a title would be",
            ),
            1 => session.insert(&name, &number),
            _ => session.insert(&name, &["one", "two", "three"]),
        }
        .unwrap();
    }
    session
}

async fn stored(store: &Store, fields: usize) -> SessionId {
    let mut session = session(fields);
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

/// The answer of an operation on `memory`, which never waits: nothing else runs while it is counted.
fn now<T>(operation: impl Future<Output = rrss::Result<T>>) -> T {
    operation
        .now_or_never()
        .expect("the memory backend answers at once")
        .unwrap()
}

async fn allocations_of_a_load(store: &Store, fields: usize) -> u64 {
    let id = stored(store, fields).await;
    for _ in 0..WARM {
        now(store.load(&id));
    }
    let mut loaded = None;
    let count = measure(|| loaded = now(store.load(&id))).count_total;
    assert_eq!(loaded.unwrap().len(), fields);
    count
}

/// A load, one field changed, and then the save alone.
async fn allocations_of_a_save(store: &Store, fields: usize) -> u64 {
    let id = stored(store, fields).await;
    let mut count = 0;
    for round in 0..=WARM {
        let mut session = now(store.load(&id)).unwrap();
        session
            .insert("field_0", &format!("changed {round}"))
            .unwrap();
        count = measure(|| {
            now(store.save(&mut session));
        })
        .count_total;
    }
    let session = now(store.load(&id)).unwrap();
    assert_eq!(session.len(), fields);
    assert_eq!(
        session.get::<String>("field_0").unwrap().unwrap(),
        format!("changed {WARM}")
    );
    count
}

async fn allocations_of_a_create(store: &Store, fields: usize) -> u64 {
    let mut count = 0;
    for _ in 0..=WARM {
        let mut session = session(fields);
        count = measure(|| {
            now(store.save(&mut session));
        })
        .count_total;
    }
    count
}

#[tokio::test]
async fn a_load_makes_at_most_6_whatever_the_number_of_fields() {
    let store = store(PLAIN);
    for fields in FIELDS {
        let count = allocations_of_a_load(&store, fields).await;
        println!("load, {fields} fields: {count}");
        assert!(count <= 6, "{count} for {fields} fields");
    }
}

#[tokio::test]
async fn compression_adds_at_most_2_to_a_load() {
    for compression in [ZSTD, LZ4] {
        for fields in FIELDS {
            let plain = allocations_of_a_load(&store(PLAIN), fields).await;
            let count = allocations_of_a_load(&store(compression), fields).await;
            println!("load, {fields} fields, {compression} {count}");
            assert!(
                count <= plain + 2,
                "{count}, and {plain} without, for {fields} fields"
            );
        }
    }
}

/// The bounds are what was found when this was written, so that more is seen.
#[tokio::test]
async fn a_save_of_one_change_makes_at_most_5_and_7_with_compression() {
    for (compression, bound) in [(PLAIN, 5), (ZSTD, 7), (LZ4, 7)] {
        for fields in FIELDS {
            let count = allocations_of_a_save(&store(compression), fields).await;
            println!("save, {fields} fields, {compression} {count}");
            assert!(count <= bound, "{count} for {fields} fields, {compression}");
        }
    }
}

#[tokio::test]
async fn a_create_makes_at_most_8_and_10_with_compression() {
    for (compression, bound) in [(PLAIN, 8), (ZSTD, 10), (LZ4, 10)] {
        for fields in FIELDS {
            let count = allocations_of_a_create(&store(compression), fields).await;
            println!("create, {fields} fields, {compression} {count}");
            assert!(count <= bound, "{count} for {fields} fields, {compression}");
        }
    }
}

/// One answer, of a session that a request reads three fields of.
#[tokio::test]
async fn reading_a_number_makes_none_and_reading_a_text_one() {
    let store = store(PLAIN);
    let id = stored(&store, 100).await;
    let session = now(store.load(&id)).unwrap();
    let number = measure(|| {
        assert_eq!(session.get::<u64>("field_1").unwrap(), Some(1));
    });
    assert_eq!(number.count_total, 0);
    let text = measure(|| drop(session.get::<String>("field_0").unwrap()));
    assert_eq!(text.count_total, 1);
}
