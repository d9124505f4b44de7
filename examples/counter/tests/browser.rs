//! The page in a real browser: Chromium without a window, driven through ChromeDriver.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod running;

use std::fs;
use std::path::Path;

use rrss_test_servers::{Browser, Chromedriver, Flavor, RedisServer};
use serde_json::json;

use crate::running::{ON_DISK, folder_with, start};

const IN_REDIS: &str = include_str!("../rrss.redis.toml");

async fn visits(browser: &Browser) -> u64 {
    browser.text("#visits").await.parse().unwrap()
}

async fn id(browser: &Browser) -> String {
    browser.cookie("session").await.unwrap()
}

/// A visit from the first page to the sign out, with the shop killed in between.
async fn walk_through(config: &Path, redis: Option<&RedisServer>) {
    let driver = Chromedriver::start();
    let browser = Browser::start(&driver).await;
    let mut shop = start(config, redis);
    browser.open(&shop.url()).await;
    assert_eq!(browser.title().await, "The corner shop");
    assert_eq!(visits(&browser).await, 1);
    browser.refresh().await;
    assert_eq!(visits(&browser).await, 2);
    let first = id(&browser).await;

    for total in ["€ 4.50", "€ 9.00"] {
        browser.click("[data-good=Tea] button[value='1']").await;
        assert_eq!(browser.text("#total").await, total);
    }
    assert_eq!(browser.text("[data-good=Tea] output").await, "2");
    assert_eq!(id(&browser).await, first);

    browser.type_into("#sign-in-name", "Ann <b>").await;
    browser.click("#sign-in").await;
    assert_eq!(browser.text("#name").await, "Ann <b>");
    assert_eq!(browser.text("#total").await, "€ 9.00");
    let signed_in = id(&browser).await;
    assert_ne!(signed_in, first);
    assert_eq!(visits(&browser).await, 5);

    shop.kill_hard();
    let mut shop = start(config, redis);
    browser.open(&shop.url()).await;
    assert_eq!(visits(&browser).await, 6);
    assert_eq!(browser.text("#name").await, "Ann <b>");
    assert!(shop.stop().success());
    let shop = start(config, redis);
    browser.open(&shop.url()).await;
    assert_eq!(visits(&browser).await, 7);
    assert_eq!(browser.text("#total").await, "€ 9.00");
    assert_eq!(id(&browser).await, signed_in);

    browser.click("#sign-out").await;
    assert!(browser.has("#sign-in").await && !browser.has("#name").await);
    assert!(!browser.has("#total").await);
    assert_eq!(visits(&browser).await, 1);
    assert_ne!(id(&browser).await, signed_in);
    assert_eq!(browser.complaints().await, json!([]));
    browser.close().await;
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
    browser.open(&shop.url()).await;
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
            fs::write(&file, browser.screenshot().await).unwrap();
            // A screen of one colour compresses to next to nothing.
            assert!(fs::metadata(&file).unwrap().len() > 20_000, "{file:?}");
        }
    }
    let asked = "return performance.getEntriesByType('resource').map(entry => entry.name)";
    let asked = browser.run(asked).await;
    assert_eq!(asked, json!([format!("{}/style.css", shop.url())]));
    assert_eq!(browser.complaints().await, json!([]));
    browser.close().await;
}
