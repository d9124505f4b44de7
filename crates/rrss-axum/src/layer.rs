//! The tower layer that gives requests their session.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use rrss::Store;
use tower_layer::Layer;
use tower_service::Service;

use crate::cookie::{CookieConfig, CookieKeys, SameSite, Seal};
use crate::error::Error;
use crate::policy::{OnCorrupt, OnOutage};
use crate::session::Session;
use crate::state::{Policies, Shared, Told};
use crate::to_the_end::ToTheEnd;

/// Gives every request its [`Session`], and saves what the handler changed before the head of the response is
/// sent. Works in axum and in any tower stack on the types of `http`.
///
/// The cookie is called `__Host-session` and is `Secure`, `HttpOnly`, `SameSite=Lax` and `Path=/`, so that a browser
/// sends it over https and to this host alone (OWASP ASVS 5.0, 3.3.1 to 3.3.4). Its `Max-Age` is the session's life.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use rrss::Store;
/// use rrss_axum::{Result, Session, SessionLayer};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// # let store = Store::from_toml(
/// #     "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
/// let app: Router = Router::new()
///     .route("/", get(async |session: Session| -> Result<String> {
///         Ok(format!("{:?}", session.get::<String>("theme").await?))
///     }))
///     .layer(SessionLayer::new(store));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SessionLayer {
    store: Store,
    cookie: Arc<CookieConfig>,
    policies: Policies,
    saves: fn(StatusCode) -> bool,
}

impl SessionLayer {
    /// Sessions from `store`, with a secure cookie.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            cookie: Arc::default(),
            policies: Policies::default(),
            saves: |_| true,
        }
    }

    /// Names the cookie. A name that begins with `__Host-` makes browsers insist on `Secure`, `Path=/` and no
    /// domain (RFC 6265bis, section 4.1.3.2).
    #[must_use]
    pub fn cookie_name(self, name: impl Into<String>) -> Self {
        self.configure(|cookie| cookie.name = name.into())
    }

    /// Sends the cookie below this path alone. A name with `__Host-` is only good with `/`: with another
    /// path it is sent with `__Secure-` instead.
    #[must_use]
    pub fn cookie_path(self, path: impl Into<String>) -> Self {
        self.configure(|cookie| cookie.path = path.into())
    }

    /// Sends the cookie to the hosts below this domain too. A name with `__Host-` is only good without: with a
    /// domain it is sent with `__Secure-` instead.
    #[must_use]
    pub fn cookie_domain(self, domain: impl Into<String>) -> Self {
        self.configure(|cookie| cookie.domain = Some(domain.into()))
    }

    /// Which requests from other sites bring the cookie; `Lax` unless said.
    #[must_use]
    pub fn same_site(self, same_site: SameSite) -> Self {
        self.configure(|cookie| cookie.same_site = same_site)
    }

    /// Signs the cookie (HMAC-SHA256): one that was made up or changed costs no backend call. The id in it can be read. An id
    /// without a signature is not accepted any more: people log in again. Use a key of its own for this: a signature does not
    /// say for which cookie it was made.
    #[must_use]
    pub fn signed(self, keys: CookieKeys) -> Self {
        self.configure(|cookie| cookie.keys = Some((Seal::Signed, keys)))
    }

    /// Encrypts the cookie (AES-256-GCM): what a browser holds is no id of the store. Else as [`signed`](Self::signed).
    #[must_use]
    pub fn encrypted(self, keys: CookieKeys) -> Self {
        self.configure(|cookie| cookie.keys = Some((Seal::Encrypted, keys)))
    }

    /// For development over plain http: a cookie called `session`, without `Secure`. Whoever listens on the
    /// network can read it: never use it in production.
    #[must_use]
    pub fn plain_http_for_development(self) -> Self {
        self.configure(|cookie| {
            cookie.name = "session".to_owned();
            cookie.secure = false;
        })
    }

    /// Lets the cookie end with the browser, but for sessions that have a deadline of their own: with
    /// [`Session::expire_in`] for those who tick "keep me logged in".
    #[must_use]
    pub fn browser_session_cookies(mut self) -> Self {
        self.policies.browser_cookies = true;
        self
    }

    /// What a request gets while the backend cannot be reached; `503` unless said.
    #[must_use]
    pub fn on_outage(mut self, policy: OnOutage) -> Self {
        self.policies.on_outage = policy;
        self
    }

    /// What a request gets whose session is stored in bytes that cannot be read; a fresh start unless said.
    #[must_use]
    pub fn on_corrupt(mut self, policy: OnCorrupt) -> Self {
        self.policies.on_corrupt = policy;
        self
    }

    /// Which answers of handlers let the session be saved; all unless said. What a request changed is dropped after
    /// another, and a new id that it asked for is not given. What has ended, has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn layer(store: rrss::Store) -> rrss_axum::SessionLayer {
    /// rrss_axum::SessionLayer::new(store).save_if(|status| !status.is_server_error())
    /// # }
    /// ```
    #[must_use]
    pub fn save_if(mut self, saves: fn(StatusCode) -> bool) -> Self {
        self.saves = saves;
        self
    }

    fn configure(mut self, set: impl FnOnce(&mut CookieConfig)) -> Self {
        set(Arc::make_mut(&mut self.cookie));
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService {
            inner,
            layer: Self {
                cookie: Arc::new((*self.cookie).clone().with_a_name_that_fits()),
                ..self.clone()
            },
        }
    }
}

