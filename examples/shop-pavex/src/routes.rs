//! The routes: what each does with the session.

use pavex::Response;
use pavex::http::{HeaderValue, StatusCode, header};
use pavex::request::RequestHead;
use pavex::request::body::{BodySizeLimit, BufferedBody, RawIncomingBody, UrlEncodedBody};
use pavex::response::body::Html;
use pavex_session::Session;
use pavex_session::errors::ServerGetError;
use rrss::Store;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shop::{Cart, Device};

/// Why a request fails: the store could not be asked, or the browser sent no form.
pub(crate) struct Failed(StatusCode);

impl<E: std::error::Error> From<E> for Failed {
    fn from(_: E) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl Failed {
    pub(crate) fn into_response(self) -> Response {
        Response::new(self.0).set_typed_body("please try again\n")
    }
}

/// The form that a browser sent.
pub(crate) async fn form<T: DeserializeOwned>(
    head: &RequestHead,
    body: RawIncomingBody,
) -> Result<T, Failed> {
    let body = BufferedBody::extract(head, body, BodySizeLimit::new()).await;
    let body = body.map_err(|error| Failed(error.into_response().status()))?;
    let form = UrlEncodedBody::extract(head, &body);
    let UrlEncodedBody(form) = form.map_err(|error| Failed(error.into_response().status()))?;
    Ok(form)
}

fn html(page: String) -> Response {
    Response::ok().set_typed_body(Html::from(page))
}

fn to(path: &'static str) -> Response {
    Response::see_other().insert_header(header::LOCATION, HeaderValue::from_static(path))
}

pub(crate) fn about() -> Response {
    html(shop::about())
}

pub(crate) async fn front(session: &Session<'_>) -> Result<Response, Failed> {
    let user: Option<String> = session.get("user").await?;
    let cart: Cart = session.get("cart").await?.unwrap_or_default();
    Ok(html(shop::front(user.as_deref(), &cart)))
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    user: String,
}

pub(crate) async fn sign_in(
    session: &mut Session<'_>,
    head: &RequestHead,
    form: SignIn,
) -> Result<Response, Failed> {
    if let Some(user) = shop::customer(&form.user) {
        let browser = head.headers.get(header::USER_AGENT);
        let browser = browser.and_then(|browser| browser.to_str().ok());
        session.insert("user", user).await?;
        session.insert("device", shop::new_device(browser)).await?;
        // A new id at every change of rights: one that was planted before is worthless after.
        session.cycle_id();
    }
    Ok(to("/"))
}

pub(crate) fn sign_out(session: &mut Session<'_>) -> Response {
    session.invalidate();
    to("/")
}

#[derive(Deserialize)]
pub(crate) struct Buy {
    good: String,
}

pub(crate) async fn buy(session: &mut Session<'_>, form: Buy) -> Result<Response, Failed> {
    let mut cart: Cart = session.get("cart").await?.unwrap_or_default();
    shop::add(&mut cart, &form.good);
    session.insert("cart", cart).await?;
    Ok(to("/"))
}

/// Who is signed in, and on what; `None` where nobody is.
async fn signed_in(session: &Session<'_>) -> Result<Option<(String, Device)>, ServerGetError> {
    let user = session.get("user").await?;
    Ok(user.zip(session.get("device").await?))
}

pub(crate) async fn devices(store: &Store, session: &Session<'_>) -> Result<Response, Failed> {
    let Some((user, this)) = signed_in(session).await? else {
        return Ok(to("/"));
    };
    let devices = shop::devices(store, &user).await?;
    Ok(html(shop::your_devices(&devices, &this)))
}

#[derive(Deserialize)]
pub(crate) struct End {
    handle: String,
}

pub(crate) async fn end_device(
    store: &Store,
    session: &Session<'_>,
    form: End,
) -> Result<Response, Failed> {
    if let Some((user, _)) = signed_in(session).await? {
        shop::end_device(store, &user, &form.handle).await?;
    }
    Ok(to("/devices"))
}

pub(crate) async fn end_other_devices(
    store: &Store,
    session: &Session<'_>,
) -> Result<Response, Failed> {
    if let Some((user, this)) = signed_in(session).await? {
        shop::end_other_devices(store, &user, &this).await?;
    }
    Ok(to("/devices"))
}
