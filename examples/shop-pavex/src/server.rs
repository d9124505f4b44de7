//! What pavex's tool writes into a crate of its own for a blueprint: which route a request goes to, and what is made before
//! it and done after it.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use pavex::Response;
use pavex::connection::ConnectionInfo;
use pavex::cookie::config::{CryptoAlgorithm, CryptoRule};
use pavex::cookie::{
    Key, Processor, ProcessorConfig, RequestCookies, ResponseCookies, inject_response_cookies,
};
use pavex::http::{Method, header};
use pavex::request::RequestHead;
use pavex::request::body::RawIncomingBody;
use pavex_session::{IncomingSession, Session, SessionConfig, SessionStore, finalize_session};
use rrss::Store;
use rrss_pavex_session::RrssStore;

use crate::routes::{self, Failed};

/// For the example alone: whoever has the key can make cookies.
const KEY: &[u8; 64] = b"a key of a real shop is random, and is not written into its code";

/// What lives as long as the server.
pub(crate) struct Singletons {
    store: Store,
    sessions: SessionStore,
    config: SessionConfig,
    cookies: Processor,
}

pub(crate) fn singletons(store: Store) -> Arc<Singletons> {
    let mut config = SessionConfig::default();
    config.cookie.name = "session".to_owned();
    // For development over plain http.
    config.cookie.secure = false;
    config.state.ttl = Duration::from_secs(7 * 24 * 60 * 60);
    let mut cookies = ProcessorConfig::default();
    cookies.crypto_rules.push(CryptoRule {
        cookie_names: vec![config.cookie.name.clone()],
        algorithm: CryptoAlgorithm::Signing,
        key: Key::from(KEY.to_vec()),
        fallbacks: Vec::new(),
    });
    Arc::new(Singletons {
        sessions: RrssStore::new(store.clone()).into(),
        store,
        config,
        cookies: cookies.into(),
    })
}

/// The answer to a request.
pub(crate) async fn answer(
    request: Request<Incoming>,
    _: Option<ConnectionInfo>,
    singletons: Arc<Singletons>,
) -> Response {
    let (head, body) = request.into_parts();
    let (head, body) = (RequestHead::from(head), RawIncomingBody::from(body));
    if head.method == Method::GET && head.target.path() == "/about" {
        return routes::about();
    }
    let cookies = request_cookies(&head, &singletons.cookies);
    let incoming = IncomingSession::extract(&cookies, &singletons.config.cookie);
    let mut session = Session::new(&singletons.sessions, &singletons.config, incoming);
    let answered = route(&singletons.store, &mut session, &head, body).await;
    let response = answered.unwrap_or_else(Failed::into_response);
    let finished = finish(response, session, &singletons.cookies).await;
    finished.unwrap_or_else(Failed::into_response)
}

async fn route(
    store: &Store,
    session: &mut Session<'_>,
    head: &RequestHead,
    body: RawIncomingBody,
) -> Result<Response, Failed> {
    match (head.method.as_str(), head.target.path()) {
        ("GET", "/") => routes::front(session).await,
        ("POST", "/sign-in") => {
            routes::sign_in(session, head, routes::form(head, body).await?).await
        }
        ("POST", "/sign-out") => Ok(routes::sign_out(session)),
        ("POST", "/cart") => routes::buy(session, routes::form(head, body).await?).await,
        ("GET", "/devices") => routes::devices(store, session).await,
        ("POST", "/devices/end") => {
            routes::end_device(store, session, routes::form(head, body).await?).await
        }
        ("POST", "/devices/end-others") => routes::end_other_devices(store, session).await,
        _ => Ok(Response::not_found()),
    }
}

/// Stores the session, and has the browser keep its cookie.
async fn finish(
    response: Response,
    session: Session<'_>,
    processor: &Processor,
) -> Result<Response, Failed> {
    let mut cookies = ResponseCookies::new();
    let response = finalize_session(response, &mut cookies, processor, session).await?;
    Ok(inject_response_cookies(response, cookies, processor)?)
}

/// The cookies of a request, each for itself: pavex's own constructor gives up a header at the first cookie that it cannot
/// read, and with it the session's own where that stands behind.
fn request_cookies<'request>(
    head: &'request RequestHead,
    processor: &Processor,
) -> RequestCookies<'request> {
    let mut cookies = RequestCookies::new();
    for header in head.headers.get_all(header::COOKIE) {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            if let Ok(pair) = str::from_utf8(pair) {
                // One that was forged is none.
                let _ = cookies.extend_from_header(pair, processor);
            }
        }
    }
    cookies
}
