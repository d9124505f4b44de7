//! axum with tower-sessions: over its own store for Redis, and over an rrss store.

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use fred::clients::{Client, Pool};
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use rrss_tower_sessions::v0_14::RrssStore;
use serde_json::{Map, Value};
use tower_sessions::{Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;

use super::route::{self, FILL, HELLO, Route, TELL, VISITS};
use super::rrss;
use super::served::Served;
use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer;

pub const RRSS: &str = "rrss-tower-sessions";
pub const CLIENT: &str = "tower-sessions-redis-store";
pub const POOL: &str = "tower-sessions-redis-store, pool of 6";

pub fn serve_rrss(url: &str) -> peer::Result<Served> {
    Served::by_axum(RRSS, async { Ok(app(RrssStore::new(rrss::store(url)?))) })
}

/// With one connection, as rrss has.
pub fn serve_client(url: &str) -> peer::Result<Served> {
    Served::by_axum(CLIENT, async {
        let client = Client::new(Config::from_url(url)?, None, None, None);
        client.init().await?;
        Ok(app(RedisStore::new(client)))
    })
}

/// As its README shows it.
pub fn serve_pool(url: &str) -> peer::Result<Served> {
    Served::by_axum(POOL, async {
        let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
        pool.init().await?;
        Ok(app(RedisStore::new(pool)))
    })
}

fn app(store: impl SessionStore + Clone) -> Router {
    Router::new()
        .route(Route::Still.path(), get(async || HELLO))
        .route(Route::Read.path(), get(read))
        .route(Route::Write.path(), get(write))
        .route(FILL, post(fill))
        .route(TELL, post(tell))
        .layer(SessionManagerLayer::new(store))
}

type Result<T> = std::result::Result<T, StatusCode>;

async fn read(session: Session) -> Result<String> {
    let number = session.get::<u64>(READ_FIELD).await.map_err(failed)?;
    Ok(number.unwrap_or_default().to_string())
}

async fn write(session: Session) -> Result<String> {
    let visits = session.get::<u64>(VISITS).await.map_err(failed)?;
    let visits = visits.unwrap_or_default() + 1;
    session.insert(VISITS, visits).await.map_err(failed)?;
    let seen = session.insert(CHANGED_FIELD, route::seen(visits)).await;
    seen.map_err(failed)?;
    Ok(visits.to_string())
}

async fn fill(session: Session, body: Bytes) -> Result<&'static str> {
    let fields = route::fields(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    for (name, value) in fields {
        session.insert_value(&name, value).await.map_err(failed)?;
    }
    Ok(HELLO)
}

async fn tell(session: Session, body: Bytes) -> Result<String> {
    let mut told = Map::new();
    for name in route::names(&body).map_err(|_| StatusCode::BAD_REQUEST)? {
        let value = session.get_value(&name).await.map_err(failed)?;
        told.insert(name, value.unwrap_or(Value::Null));
    }
    Ok(Value::Object(told).to_string())
}

fn failed<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
