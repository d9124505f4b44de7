//! A page in a real browser: Chromium without a window, driven through ChromeDriver.

use std::str::FromStr;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::Chromedriver;

/// How long a page may take to load.
const LIMIT: Duration = Duration::from_secs(60);

type ParseError = <Url as FromStr>::Err;

/// A browser, and what is on the page of the tab that it shows. Each method panics where the browser does not do as asked.
#[derive(Debug)]
pub struct Browser {
    client: Client,
}

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

impl Browser {
    /// Starts a browser with one tab, which takes certificates that a site has signed itself.
    pub async fn start(driver: &Chromedriver) -> Browser {
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "args": Chromedriver::BROWSER_ARGUMENTS },
            "goog:loggingPrefs": { "browser": "ALL" },
            "acceptInsecureCerts": true,
        }) else {
            unreachable!("an object is written here");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await;
        Browser {
            client: client.expect("the browser starts"),
        }
    }

    /// Ends it.
    pub async fn close(self) {
        self.client.close().await.expect("the browser ends");
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// Loads the page again.
    pub async fn refresh(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// Goes back to the page before, as the button does.
    pub async fn back(&self) {
        self.client.back().await.expect("there is a page before");
    }

    /// Opens another tab and shows it; what tells it from others.
    pub async fn new_tab(&self) -> String {
        let tab = self.client.new_window(true).await.expect("a tab opens");
        let tab = String::from(tab.handle);
        self.show(&tab).await;
        tab
    }

    /// The tab that is shown.
    pub async fn tab(&self) -> String {
        let tab = self.client.window().await.expect("a tab is shown");
        tab.into()
    }

    /// Shows a tab.
    pub async fn show(&self, tab: &str) {
        let tab = tab.to_owned().try_into().expect("it names a tab");
        let shown = self.client.switch_to_window(tab).await;
        shown.expect("the tab is there");
    }

    /// The title of the page.
    pub async fn title(&self) -> String {
        self.client.title().await.expect("the page has a title")
    }

    /// The first element that a CSS selector finds.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.find(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Whether a CSS selector finds anything.
    pub async fn has(&self, css: &str) -> bool {
        let found = self.client.find_all(Locator::Css(css)).await;
        !found.expect("the page can be searched").is_empty()
    }

    /// The text of the first element that a CSS selector finds.
    pub async fn text(&self, css: &str) -> String {
        let text = self.find(css).await.text().await;
        text.expect("it has a text")
    }

    /// Types into the first element that a CSS selector finds.
    pub async fn type_into(&self, css: &str, text: &str) {
        let typed = self.find(css).await.send_keys(text).await;
        typed.expect("it can be typed into");
    }

    /// The value of a cookie, which the page's own scripts cannot read; `None` where the browser has none.
    pub async fn cookie(&self, name: &str) -> Option<String> {
        assert_eq!(self.run("return document.cookie").await, json!(""));
        let cookies = self.client.get_all_cookies().await.expect("it has cookies");
        let mut named = cookies.iter().filter(|cookie| cookie.name() == name);
        named.next().map(|cookie| cookie.value().to_owned())
    }

    /// What a script in the page returns.
    pub async fn run(&self, script: &str) -> Value {
        let returned = self.client.execute(script, Vec::new()).await;
        returned.expect("the script runs")
    }

    /// Clicks what makes the browser load the page anew, and waits until it has.
    pub async fn click(&self, css: &str) {
        self.run("window.isOld = true").await;
        let clicked = self.find(css).await.click().await;
        clicked.expect("it can be clicked");
        let start = Instant::now();
        let is_new = "return !window.isOld && document.readyState === 'complete'";
        // A script that meets a page on its way out fails.
        while self.client.execute(is_new, Vec::new()).await.ok() != Some(json!(true)) {
            assert!(start.elapsed() < LIMIT, "{css} loads no page");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the browser has to complain of since it was last asked.
    pub async fn complaints(&self) -> Value {
        self.command("se/log", json!({ "type": "browser" })).await
    }

    /// A picture of what is shown, as a PNG file.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("it shows something")
    }

    /// A screen of this width, light or dark.
    pub async fn screen(&self, width: u32, scheme: &str) {
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

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let command = ChromeCommand { path, body };
        let answer = self.client.issue_cmd(command).await;
        answer.expect("ChromeDriver knows the command")
    }
}
