//! A visitor of the shop, and what the page says.

use std::sync::Arc;

use reqwest::blocking::{Client, Response};
use reqwest::cookie::{CookieStore, Jar};
use reqwest::{StatusCode, Url};
use rrss_test_servers::App;

/// Someone with a browser that keeps cookies, over restarts of the shop too.
pub(crate) struct Visitor {
    pub(crate) client: Client,
    cookies: Arc<Jar>,
}

impl Visitor {
    pub(crate) fn new() -> Visitor {
        let cookies = Arc::new(Jar::default());
        let client = Client::builder()
            .cookie_provider(cookies.clone())
            .no_proxy();
        Visitor {
            client: client.build().unwrap(),
            cookies,
        }
    }

    pub(crate) fn with_id(shop: &App, id: &str) -> Visitor {
        let visitor = Visitor::new();
        let cookie = format!("session={id}; Path=/");
        visitor.cookies.add_cookie_str(&cookie, &address(shop, "/"));
        visitor
    }

    /// The id in the cookie.
    pub(crate) fn id(&self, shop: &App) -> Option<String> {
        let cookies = self.cookies.cookies(&address(shop, "/"))?;
        let id = cookies
            .to_str()
            .unwrap()
            .strip_prefix("session=")?
            .to_owned();
        Some(id)
    }

    pub(crate) fn get(&self, shop: &App) -> Response {
        self.client.get(address(shop, "/")).send().unwrap()
    }

    pub(crate) fn post(&self, shop: &App, path: &str, form: &[(&str, &str)]) -> Response {
        self.client
            .post(address(shop, path))
            .form(form)
            .send()
            .unwrap()
    }

    /// The page, and how often it says that its visitor was here.
    pub(crate) fn visit(&self, shop: &App) -> u64 {
        visits(&page(self.get(shop)))
    }

    pub(crate) fn sign_in(&self, shop: &App, name: &str) -> String {
        page(self.post(shop, "/sign-in", &[("name", name)]))
    }

    pub(crate) fn buy(&self, shop: &App, good: &str) -> String {
        page(self.post(shop, "/cart", &[("good", good), ("by", "1")]))
    }
}

pub(crate) fn address(shop: &App, path: &str) -> Url {
    format!("{}{path}", shop.url()).parse().unwrap()
}

pub(crate) fn page(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    response.text().unwrap()
}

fn between<'p>(page: &'p str, before: &str, after: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

pub(crate) fn visits(page: &str) -> u64 {
    between(page, r#"id="visits">"#, "<")
        .unwrap()
        .parse()
        .unwrap()
}

pub(crate) fn name(page: &str) -> Option<&str> {
    between(page, r#"<strong id="name">"#, "</strong>")
}

pub(crate) fn total(page: &str) -> Option<&str> {
    between(page, r#"<strong id="total">"#, "</strong>")
}
