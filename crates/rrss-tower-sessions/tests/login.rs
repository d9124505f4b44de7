//! axum-login 0.18, which is built on tower-sessions 0.14: sign in, a page for users alone, sign out.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "versions/browser.rs"]
mod browser;

use std::convert::Infallible;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Router, routing::get};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId, login_required,
};
use rrss::Store;
use rrss_tower_sessions::v0_14::RrssStore;
use tower_sessions_0_14::SessionManagerLayer;

use crate::browser::{Browser, serve};

#[derive(Debug, Clone)]
struct User(String);

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        b"of the password"
    }
}

/// Knows everybody whose password is their name.
#[derive(Debug, Clone)]
struct Users;

impl AuthnBackend for Users {
    type User = User;
    type Credentials = (String, String);
    type Error = Infallible;

    async fn authenticate(
        &self,
        (name, password): (String, String),
    ) -> Result<Option<User>, Infallible> {
        Ok((name == password).then_some(User(name)))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
        Ok(Some(User(id.clone())))
    }
}

type Auth = AuthSession<Users>;

async fn log_in(mut auth: Auth, Path(credentials): Path<(String, String)>) -> StatusCode {
    let Some(user) = auth.authenticate(credentials).await.unwrap() else {
        return StatusCode::FORBIDDEN;
    };
    match auth.login(&user).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn log_out(mut auth: Auth) -> StatusCode {
    match auth.logout().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn look_around(auth: Auth) -> StatusCode {
    auth.session.insert("seen", true).await.unwrap();
    StatusCode::OK
}

fn app(store: Store) -> Router {
    let sessions = SessionManagerLayer::new(RrssStore::new(store));
    Router::new()
        .route("/account", get(async |auth: Auth| auth.user.unwrap().0))
        .route_layer(login_required!(Users))
        .route("/look-around", get(look_around))
        .route("/login/{name}/{password}", get(log_in))
        .route("/logout", get(log_out))
        .layer(AuthManagerLayerBuilder::new(Users, sessions).build())
}

#[tokio::test]
async fn a_user_signs_in_under_a_new_id_and_out_for_good() {
    let store = Store::from_toml(
        "step = [{ type = 'key-mapper' }, { type = 'expiry' }, { type = 'json-codec' }, { type = 'memory' }]",
    )
    .unwrap();
    let mut browser = Browser::new(&serve(app(store.clone())).await);
    assert_eq!(
        browser.get("/account").await.status,
        StatusCode::UNAUTHORIZED
    );
    browser.text("/look-around").await;
    let planted = browser.cookie.clone().unwrap();
    let page = browser.get("/login/ann/bob").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);

    browser.text("/login/ann/ann").await;
    assert_eq!(browser.text("/account").await, "ann");
    assert_ne!(browser.cookie.as_ref(), Some(&planted));
    let mut thief = browser.with_cookie(&planted);
    assert_eq!(thief.get("/account").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(store.count().await.unwrap(), 1);

    let mut copy = browser.clone();
    browser.text("/logout").await;
    assert_eq!(browser.cookie, None);
    assert_eq!(copy.get("/account").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(store.count().await.unwrap(), 0);
}
