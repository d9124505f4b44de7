//! The shop in a real browser: two tabs, the back button, and restarts of the shop and of Redis in between.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_test_servers::{Browser, Chromedriver};
use serde_json::json;
use shop::suite::{Running, Shop, Visitor};

const SHOP: Shop = Shop {
    program: env!("CARGO_BIN_EXE_shop-axum"),
    cookie: "session",
    commands_of_a_read: &[("get", 1)],
};

/// Ten posts at once from the page that is shown, each for the same good, and how they were answered.
const TEN_AT_ONCE: &str = "
    const post = () => fetch('/cart', { method: 'POST', body: new URLSearchParams({ good: 'Honey' }) });
    const answers = await Promise.all(Array.from({ length: 10 }, post));
    return answers.map(answer => answer.status)";

async fn sign_in(browser: &Browser, name: &str) {
    browser.type_into("[name=user]", name).await;
    browser.click("#sign-in").await;
}

async fn id(browser: &Browser) -> String {
    browser.cookie(SHOP.cookie).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_with_two_tabs_a_new_id_and_restarts() {
    let (mut shop, mut redis) = Running::with_redis(&SHOP);
    let driver = Chromedriver::start();
    let browser = Browser::start(&driver).await;
    let url = shop.app.url();

    browser.open(&url).await;
    assert_eq!(
        browser.cookie(SHOP.cookie).await,
        None,
        "nothing to keep yet"
    );
    browser.click("[value=Tea]").await;
    let before = id(&browser).await;
    let first = browser.tab().await;
    let second = browser.new_tab().await;
    browser.open(&url).await;
    assert_eq!(browser.text("#cart").await, "1 × Tea");

    // Signed in in one tab, the other is too, with the same cart under a new id.
    sign_in(&browser, "ann").await;
    let signed_in = id(&browser).await;
    assert_ne!(signed_in, before);
    browser.show(&first).await;
    browser.click("[value=Bread]").await;
    assert_eq!(browser.text("#user").await, "ann");
    assert_eq!(browser.text("#cart").await, "1 × Bread\n1 × Tea");
    assert_eq!(id(&browser).await, signed_in);
    let copy = before.clone();
    let shop_of_copy = &shop;
    let dead = tokio::task::block_in_place(|| {
        Visitor::with_cookie(shop_of_copy, &copy).greeted_as(shop_of_copy)
    });
    assert_eq!(dead, None, "the old cookie is dead");

    // The shop is killed, then Redis is: the session is still there.
    shop.app.kill_hard();
    shop.start_again();
    redis.restart();
    browser.open(&shop.app.url()).await;
    assert_eq!(browser.text("#user").await, "ann");
    assert_eq!(id(&browser).await, signed_in);

    browser.click("a[href='/devices']").await;
    assert!(browser.text("#devices").await.ends_with("this device"));
    browser.click("a[href='/']").await;

    // Signed out in one tab; the other shows an old page, and posts from there.
    browser.show(&second).await;
    browser.open(&shop.app.url()).await;
    browser.show(&first).await;
    browser.click("#sign-out").await;
    browser.show(&second).await;
    assert_eq!(browser.text("#user").await, "ann", "the page is an old one");
    browser.click("[value=Tea]").await;
    assert!(!browser.has("#user").await);
    assert_eq!(browser.text("#cart").await, "1 × Tea", "a cart of its own");
    assert_ne!(id(&browser).await, signed_in);

    // The back button shows what the server says now.
    browser.show(&first).await;
    browser.back().await;
    browser.refresh().await;
    assert!(!browser.has("#user").await);
    assert_eq!(browser.complaints().await, json!([]));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_at_once_from_one_page_end_as_one_cart_and_no_error() {
    let shop = Running::on_disk(&SHOP);
    let driver = Chromedriver::start();
    let browser = Browser::start(&driver).await;
    browser.open(&shop.app.url()).await;
    browser.click("[value=Tea]").await;
    sign_in(&browser, "ann").await;
    let before = id(&browser).await;
    assert_eq!(browser.run(TEN_AT_ONCE).await, json!(vec![200; 10]));
    browser.open(&shop.app.url()).await;
    assert_eq!(browser.text("#user").await, "ann");
    let cart = browser.text("#cart").await;
    assert!(cart.contains("1 × Tea"), "{cart}");
    assert_eq!(cart.lines().next(), Some("10 × Honey"), "every one counts");
    assert_eq!(id(&browser).await, before);
    browser.close().await;
}
