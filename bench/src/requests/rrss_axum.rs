//! axum with rrss-axum.

use ::rrss::Conflict;
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use rrss_axum::{Result, Session, SessionLayer};
use serde_json::{Map, Value};

use super::route::{self, FILL, HELLO, Route, TELL, VISITS};
use super::rrss;
use super::served::Served;
use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer;

pub const NAME: &str = "rrss-axum";
pub const LAST_WRITE: &str = "rrss-axum, last-write";

pub fn serve(url: &str) -> peer::Result<Served> {
    serve_with(NAME, url, Conflict::Merge)
}

/// A save overwrites, as that of all others does.
pub fn serve_last_write(url: &str) -> peer::Result<Served> {
    serve_with(LAST_WRITE, url, Conflict::LastWrite)
}

fn serve_with(name: &'static str, url: &str, conflict: Conflict) -> peer::Result<Served> {
    Served::by_axum(name, async {
        let sessions = SessionLayer::new(rrss::store_with(url, conflict)?);
        Ok(Router::new()
            .route(Route::Still.path(), get(async || HELLO))
            .route(Route::Read.path(), get(read))
            .route(Route::Write.path(), get(write))
            .route(FILL, post(fill))
            .route(TELL, post(tell))
            .layer(sessions))
    })
}

async fn read(session: Session) -> Result<String> {
    let number = session.get::<u64>(READ_FIELD).await?;
    Ok(number.unwrap_or_default().to_string())
}

async fn write(session: Session) -> Result<String> {
    let visits = session.get::<u64>(VISITS).await?.unwrap_or_default() + 1;
    session.insert(VISITS, &visits).await?;
    session.insert(CHANGED_FIELD, &route::seen(visits)).await?;
    Ok(visits.to_string())
}

async fn fill(session: Session, body: Bytes) -> Result<Response> {
    let Ok(fields) = route::fields(&body) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    for (name, value) in fields {
        session.insert(&name, &value).await?;
    }
    Ok(HELLO.into_response())
}

async fn tell(session: Session, body: Bytes) -> Result<Response> {
    let Ok(names) = route::names(&body) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    let mut told = Map::new();
    for name in names {
        let value = session.get(&name).await?.unwrap_or(Value::Null);
        told.insert(name, value);
    }
    Ok(Value::Object(told).to_string().into_response())
}
