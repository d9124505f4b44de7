//! The same on every backend, with real servers.

use rrss::{Cache, Embedded, ErrorKind, Memory, OnCorrupt, Redis, Session, Store, StoreBuilder};
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};
use rrss_testkit::Gate;

use crate::races::a_later_save_survives;
use crate::support::{BROKEN, DAY, deadline, entry, id, login, names, overwrite, raw, steps};

/// What a test needs of a backend: a store over it with more steps, as often as it asks.
async fn holds(open: impl Fn(StoreBuilder) -> Store) {
    quarantines_and_restores(&open).await;
    discards(&open).await;
}

async fn quarantines_and_restores(open: &impl Fn(StoreBuilder) -> Store) {
    let store = open(
        steps()
            .on_corrupt(OnCorrupt::Quarantine)
            .quarantine_for(DAY),
    );
    let other = login(&store, "bob").await;
    let session = broken(&store).await;
    assert!(store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(raw(&store, id(&session)).await, None);

    let found = entry(&store).await;
    assert_eq!(found.bytes(), BROKEN);
    assert_eq!(found.deadline(), session.expires_at());
    assert_eq!(found.expires_at(), Some(found.since() + DAY));
    assert_eq!(store.count().await.unwrap(), 1);
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list(cursor, 100).await.unwrap();
        listed.extend(page.ids);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, [id(&other).clone()]);
    assert_eq!(store.sweep().await.unwrap(), 0);

    let restored = store
        .quarantine()
        .unwrap()
        .restore(&found.name())
        .await
        .unwrap();
    assert!(restored.unreadable.is_some());
    assert_eq!(raw(&store, id(&session)).await.unwrap(), BROKEN);
    assert_eq!(deadline(&store, id(&session)).await, session.expires_at());
    assert!(names(&store).await.is_empty());

    // Many, so that the listing has pages.
    store.load(id(&session)).await.unwrap();
    for _ in 0..9 {
        let session = broken(&store).await;
        store.load(id(&session)).await.unwrap();
    }
    let all = names(&store).await;
    assert_eq!(all.len(), 10);
    let quarantine = store.quarantine().unwrap();
    for name in &all {
        quarantine.restore(name).await.unwrap();
    }
    assert_eq!(store.count().await.unwrap(), 11);
}

