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

/// A page that only reads the session costs what is said of the framework: one `GET`, or what its own design adds to that.
pub fn a_page_that_reads_the_session_costs_what_is_said_of_its_framework(shop: &Shop) {
    let expected = shop.commands_of_a_read.iter();
    let expected = expected.map(|&(name, calls)| (name.to_owned(), calls));
    let (shop, redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    redis.reset_counts();
    assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
    assert_eq!(redis.command_counts(), expected.collect());
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
        for set in response.headers().get_all("set-cookie") {
            let set = set.to_str().expect("it is text");
            let same = cookie.as_deref().is_some_and(|value| set.contains(value));
            assert!(same || !set.starts_with(shop.cookie), "{set}");
        }
        let text = response.text().expect("it is text");
        assert!(!text.contains("127.0.0.1"), "{text}");
    }
    assert_eq!(ann.cookie(&shop), cookie);

    redis.restart();
    assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
    assert_eq!(ann.cart(&shop), ["1 × Honey"]);
}
