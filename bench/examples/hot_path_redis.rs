//! The work of the client in loads from a server, and nothing else, for tools that count instructions.
//!
//! `hot_path_redis load|get COUNT` starts a Redis and does as many, 64 at once on one thread: loads of sessions of 1 KB through the default
//! pipeline, or each a `GET` of the same bytes by redis-rs. docs/hot-path.md says what was counted.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use rrss::redis::Options;
use rrss::{Expiry, JsonCodec, KeyMapper, Redis, Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisServer};
use tokio::task::JoinSet;

#[allow(dead_code, reason = "the benchmark uses all of it")]
#[path = "../src/corpus.rs"]
mod corpus;

type Failed = Box<dyn Error + Send + Sync>;

const AT_ONCE: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut words = std::env::args().skip(1);
    let (Some(what), Some(count)) = (words.next(), words.next()) else {
        return Err("usage: hot_path_redis load|get COUNT".into());
    };
    let count: usize = count.parse()?;
    let server = RedisServer::start(Flavor::Redis);
    let at_server = Options {
        url: Some(server.url().parse()?),
        ..Options::default()
    };
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Redis>(at_server)
        .build()?;
    let mut ids = Vec::new();
    for text in corpus::sessions(7, corpus::Size::Medium, AT_ONCE) {
        let mut session = Session::new();
        session.copy_fields_of(&Session::from_json(text.into(), None)?.0);
        store.save(&mut session).await?;
        ids.push(session.id().cloned().ok_or("it was saved")?);
    }
    match what.as_str() {
        "load" => all(ids, count, move |id| load(store.clone(), id)).await,
        "get" => {
            let client = redis::Client::open(server.url())?;
            let connection = client.get_multiplexed_async_connection().await?;
            let keys = ids
                .iter()
                .map(|id| format!("sessions:{}", id.as_str()))
                .collect();
            all(keys, count, move |key| get(connection.clone(), key)).await
        }
        _ => Err("load or get".into()),
    }
}

async fn all<K, F>(
    keys: Vec<K>,
    count: usize,
    one: impl Fn(K) -> F + Clone + Send + 'static,
) -> Result<(), Failed>
where
    K: Clone + Send + 'static,
    F: Future<Output = Result<(), Failed>> + Send,
{
    let begun = Arc::new(AtomicUsize::new(0));
    let mut tasks: JoinSet<Result<(), Failed>> = JoinSet::new();
    for key in keys {
        let (one, begun) = (one.clone(), begun.clone());
        tasks.spawn(async move {
            while begun.fetch_add(1, Relaxed) < count {
                one(key.clone()).await?;
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

async fn load(store: Store, id: SessionId) -> Result<(), Failed> {
    let session = store.load(&id).await?.ok_or("it is stored")?;
    session.get::<serde_json::Value>(corpus::READ_FIELD)?;
    Ok(())
}

async fn get(mut connection: MultiplexedConnection, key: String) -> Result<(), Failed> {
    let bytes: Bytes = redis::cmd("GET")
        .arg(key)
        .query_async(&mut connection)
        .await?;
    assert!(bytes.starts_with(b"{"));
    Ok(())
}
