//! A visitor of a shop, and what the pages say.

use std::sync::Arc;

use reqwest::blocking::{Client, Response};
use reqwest::cookie::{CookieStore, Jar};
use reqwest::{StatusCode, Url};

use super::Running;

/// Someone with a browser that keeps cookies, over restarts of the shop too.
#[derive(Debug)]
pub struct Visitor {
    client: Client,
    cookies: Arc<Jar>,
}

impl Visitor {
    /// Someone whose browser calls itself `browser`.
    ///
    /// # Panics
    ///
    /// Where no client can be made.
    #[must_use]
    pub fn with(browser: &str) -> Visitor {
        let cookies = Arc::new(Jar::default());
        let client = Client::builder()
            .cookie_provider(cookies.clone())
            .user_agent(browser)
            .no_proxy()
            .build()
            .expect("a client can be made");
        Visitor { client, cookies }
    }

    /// Someone who presents this cookie, until the shop sets another.
    ///
    /// # Panics
    ///
    /// Where no client can be made.
    #[must_use]
    pub fn with_cookie(shop: &Running, value: &str) -> Visitor {
        let visitor = Visitor::with("Copy");
        let cookie = format!("{}={value}; Path=/", shop.cookie);
        visitor.cookies.add_cookie_str(&cookie, &address(shop, "/"));
        visitor
    }

    /// The value of the session cookie; `None` where there is none.
    ///
    /// # Panics
    ///
    /// Where cookies are not text.
    #[must_use]
    pub fn cookie(&self, shop: &Running) -> Option<String> {
        let cookies = self.cookies.cookies(&address(shop, "/"))?;
        let cookies = cookies.to_str().expect("cookies are text");
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == shop.cookie)?;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    }

    /// Asks for a page.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer.
    pub fn get(&self, shop: &Running, path: &str) -> Response {
        let request = self.client.get(address(shop, path));
        request.send().expect("the shop answers")
    }

    /// Asks for a page with a `Cookie` header of the test's own.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer.
    pub fn get_with_header(&self, shop: &Running, path: &str, cookie: &str) -> Response {
        let request = self
            .client
            .get(address(shop, path))
            .header("cookie", cookie);
        request.send().expect("the shop answers")
    }

    /// Sends a form.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer.
    pub fn post(&self, shop: &Running, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.client.post(address(shop, path)).form(form);
        request.send().expect("the shop answers")
    }

    /// The name under which the shop greets its visitor.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer with a page.
    #[must_use]
    pub fn greeted_as(&self, shop: &Running) -> Option<String> {
        between(
            &page(self.get(shop, "/")),
            r#"<strong id="user">"#,
            "</strong>",
        )
    }

    /// Signs in; answers the page that follows.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer with a page.
    pub fn sign_in(&self, shop: &Running, user: &str) -> String {
        page(self.post(shop, "/sign-in", &[("user", user)]))
    }

    /// Puts a good into the cart.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer with a page.
    pub fn buy(&self, shop: &Running, good: &str) -> String {
        page(self.post(shop, "/cart", &[("good", good)]))
    }

    /// The cart, as the page has it: "2 × Tea".
    ///
    /// # Panics
    ///
    /// Where the shop does not answer with a page.
    #[must_use]
    pub fn cart(&self, shop: &Running) -> Vec<String> {
        items(&page(self.get(shop, "/")), "cart")
    }

    /// The page "your devices": what each is called, and the handle by which it can be ended, which this one does not have.
    ///
    /// # Panics
    ///
    /// Where the shop does not answer with a page.
    #[must_use]
    pub fn devices(&self, shop: &Running) -> Vec<(String, Option<String>)> {
        let page = page(self.get(shop, "/devices"));
        let items = items(&page, "devices");
        let device = |item: String| {
            let name = item.split([' ', '<']).next().unwrap_or_default();
            (name.to_owned(), between(&item, r#"value=""#, "\""))
        };
        items.into_iter().map(device).collect()
    }
}

fn address(shop: &Running, path: &str) -> Url {
    let address = format!("{}{path}", shop.app.url());
    address.parse().expect("it is an address")
}

/// The text of a page.
///
/// # Panics
///
/// Where the answer is no page but an error.
#[must_use]
pub fn page(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    response.text().expect("a page is text")
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0.to_owned())
}

fn items(page: &str, id: &str) -> Vec<String> {
    let list = between(page, &format!(r#"<ul id="{id}">"#), "</ul>").unwrap_or_default();
    list.split("<li>")
        .skip(1)
        .map(|item| item.trim_end_matches("</li>").to_owned())
        .collect()
}
