//! axum_session's own layer over real HTTP.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod flow;
mod input;
mod redis;

use axum::extract::Path;
use axum::{Router, routing::get};
use axum_session::{SessionConfig, SessionLayer, SessionStore};
use reqwest::{StatusCode, header};
use rrss::key_mapper::KeyMapper;
use rrss::{SessionId, Store};
use rrss_axum_session::{GuardLayer, RrssPool};
use rrss_testkit::Faults;

pub(crate) type Session = axum_session::Session<RrssPool>;

pub(crate) struct Browser {
    pub(crate) client: reqwest::Client,
    pub(crate) base: String,
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let mut request = self.client.get(format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("session={cookie}"));
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            if let Some(rest) = set.strip_prefix("session=") {
                let value = rest.split(';').next().unwrap();
                self.cookie = (!value.is_empty()).then(|| value.to_owned());
            }
        }
        (response.status(), response.text().await.unwrap())
    }

    pub(crate) fn id(&self) -> SessionId {
        SessionId::from(self.cookie.as_deref().unwrap())
    }
}

pub(crate) fn store(faults: &Faults) -> Store {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<rrss::json_codec::JsonCodec>(Default::default())
        .backend("memory", faults.before(rrss::Memory::default()))
        .build()
        .unwrap()
}

pub(crate) async fn open(store: &Store, config: SessionConfig) -> Browser {
    let sessions = SessionStore::new(Some(RrssPool::new(store.clone())), config)
        .await
        .unwrap();
    let app: Router = Router::new()
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
        .route("/logout", get(async |session: Session| session.destroy()))
        .layer(GuardLayer)
        .layer(SessionLayer::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Browser {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        base,
        cookie: None,
    }
}

pub(crate) fn without_memory() -> SessionConfig {
    SessionConfig::default().with_memory_lifetime(Default::default())
}
