//! The tower layer that gives requests their session.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Request, Response, header};
use rrss::Store;
use tower_layer::Layer;
use tower_service::Service;

use crate::cookie::{CookieConfig, SameSite};
use crate::session::{Session, Told};

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
}

impl SessionLayer {
    /// Sessions from `store`, with a secure cookie.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            cookie: Arc::default(),
        }
    }

    /// Names the cookie. A name that begins with `__Host-` makes browsers insist on `Secure`, `Path=/` and no
    /// domain (RFC 6265bis, section 4.1.3.2).
    #[must_use]
    pub fn cookie_name(self, name: impl Into<String>) -> Self {
        self.configure(|cookie| cookie.name = name.into())
    }

    /// Sends the cookie below this path alone. A `__Host-` name is only good with `/`.
    #[must_use]
    pub fn cookie_path(self, path: impl Into<String>) -> Self {
        self.configure(|cookie| cookie.path = path.into())
    }

    /// Sends the cookie to the hosts below this domain too. A `__Host-` name is only good without.
    #[must_use]
    pub fn cookie_domain(self, domain: impl Into<String>) -> Self {
        self.configure(|cookie| cookie.domain = Some(domain.into()))
    }

    /// Which requests from other sites bring the cookie; `Lax` unless said.
    #[must_use]
    pub fn same_site(self, same_site: SameSite) -> Self {
        self.configure(|cookie| cookie.same_site = same_site)
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
            layer: self.clone(),
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
    ResBody: Default + Send,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let cookie = self.layer.cookie.clone();
        let session = Session::new(self.layer.store.clone(), cookie.read(request.headers()));
        request.extensions_mut().insert(session.clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            match session.finish().await {
                Ok(told) => tell(&cookie, &told, response.headers_mut()),
                Err(error) => {
                    // What the handler answered may rest on changes that are not stored: it must not go out.
                    error.log();
                    response = Response::new(ResBody::default());
                    *response.status_mut() = error.status();
                }
            }
            Ok(response)
        })
    }
}

fn tell(cookie: &CookieConfig, told: &Told, headers: &mut HeaderMap) {
    let set = match told {
        Told::Nothing { used: false } => return,
        Told::Nothing { used: true } => None,
        Told::Id(id, lives) => cookie.write(id, *lives),
        Told::Forget => cookie.remove(),
    };
    // The answer depends on the cookie: a shared cache must not hand it to another browser (RFC 9111, section 4.1).
    headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    if let Some(set) = set {
        headers.append(header::SET_COOKIE, set);
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-cache=\"Set-Cookie\""));
    }
}
