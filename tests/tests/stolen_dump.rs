//! A whole Redis falls into the wrong hands: nothing in it opens a session, and nothing that a session held is in it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;
use std::fs;

use rrss::{Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisServer};

const SESSIONS: usize = 200;

/// The words that are in every session, besides its own. The name of an indexed field is not among them: it is in the keys of
/// the index.
const KNOWN: [&str; 4] = [
    "csrf_token",
    "ann@example.com",
    "Darjeeling, second flush",
    "\"roles\":",
];

fn store(url: &str, hash: &str, below: &str) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper', hash = '{hash}' }},
            {{ type = 'expiry', duration = '7d' }},
            {{ type = 'index', fields = ['user_id'], keep_expired = '1d' }},
            {{ type = 'json-codec' }},
            {below}
            {{ type = 'redis', url = '{url}', timeout = '60s', connect_timeout = '60s' }},
        ]
        [store]
        name = 'shop'"
    ))
    .unwrap()
}

fn encryption() -> &'static str {
    "{ type = 'compression', min_bytes = 0 }, { type = 'encryption', keys = [{ id = '2026-11', key = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=' }] },"
}

fn token(number: usize) -> String {
    format!("tok3n-{number:04}-Zk3xW0q9")
}

/// Stores sessions, some of them saved twice, and one rotated.
async fn fill(store: &Store) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for number in 0..SESSIONS {
        let mut session = Session::new();
        session
            .insert("user_id", &format!("user-{number}@example.com"))
            .unwrap();
        session.insert("email", "ann@example.com").unwrap();
        session.insert("csrf_token", &token(number)).unwrap();
        session.insert("roles", &["customer", "editor"]).unwrap();
        session
            .insert("cart", &["Darjeeling, second flush"; 8])
            .unwrap();
        store.save(&mut session).await.unwrap();
        if number % 2 == 0 {
            session.insert("last_seen", &number).unwrap();
            store.save(&mut session).await.unwrap();
        }
        if number == 0 {
            ids.push(session.id().unwrap().clone());
            store.rotate(&mut session).await.unwrap();
        }
        ids.push(session.id().unwrap().clone());
    }
    ids
}

/// All that the server has, as it writes it to the disk, with no string of it compressed.
fn dump(server: &RedisServer) -> Vec<u8> {
    server.command(&["CONFIG", "SET", "rdbcompression", "no"]);
    server.command(&["SAVE"]);
    let folder = server.command(&["CONFIG", "GET", "dir"]);
    let folder = folder.lines().last().unwrap();
    let name = server.command(&["CONFIG", "GET", "dbfilename"]);
    fs::read(std::path::Path::new(folder).join(name.lines().last().unwrap())).unwrap()
}

fn has(dump: &[u8], wanted: &[u8]) -> bool {
    dump.windows(wanted.len()).any(|window| window == wanted)
}

/// Whatever in the dump could be an id: runs of printable characters, their parts, and what of them is as long as a UUID.
fn candidates(dump: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for run in dump
        .split(|byte| !byte.is_ascii_graphic())
        .filter(|run| run.len() >= 8)
    {
        let run = String::from_utf8(run.to_vec()).unwrap();
        found.extend(run.split([':', '"', ',']).map(str::to_owned));
        for window in run.as_bytes().windows(36).chain(run.as_bytes().windows(32)) {
            found.insert(String::from_utf8(window.to_vec()).unwrap());
        }
        found.insert(run);
    }
    found
}

/// Every place at which 16 bytes could be a UUID, in the form that ids have.
fn uuids(dump: &[u8]) -> impl Iterator<Item = String> + '_ {
    dump.windows(16).filter_map(|window| {
        let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_v4 = &hex[12..13] == "4" && ['8', '9', 'a', 'b'].contains(&hex.chars().nth(16)?);
        is_v4.then(|| {
            let (a, b, c, d, e) = (
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..],
            );
            format!("{a}-{b}-{c}-{d}-{e}")
        })
    })
}

async fn opened(store: &Store, dump: &[u8]) -> usize {
    let mut opened = 0;
    for candidate in candidates(dump).into_iter().chain(uuids(dump)) {
        match store.load(&SessionId::from(candidate.as_str())).await {
            // An id that was rotated away opens nothing.
            Err(error) if error.is_gone() => {}
            session => opened += usize::from(session.unwrap().is_some()),
        }
    }
    opened
}

#[tokio::test]
async fn nothing_in_a_stolen_dump_opens_a_session_or_tells_what_it_held() {
    let server = RedisServer::start(Flavor::Redis);
    let store = store(&server.url(), "sha256", encryption());
    let ids = fill(&store).await;
    let dump = dump(&server);
    assert!(dump.len() > SESSIONS * 100, "{}", dump.len());
    for id in &ids {
        let bytes = uuid(id);
        assert!(!has(&dump, id.as_str().as_bytes()) && !has(&dump, &bytes));
    }
    for number in 0..SESSIONS {
        assert!(!has(&dump, token(number).as_bytes()));
        assert!(!has(&dump, format!("user-{number}@").as_bytes()));
    }
    for known in KNOWN {
        assert!(!has(&dump, known.as_bytes()), "{known}");
    }
    assert_eq!(opened(&store, &dump).await, 0);
    let last = ids.last().unwrap();
    assert!(
        store.load(last).await.unwrap().is_some(),
        "with the id it opens"
    );
}

/// The same search, where there is something to find.
#[tokio::test]
async fn the_search_finds_what_a_store_without_encryption_and_hashing_gives_away() {
    let server = RedisServer::start(Flavor::Redis);
    let store = store(&server.url(), "none", "");
    let ids = fill(&store).await;
    let dump = dump(&server);
    assert!(has(&dump, ids.last().unwrap().as_str().as_bytes()));
    assert!(has(&dump, token(1).as_bytes()));
    assert!(opened(&store, &dump).await >= SESSIONS);
}

fn uuid(id: &SessionId) -> Vec<u8> {
    let hex: Vec<u8> = id.as_str().bytes().filter(|byte| *byte != b'-').collect();
    let pairs = hex.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}
