//! The routes: what each does with the session.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use rrss::Store;
use rrss_axum::{Result, Session, SessionLayer};
use serde::Deserialize;
use shop::{Cart, Device};

pub(crate) fn router(store: Store) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/about", get(async || Html(shop::about())))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/cart", post(buy))
        .route("/devices", get(devices))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_other_devices))
        .layer(SessionLayer::new(store.clone()).plain_http_for_development())
        .with_state(store)
}

async fn front(session: Session) -> Result<Html<String>> {
    let user: Option<String> = session.get("user").await?;
    let cart: Cart = session.get("cart").await?.unwrap_or_default();
    Ok(Html(shop::front(user.as_deref(), &cart)))
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
}

async fn sign_in(session: Session, headers: HeaderMap, form: Form<SignIn>) -> Result<Redirect> {
    if let Some(user) = shop::customer(&form.user) {
        let browser = headers.get(header::USER_AGENT);
        let browser = browser.and_then(|browser| browser.to_str().ok());
        session.insert("user", &user).await?;
        session.insert("device", &shop::new_device(browser)).await?;
        // A new id at every change of rights: one that was planted before is worthless after.
        session.rotate().await?;
    }
    Ok(Redirect::to("/"))
}

async fn sign_out(session: Session) -> Result<Redirect> {
    session.end().await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Buy {
    good: String,
}

async fn buy(session: Session, form: Form<Buy>) -> Result<Redirect> {
    // Where two requests put something into one cart at once, both are counted.
    let add = |cart: Option<Cart>| {
        let mut cart = cart.unwrap_or_default();
        shop::add(&mut cart, &form.good);
        cart
    };
    session.update_field("cart", add).await?;
    Ok(Redirect::to("/"))
}

/// Who is signed in, and on what; `None` where nobody is.
async fn signed_in(session: &Session) -> Result<Option<(String, Device)>> {
    let user = session.get("user").await?;
    Ok(user.zip(session.get("device").await?))
}

async fn devices(State(store): State<Store>, session: Session) -> Result<Response> {
    let Some((user, this)) = signed_in(&session).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let devices = shop::devices(&store, &user).await?;
    Ok(Html(shop::your_devices(&devices, &this)).into_response())
}

#[derive(Deserialize)]
struct End {
    handle: String,
}

async fn end_device(
    State(store): State<Store>,
    session: Session,
    form: Form<End>,
) -> Result<Redirect> {
    if let Some((user, _)) = signed_in(&session).await? {
        shop::end_device(&store, &user, &form.handle).await?;
    }
    Ok(Redirect::to("/devices"))
}

async fn end_other_devices(State(store): State<Store>, session: Session) -> Result<Redirect> {
    if let Some((user, this)) = signed_in(&session).await? {
        shop::end_other_devices(&store, &user, &this).await?;
    }
    Ok(Redirect::to("/devices"))
}
