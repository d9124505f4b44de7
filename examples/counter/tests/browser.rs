//! The page in a real browser: Chromium without a window, driven through ChromeDriver.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod running;

use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use rrss_test_servers::{App, Chromedriver, Flavor, RedisServer};
use serde_json::{Value, json};

use crate::running::{ON_DISK, folder_with, start};

type ParseError = <Url as FromStr>::Err;

const IN_REDIS: &str = include_str!("../rrss.redis.toml");
const LIMIT: Duration = Duration::from_secs(30);

/// A command of ChromeDriver's own, beside those of the WebDriver standard.
#[derive(Debug)]
struct ChromeCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ChromeCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// A browser with one window, and what is on its page.
struct Browser {
    client: Client,
}

impl Browser {
    async fn start(driver: &Chromedriver) -> Browser {
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "args": Chromedriver::BROWSER_ARGUMENTS },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("an object is written here");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await;
        Browser {
            client: client.unwrap(),
        }
    }

    async fn open(&self, shop: &App) {
        self.client.goto(&shop.url()).await.unwrap();
    }

    async fn find(&self, css: &str) -> Element {
        let found = self.client.find(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    async fn has(&self, css: &str) -> bool {
        let found = self.client.find_all(Locator::Css(css)).await;
        !found.unwrap().is_empty()
    }

    async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    async fn visits(&self) -> u64 {
        self.text("#visits").await.parse().unwrap()
    }

    /// The id in the cookie, which the page's own scripts cannot read.
    async fn id(&self) -> String {
        let cookie = self.client.get_named_cookie("session").await.unwrap();
        assert_eq!(self.run("return document.cookie").await, json!(""));
        cookie.value().to_owned()
    }

    async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let command = ChromeCommand { path, body };
        self.client.issue_cmd(command).await.unwrap()
    }

    /// Clicks what makes the browser load the page anew, and waits until it has.
    async fn click(&self, css: &str) {
        self.run("window.isOld = true").await;
        self.find(css).await.click().await.unwrap();
        let start = Instant::now();
        let is_new = "return !window.isOld && document.readyState === 'complete'";
        while self.run(is_new).await != json!(true) {
            assert!(start.elapsed() < LIMIT, "{css} loads no page");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the browser has to complain of since it was last asked.
    async fn complaints(&self) -> Value {
        self.command("se/log", json!({ "type": "browser" })).await
    }

    /// A screen of this width, light or dark.
    async fn screen(&self, width: u32, scheme: &str) {
        let cdp = "goog/cdp/execute";
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 2, "mobile": width < 600 });
        let set = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.command(cdp, set).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let media = json!({ "features": features });
        let set = json!({ "cmd": "Emulation.setEmulatedMedia", "params": media });
        self.command(cdp, set).await;
    }
}

/// A visit from the first page to the sign out, with the shop killed in between.
async fn walk_through(config: &Path, redis: Option<&RedisServer>) {
    let driver = Chromedriver::start();
    let browser = Browser::start(&driver).await;
    let mut shop = start(config, redis);
    browser.open(&shop).await;
    assert_eq!(browser.client.title().await.unwrap(), "The corner shop");
    assert_eq!(browser.visits().await, 1);
    browser.client.refresh().await.unwrap();
    assert_eq!(browser.visits().await, 2);
    let first = browser.id().await;

    for total in ["€ 4.50", "€ 9.00"] {
        browser.click("[data-good=Tea] button[value='1']").await;
        assert_eq!(browser.text("#total").await, total);
    }
    assert_eq!(browser.text("[data-good=Tea] output").await, "2");
    assert_eq!(browser.id().await, first);

    browser
        .find("#sign-in-name")
        .await
        .send_keys("Ann <b>")
        .await
        .unwrap();
    browser.click("#sign-in").await;
    assert_eq!(browser.text("#name").await, "Ann <b>");
    assert_eq!(browser.text("#total").await, "€ 9.00");
    let signed_in = browser.id().await;
    assert_ne!(signed_in, first);
    assert_eq!(browser.visits().await, 5);

    shop.kill_hard();
    let mut shop = start(config, redis);
    browser.open(&shop).await;
    assert_eq!(browser.visits().await, 6);
    assert_eq!(browser.text("#name").await, "Ann <b>");
    assert!(shop.stop().success());
    let shop = start(config, redis);
    browser.open(&shop).await;
    assert_eq!(browser.visits().await, 7);
    assert_eq!(browser.text("#total").await, "€ 9.00");
    assert_eq!(browser.id().await, signed_in);

    browser.click("#sign-out").await;
    assert!(browser.has("#sign-in").await && !browser.has("#name").await);
    assert!(!browser.has("#total").await);
    assert_eq!(browser.visits().await, 1);
    assert_ne!(browser.id().await, signed_in);
    assert_eq!(browser.complaints().await, json!([]));
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn a_visit_in_a_browser_with_the_sessions_on_disk() {
    let (_folder, config) = folder_with(ON_DISK);
    walk_through(&config, None).await;
}

#[tokio::test]
async fn a_visit_in_a_browser_with_the_sessions_in_redis() {
    for flavor in Flavor::ALL {
        let redis = RedisServer::start(flavor);
        let (_folder, config) = folder_with(IN_REDIS);
        walk_through(&config, Some(&redis)).await;
    }
}

#[tokio::test]
async fn the_page_fits_every_screen_and_needs_nothing_from_elsewhere() {
    let driver = Chromedriver::start();
    let browser = Browser::start(&driver).await;
    let (folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    browser.open(&shop).await;
    browser.click("[data-good=Honey] button[value='1']").await;
    for width in [320, 390, 1280] {
        for scheme in ["light", "dark"] {
            browser.screen(width, scheme).await;
            let wide = browser
                .run("return document.documentElement.scrollWidth")
                .await;
            assert!(
                wide.as_u64().unwrap() <= width.into(),
                "{wide} wide on {width}"
            );
            let file = folder.path().join(format!("{width}-{scheme}.png"));
            fs::write(&file, browser.client.screenshot().await.unwrap()).unwrap();
            // A screen of one colour compresses to next to nothing.
            assert!(fs::metadata(&file).unwrap().len() > 20_000, "{file:?}");
        }
    }
    let asked = "return performance.getEntriesByType('resource').map(entry => entry.name)";
    let asked = browser.run(asked).await;
    assert_eq!(asked, json!([format!("{}/style.css", shop.url())]));
    assert_eq!(browser.complaints().await, json!([]));
    browser.client.close().await.unwrap();
}
