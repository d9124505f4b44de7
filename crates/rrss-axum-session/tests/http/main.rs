//! axum_session's own layer over real HTTP.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cost;
mod flow;
mod input;
mod life;
mod log;
mod modes;
mod redis;

use axum::extract::Path;
use axum::{Router, routing::get};
use axum_session::{DatabasePool as _, SessionConfig, SessionLayer, SessionStore};
use reqwest::{StatusCode, header};
use rrss::core::Backend;
use rrss::key_mapper::KeyMapper;
use rrss::{SessionId, Store, StoreBuilder};
use rrss_axum_session::{GuardLayer, RrssPool};
use rrss_testkit::Faults;

pub(crate) type Session = axum_session::Session<RrssPool>;

pub(crate) struct Browser {
    pub(crate) client: reqwest::Client,
    pub(crate) base: String,
    pub(crate) cookie: Option<String>,
    /// The cookie of those who have opted in.
    pub(crate) consent: Option<String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let mut request = self.client.get(format!("{}{path}", self.base));
        for (name, cookie) in [("session", &self.cookie), ("store", &self.consent)] {
            if let Some(cookie) = cookie {
                request = request.header(header::COOKIE, format!("{name}={cookie}"));
            }
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let cookie = match name {
                "session" => &mut self.cookie,
                "store" => &mut self.consent,
                _ => panic!("a cookie that nobody asked for"),
            };
            *cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        (response.status(), response.text().await.unwrap())
    }

    pub(crate) fn id(&self) -> SessionId {
        SessionId::from(self.cookie.as_deref().unwrap())
    }
}

pub(crate) fn store(faults: &Faults) -> Store {
    store_over(faults.before(rrss::Memory::default()))
        .build()
        .unwrap()
}

pub(crate) fn store_over(backend: impl Backend) -> StoreBuilder {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<rrss::json_codec::JsonCodec>(Default::default())
        .backend("backend", backend)
}

pub(crate) async fn open(store: &Store, config: SessionConfig) -> Browser {
    let sessions = SessionStore::new(Some(RrssPool::new(store.clone())), config)
        .await
        .unwrap();
    let app = pages().layer(GuardLayer).layer(SessionLayer::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Browser {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        base,
        cookie: None,
        consent: None,
    }
}

fn pages() -> Router {
    Router::new()
        .route(
            "/get/{name}",
            get(async |session: Session, Path(name): Path<String>| {
                session.get::<String>(&name).unwrap_or_default()
            }),
        )
        .route(
            "/set/{name}/{value}",
            get(
                async |session: Session, Path((name, value)): Path<(String, String)>| {
                    session.set(&name, value);
                },
            ),
        )
        .route(
            "/login/{user}",
            get(async |session: Session, Path(user): Path<String>| {
                session.set("user_id", user);
                session.renew();
            }),
        )
        .route(
            "/stay",
            get(async |session: Session| session.set_longterm(true)),
        )
        .route("/untouched", get(async || ()))
        .route("/logout", get(async |session: Session| session.destroy()))
        .route(
            "/opt_in",
            get(async |session: Session| {
                session.set_store(true);
                session.set("cart", "tea");
            }),
        )
        .route(
            "/opt_out",
            get(async |session: Session| session.set_store(false)),
        )
        .route(
            "/create",
            get(async |session: Session| {
                session.create_data();
                session.set("cart", "tea");
            }),
        )
        .route(
            "/ended_meanwhile",
            get(async |session: Session| {
                let pool = session.get_store().client.as_ref().unwrap();
                // As another process does it, which knows nothing of this one's memory.
                let id = session.get_session_id();
                pool.delete_one_by_id(&id, "").await.unwrap();
                session.set("late", "yes");
            }),
        )
}

pub(crate) fn without_memory() -> SessionConfig {
    SessionConfig::default().with_memory_lifetime(Default::default())
}
