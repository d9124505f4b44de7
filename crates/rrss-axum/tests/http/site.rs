//! A server on a port of its own, and the browsers that visit it.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use reqwest::cookie::{CookieStore, Jar};
use reqwest::{StatusCode, Url, header};
use rrss::{ManualClock, Store, Timestamp};
use rrss_axum::{Result, Session, SessionLayer};
use rrss_core::Backend;

/// A store over this backend, with deadlines and an index of `user`, and the clock that it goes by.
pub(crate) fn store_over(backend: impl Backend) -> (Store, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(Default::default())
        .step::<rrss::Index>(rrss::index::Options::of(["user"]))
        .step::<rrss::JsonCodec>(Default::default())
        .backend("backend", backend)
        .clock(clock.clone())
        .build()
        .unwrap();
    (store, clock)
}

pub(crate) fn memory() -> Store {
    store_over(rrss::Memory::default()).0
}

/// The layer of the tests: plain http, since they have no certificates.
pub(crate) fn layer(store: &Store) -> SessionLayer {
    SessionLayer::new(store.clone()).plain_http_for_development()
}

/// Pages that read and change a session.
pub(crate) fn pages() -> Router {
    Router::new()
        .route("/untouched", get(async |_: Session| "ok"))
        .route("/read", get(read))
        .route("/visit", get(visit))
        .route("/count", get(count))
        .route(
            "/login",
            get(async |session: Session| -> Result<()> {
                session.insert("user", "ann").await?;
                session.rotate().await
            }),
        )
        .route("/logout", get(async |session: Session| session.end().await))
}

async fn read(session: Session) -> Result<String> {
    let visits: Option<u64> = session.get("visits").await?;
    let user: Option<String> = session.get("user").await?;
    Ok(format!(
        "{} {}",
        visits.unwrap_or_default(),
        user.as_deref().unwrap_or("nobody")
    ))
}

async fn visit(session: Session) -> Result<String> {
    let visits = session.get::<u64>("visits").await?.unwrap_or_default() + 1;
    session.insert("visits", &visits).await?;
    Ok(visits.to_string())
}

async fn count(session: Session) -> Result<String> {
    let count = session
        .update_field("count", |count: Option<u64>| count.unwrap_or_default() + 1)
        .await?;
    Ok(count.to_string())
}

/// A server; it ends with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) url: Url,
}

impl Site {
    /// Serves `app` on a free port of this machine.
    pub(crate) async fn start(app: Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self {
            url: url.parse().unwrap(),
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        self.browser_with(None)
    }

    fn browser_with(&self, cookie: Option<&str>) -> Browser {
        let jar = Arc::new(Jar::default());
        if let Some(cookie) = cookie {
            jar.add_cookie_str(&format!("{cookie}; Path=/"), &self.url);
        }
        let client = reqwest::Client::builder()
            .cookie_provider(jar.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Browser {
            site: self.clone(),
            client,
            jar,
        }
    }
}

/// A client that keeps cookies; clones share them, as tabs do.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) site: Site,
    pub(crate) client: reqwest::Client,
    jar: Arc<Jar>,
}

impl Browser {
    pub(crate) async fn get(&self, path: &str) -> Page {
        let url = self.site.url.join(path).unwrap();
        Page::of(self.client.get(url).send().await.unwrap()).await
    }

    /// The session cookie, as it is sent.
    pub(crate) fn cookie(&self) -> Option<String> {
        let sent = self.jar.cookies(&self.site.url)?;
        let sent = sent.to_str().unwrap().to_owned();
        sent.split("; ")
            .find(|pair| pair.starts_with("session="))
            .map(str::to_owned)
    }

    /// Puts a cookie into the browser.
    pub(crate) fn put(&self, cookie: &str) {
        let cookie = format!("{cookie}; Path=/");
        self.jar.add_cookie_str(&cookie, &self.site.url);
    }

    pub(crate) fn id(&self) -> rrss::SessionId {
        let cookie = self.cookie().unwrap();
        cookie.strip_prefix("session=").unwrap().into()
    }

    /// Another browser that somebody put this one's cookie into.
    pub(crate) fn thief(&self) -> Browser {
        self.site.browser_with(self.cookie().as_deref())
    }

    /// The same browser, after the site has moved to another port.
    pub(crate) fn at(&self, site: &Site) -> Browser {
        site.browser_with(self.cookie().as_deref())
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    /// The only cookie that is set.
    pub(crate) fn cookie(&self) -> Option<&str> {
        let cookies = self.all("set-cookie");
        assert!(cookies.len() < 2, "{cookies:?}");
        cookies.first().copied()
    }

    pub(crate) fn max_age(&self) -> Option<u64> {
        let age = self.cookie()?.split("Max-Age=").nth(1)?;
        Some(age.split(';').next().unwrap().parse().unwrap())
    }

    pub(crate) fn forgets(&self) -> bool {
        self.cookie()
            .is_some_and(|cookie| cookie.starts_with("session=;") && cookie.contains("Max-Age=0"))
    }
}
