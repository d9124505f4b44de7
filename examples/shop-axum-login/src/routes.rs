//! The routes: what each does with the session.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_login::{AuthManagerLayerBuilder, AuthSession};
use rrss::Store;
use rrss_tower_sessions::v0_14::RrssStore;
use serde::Deserialize;
use shop::{Cart, Device};
use tower_sessions_0_14::{Expiry, SessionManagerLayer, cookie::time::Duration};

use crate::users::Customers;

type Auth = AuthSession<Customers>;

pub(crate) fn router(store: Store) -> Router {
    let sessions = SessionManagerLayer::new(RrssStore::new(store.clone()))
        .with_name("session")
        // For development over plain http.
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::days(7)));
    Router::new()
        .route("/", get(front))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/cart", post(buy))
        .route("/devices", get(devices))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_other_devices))
        .layer(AuthManagerLayerBuilder::new(Customers, sessions).build())
        // Below the layer: axum-login loads the session for every page above it.
        .route("/about", get(async || Html(shop::about())))
        .with_state(store)
}

/// An error as a page: what went wrong is in the log of the adapter.
struct Failed;

impl<E: std::error::Error> From<E> for Failed {
    fn from(_: E) -> Self {
        Self
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "please try again\n").into_response()
    }
}

type Result<T> = std::result::Result<T, Failed>;

async fn front(auth: Auth) -> Result<Html<String>> {
    let cart: Cart = auth.session.get("cart").await?.unwrap_or_default();
    let user = auth.user.as_ref().map(|user| user.0.as_str());
    Ok(Html(shop::front(user, &cart)))
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
}

async fn sign_in(mut auth: Auth, headers: HeaderMap, form: Form<SignIn>) -> Result<Redirect> {
    if let Some(user) = auth.authenticate(form.0.user).await? {
        let browser = headers.get(header::USER_AGENT);
        let browser = browser.and_then(|browser| browser.to_str().ok());
        auth.login(&user).await?;
        auth.session.insert("user", &user.0).await?;
        let device = shop::new_device(browser);
        auth.session.insert("device", device).await?;
    }
    Ok(Redirect::to("/"))
}

async fn sign_out(mut auth: Auth) -> Result<Redirect> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Buy {
    good: String,
}

async fn buy(auth: Auth, form: Form<Buy>) -> Result<Redirect> {
    let mut cart: Cart = auth.session.get("cart").await?.unwrap_or_default();
    shop::add(&mut cart, &form.good);
    auth.session.insert("cart", cart).await?;
    Ok(Redirect::to("/"))
}

/// Who is signed in, and on what; `None` where nobody is.
async fn signed_in(auth: &Auth) -> Result<Option<(String, Device)>> {
    let user = auth.user.as_ref().map(|user| user.0.clone());
    Ok(user.zip(auth.session.get("device").await?))
}

async fn devices(State(store): State<Store>, auth: Auth) -> Result<Response> {
    let Some((user, this)) = signed_in(&auth).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let devices = shop::devices(&store, &user).await?;
    Ok(Html(shop::your_devices(&devices, &this)).into_response())
}

#[derive(Deserialize)]
struct End {
    handle: String,
}

async fn end_device(State(store): State<Store>, auth: Auth, form: Form<End>) -> Result<Redirect> {
    if let Some((user, _)) = signed_in(&auth).await? {
        shop::end_device(&store, &user, &form.handle).await?;
    }
    Ok(Redirect::to("/devices"))
}

async fn end_other_devices(State(store): State<Store>, auth: Auth) -> Result<Redirect> {
    if let Some((user, this)) = signed_in(&auth).await? {
        shop::end_other_devices(&store, &user, &this).await?;
    }
    Ok(Redirect::to("/devices"))
}
