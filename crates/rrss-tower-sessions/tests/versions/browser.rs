//! A server on a port of its own, and a browser that keeps the session's cookie.

use axum::Router;
use reqwest::{StatusCode, header};

/// Serves `app` until the test ends, and says where.
pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

#[derive(Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    base: String,
    /// The value of the cookie `id`.
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    /// The header that sets or removes the cookie, if there is one.
    pub(crate) set_cookie: Option<String>,
    pub(crate) text: String,
}

impl Browser {
    /// One without a cookie.
    pub(crate) fn new(base: &str) -> Self {
        Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            base: base.to_owned(),
            cookie: None,
        }
    }

    /// The same, with this cookie.
    pub(crate) fn with_cookie(&self, cookie: &str) -> Self {
        Self {
            cookie: Some(cookie.to_owned()),
            ..self.clone()
        }
    }

    /// Asks for a page, which must be there.
    pub(crate) async fn text(&mut self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        page.text
    }

    /// Asks for a page, and keeps or forgets the cookie as the answer says.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let cookies = self.cookie.as_ref().map(|value| format!("id={value}"));
        let page = self.get_with(path, cookies.as_deref()).await;
        if let Some(set) = &page.set_cookie {
            let value = set.split(';').next().unwrap().strip_prefix("id=").unwrap();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        page
    }

    /// Asks for a page with a `Cookie` header of the test's own, and keeps nothing.
    pub(crate) async fn get_with(&self, path: &str, cookies: Option<&str>) -> Page {
        let mut request = self.client.get(format!("{}{path}", self.base));
        if let Some(cookies) = cookies {
            request = request.header(header::COOKIE, cookies);
        }
        let response = request.send().await.unwrap();
        let set_cookie = response.headers().get(header::SET_COOKIE);
        Page {
            status: response.status(),
            set_cookie: set_cookie.map(|value| value.to_str().unwrap().to_owned()),
            text: response.text().await.unwrap(),
        }
    }
}
