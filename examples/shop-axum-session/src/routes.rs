//! The routes: what each does with the session.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_session::{SessionConfig, SessionError, SessionLayer, SessionStore};
use rrss::Store;
use rrss_axum_session::{GuardLayer, RrssPool};
use serde::Deserialize;
use shop::{Cart, Device};

type Session = axum_session::Session<RrssPool>;

pub(crate) async fn router(store: Store) -> Result<Router, SessionError> {
    let config = SessionConfig::default()
        .with_session_name("session")
        // What ended elsewhere has ended here: nothing is answered from this process's memory.
        .with_memory_lifetime(Default::default())
        // For development over plain http.
        .with_secure(false);
    let sessions = SessionStore::new(Some(RrssPool::new(store.clone())), config).await?;
    Ok(Router::new()
        .route("/", get(front))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/cart", post(buy))
        .route("/devices", get(devices))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_other_devices))
        .layer(GuardLayer)
        .layer(SessionLayer::new(sessions))
        // Below the layer: axum_session loads the session for every page above it.
        .route("/about", get(async || Html(shop::about())))
        .with_state(store))
}

/// The store could not be asked.
struct Failed;

impl From<rrss::Error> for Failed {
    fn from(_: rrss::Error) -> Self {
        Self
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "please try again\n").into_response()
    }
}

async fn front(session: Session) -> Html<String> {
    let user: Option<String> = session.get("user");
    let cart: Cart = session.get("cart").unwrap_or_default();
    Html(shop::front(user.as_deref(), &cart))
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
}

async fn sign_in(session: Session, headers: HeaderMap, form: Form<SignIn>) -> Redirect {
    if let Some(user) = shop::customer(&form.user) {
        let browser = headers.get(header::USER_AGENT);
        let browser = browser.and_then(|browser| browser.to_str().ok());
        session.set("user", user);
        session.set("device", shop::new_device(browser));
        // A new id at every change of rights: one that was planted before is worthless after.
        session.renew();
    }
    Redirect::to("/")
}

async fn sign_out(session: Session) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

#[derive(Deserialize)]
struct Buy {
    good: String,
}

async fn buy(session: Session, form: Form<Buy>) -> Redirect {
    let mut cart: Cart = session.get("cart").unwrap_or_default();
    shop::add(&mut cart, &form.good);
    session.set("cart", cart);
    Redirect::to("/")
}

/// Who is signed in, and on what; `None` where nobody is.
fn signed_in(session: &Session) -> Option<(String, Device)> {
    Some((session.get("user")?, session.get("device")?))
}

async fn devices(State(store): State<Store>, session: Session) -> Result<Response, Failed> {
    let Some((user, this)) = signed_in(&session) else {
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
) -> Result<Redirect, Failed> {
    if let Some((user, _)) = signed_in(&session) {
        shop::end_device(&store, &user, &form.handle).await?;
    }
    Ok(Redirect::to("/devices"))
}

async fn end_other_devices(
    State(store): State<Store>,
    session: Session,
) -> Result<Redirect, Failed> {
    if let Some((user, this)) = signed_in(&session) {
        shop::end_other_devices(&store, &user, &this).await?;
    }
    Ok(Redirect::to("/devices"))
}
