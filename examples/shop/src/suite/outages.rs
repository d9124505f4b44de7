//! What is asked of the server, and what happens while it does not answer.

use super::{Running, Shop, Visitor};

/// A page without a session costs nothing, whoever asks for it.
pub fn a_page_that_needs_no_session_asks_the_server_nothing(shop: &Shop) {
    let (shop, redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    redis.reset_counts();
    assert!(super::page(ann.get(&shop, "/about")).contains("nine to five"));
    assert_eq!(redis.command_counts(), [].into());
}

/// A page that reads the session costs what is said of the framework, and writes nothing.
pub fn a_page_that_reads_the_session_asks_as_often_as_it_is_said_to_and_writes_nothing(
    shop: &Shop,
) {
    let expected = shop.commands_of_a_read;
    let (shop, redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    redis.reset_counts();
    assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
    let counts = redis.command_counts();
    assert_eq!(counts.values().sum::<u64>(), expected, "{counts:?}");
    assert!(!counts.contains_key("set"), "{counts:?}");
}

/// While Redis is down a customer gets an error, keeps the cookie, and is signed in when it is back.
pub fn an_outage_is_no_sign_out(shop: &Shop) {
    let (shop, mut redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    ann.buy(&shop, "Honey");
    let cookie = ann.cookie(&shop);

    redis.stop();
    for response in [
        ann.get(&shop, "/"),
        ann.post(&shop, "/cart", &[("good", "Tea")]),
        ann.post(&shop, "/sign-out", &[]),
    ] {
        assert!(response.status().is_server_error(), "{}", response.status());
        assert!(!response.headers().contains_key("set-cookie"));
        let text = response.text().expect("it is text");
        assert!(!text.contains("127.0.0.1"), "{text}");
    }
    assert_eq!(ann.cookie(&shop), cookie);

    redis.restart();
    assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
    assert_eq!(ann.cart(&shop), ["1 × Honey"]);
}