/// A service whose requests have a [`Session`]; made by [`SessionLayer`].
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    layer: SessionLayer,
}

impl<S> fmt::Debug for SessionService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Future: Send + 'static,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let SessionLayer {
            store,
            cookie,
            policies,
            saves,
        } = self.layer.clone();
        if is_layered(&request, &cookie) {
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(answer.await?.map(Body::new)) });
        }
        let presented = cookie.read(request.headers());
        let shared = Shared::new(store, policies, cookie.clone(), presented);
        request
            .extensions_mut()
            .insert(Session::new(shared.clone()));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?.map(Body::new);
            Ok(finish(shared, &cookie, saves(response.status()), response).await)
        })
    }
}

/// Whether a layer around this one has given the request its session from the same cookie: then there is one session, not two.
fn is_layered<B>(request: &Request<B>, cookie: &CookieConfig) -> bool {
    let session = request.extensions().get::<Session>();
    session.is_some_and(|session| session.shared.cookie.name == cookie.name)
}

async fn finish(
    shared: Arc<Shared>,
    cookie: &CookieConfig,
    saves: bool,
    mut response: Response<Body>,
) -> Response<Body> {
    let finished = if saves && shared.has_something_to_save().await {
        // Where the client goes away now, what the handler did is saved all the same.
        let work = shared.store.begin_work();
        let saving = ToTheEnd::new(async move {
            let finished = shared.finish(true).await;
            drop(work);
            finished
        });
        saving.await.unwrap_or_else(|panicked| {
            let message = "saving the session of a request panicked";
            let error = rrss::Error::new(rrss::ErrorKind::Unavailable, message);
            Err(Error::from(error.with_source(panicked)))
        })
    } else {
        shared.finish(saves).await
    };
    let told = match finished {
        Ok(told) => told,
        Err(error) => {
            // What the handler answered may rest on changes that are not stored: it must not go out.
            response = error.into_response();
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Told::Nothing { used: true }
        }
    };
    tell(cookie, &told, response.headers_mut());
    response
}

fn tell(cookie: &CookieConfig, told: &Told, headers: &mut HeaderMap) {
    let set = match told {
        Told::Nothing { used: false } => return,
        Told::Nothing { used: true } => None,
        Told::Id(id, lives) => cookie.write(id, *lives),
        Told::Forget => cookie.remove(),
    };
    // The answer depends on the cookie: a shared cache must not hand it to another browser (RFC 9111, section 4.1).
    if !varies_by_cookie(headers) {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
    if let Some(set) = set {
        headers.append(header::SET_COOKIE, set);
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-cache=\"Set-Cookie\""));
    }
}

fn varies_by_cookie(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::VARY)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("cookie"))
}