async fn discards(open: &impl Fn(StoreBuilder) -> Store) {
    let store = open(steps().on_corrupt(OnCorrupt::Discard));
    let session = broken(&store).await;
    assert!(store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(raw(&store, id(&session)).await, None);
    assert!(names(&store).await.is_empty());
    assert_eq!(store.corrupt_counts().discarded, 1);
}

async fn broken(store: &Store) -> Session {
    let session = login(store, "ann").await;
    overwrite(store, id(&session), BROKEN).await;
    session
}

/// A limit that a busy machine does not reach.
fn to(url: &str) -> rrss::redis::Options {
    rrss::redis::Options {
        url: Some(url.parse().unwrap()),
        ..patient()
    }
}

fn patient() -> rrss::redis::Options {
    let generous = std::time::Duration::from_secs(60);
    rrss::redis::Options {
        timeout: generous.into(),
        connect_timeout: generous.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn memory() {
    holds(|steps| steps.step::<Memory>(Default::default()).build().unwrap()).await;
}

#[tokio::test]
async fn embedded() {
    let folder = tempfile::tempdir().unwrap();
    let opened = std::cell::Cell::new(0);
    holds(|steps| {
        opened.set(opened.get() + 1);
        let options = rrss::embedded::Options {
            path: folder.path().join(opened.get().to_string()),
            ..Default::default()
        };
        steps.step::<Embedded>(options).build().unwrap()
    })
    .await;
}

#[tokio::test]
async fn redis() {
    let server = RedisServer::start(Flavor::Redis);
    holds(|steps| steps.step::<Redis>(to(&server.url())).build().unwrap()).await;
}

#[tokio::test]
async fn valkey() {
    let server = RedisServer::start(Flavor::Valkey);
    holds(|steps| steps.step::<Redis>(to(&server.url())).build().unwrap()).await;
}

#[tokio::test]
async fn cluster() {
    let cluster = RedisCluster::start(Flavor::Redis);
    let nodes: Vec<_> = cluster
        .nodes()
        .iter()
        .map(|url| url.parse().unwrap())
        .collect();
    holds(|steps| {
        let options = rrss::redis::Options {
            nodes: Some(nodes.clone()),
            ..patient()
        };
        steps.step::<Redis>(options).build().unwrap()
    })
    .await;
}

#[tokio::test]
async fn a_session_saved_at_the_last_moment_survives_on_disk_and_on_servers() {
    let cluster = RedisCluster::start(Flavor::Valkey);
    let nodes = cluster.nodes();
    let of_cluster = rrss::redis::Options {
        nodes: Some(nodes.iter().map(|url| url.parse().unwrap()).collect()),
        ..patient()
    };
    let servers = [Flavor::Redis, Flavor::Valkey].map(RedisServer::start);
    let options = servers.iter().map(|server| to(&server.url()));
    for policy in [OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let gate = Gate::new();
        for options in options.clone().chain([of_cluster.clone()]) {
            let redis = gate.before(Redis::new(options).unwrap());
            let store = steps().on_corrupt(policy).backend("redis", redis).build();
            a_later_save_survives(&store.unwrap(), &gate).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let options = rrss::embedded::Options {
            path: folder.path().to_owned(),
            ..Default::default()
        };
        let embedded = gate.before(Embedded::open(&options).unwrap());
        let store = steps()
            .on_corrupt(policy)
            .backend("embedded", embedded)
            .build();
        a_later_save_survives(&store.unwrap(), &gate).await;
    }
}

#[tokio::test]
async fn an_entry_in_redis_ends_by_itself_and_is_behind_the_stores_own_prefix() {
    let server = RedisServer::start(Flavor::Redis);
    let steps = steps()
        .on_corrupt(OnCorrupt::Quarantine)
        .quarantine_for(DAY);
    let store = steps.step::<Redis>(to(&server.url())).build().unwrap();
    let session = broken(&store).await;
    store.load(id(&session)).await.unwrap();
    let key = format!("sessions:quarantine:{}", entry(&store).await.name());
    assert!(server.scan("*").contains(&key));
    let left: i64 = server.command(&["PTTL", &key]).parse().unwrap();
    assert!((1..=DAY.as_millis() as i64).contains(&left), "{left}");
}

#[tokio::test]
async fn another_type_of_value_in_redis_is_an_error_and_stays() {
    let server = RedisServer::start(Flavor::Redis);
    for policy in [OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let steps = steps().on_corrupt(policy);
        let store = steps.step::<Redis>(to(&server.url())).build().unwrap();
        let session = login(&store, "ann").await;
        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["DEL", &key]);
        server.command(&["RPUSH", &key, "a list"]);
        let error = store.load(id(&session)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(server.command(&["LLEN", &key]), "1");
    }
}

#[tokio::test]
async fn a_cache_forgets_what_was_moved_aside_and_keeps_none_of_it() {
    let server = RedisServer::start(Flavor::Redis);
    let cache = Cache::new(&Default::default()).unwrap();
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(Default::default())
        .around(
            "cache",
            rrss::Shape::on_session()
                .around()
                .needs_key()
                .answers_loads(),
            cache.clone(),
        )
        .step::<rrss::JsonCodec>(Default::default())
        .step::<Redis>(to(&server.url()))
        .on_corrupt(OnCorrupt::Quarantine)
        .build()
        .unwrap();
    let session = login(&store, "ann").await;
    let good = raw(&store, id(&session)).await.unwrap();
    overwrite(&store, id(&session), BROKEN).await;
    cache.clear();
    assert!(store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(cache.len(), 0);
    assert_eq!(raw(&store, id(&session)).await, None);

    // What can be read is answered again as soon as it is there.
    let name = entry(&store).await.name();
    store.quarantine().unwrap().restore(&name).await.unwrap();
    overwrite(&store, id(&session), &good).await;
    assert!(store.load(id(&session)).await.unwrap().is_some());
}
