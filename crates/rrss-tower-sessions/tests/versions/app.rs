//! An application that does with a session what its visitor asks for.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use serde_json::Value;

use super::RrssStore;
use super::tower::cookie::time::{Duration, OffsetDateTime};
use super::tower::session::Error;
use super::tower::{Expiry, Session, SessionManagerLayer};
use crate::browser::{Browser, serve};

pub(crate) type Layer = SessionManagerLayer<RrssStore>;

type Answer = Result<String, Failed>;

pub(crate) struct Failed(Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}

/// A browser at an application that the layer as it is serves.
pub(crate) async fn open(store: RrssStore) -> Browser {
    open_with(Layer::new(store)).await
}

pub(crate) async fn open_with(layer: Layer) -> Browser {
    Browser::new(&serve(router(layer)).await)
}

fn router(layer: Layer) -> Router {
    Router::new()
        .route("/untouched", get(async |_: Session| "ok"))
        .route("/get/{name}", get(read))
        .route("/set/{name}/{value}", get(set))
        .route("/login/{user}", get(log_in))
        .route("/logout", get(log_out))
        .route("/save-at-once", get(save_at_once))
        .route("/save-by-hand/{name}", get(save_by_hand))
        .route("/until/{seconds}", get(until))
        .layer(layer)
}

async fn read(session: Session, Path(name): Path<String>) -> Answer {
    let value: Option<Value> = session.get(&name).await?;
    Ok(value.unwrap_or_default().to_string())
}

async fn set(session: Session, Path((name, value)): Path<(String, String)>) -> Answer {
    session.insert(&name, value).await?;
    Ok("set".to_owned())
}

async fn log_in(session: Session, Path(user): Path<String>) -> Answer {
    session.insert("user_id", user).await?;
    session.cycle_id().await?;
    Ok("logged in".to_owned())
}

async fn log_out(session: Session) -> Answer {
    session.flush().await?;
    Ok("logged out".to_owned())
}

/// What hosts do that need an id before there is anything to keep.
async fn save_at_once(session: Session) -> Answer {
    session.save().await?;
    let id = session.id().unwrap().to_string();
    session.insert("saved", true).await?;
    Ok(id)
}

async fn save_by_hand(session: Session, Path(name): Path<String>) -> Answer {
    session.insert(&name, true).await?;
    session.save().await?;
    Ok("saved".to_owned())
}

async fn until(session: Session, Path(seconds): Path<i64>) -> Answer {
    session.insert("until", seconds).await?;
    let date = OffsetDateTime::now_utc() + Duration::seconds(seconds);
    session.set_expiry(Some(Expiry::AtDateTime(date)));
    Ok("set".to_owned())
}
