//! What customers do, and may expect.

use super::{Running, Shop, Visitor, page};

/// Signing in gives a new id: the old cookie is dead, and what was in the cart is there still.
pub fn signing_in_changes_the_cookie_keeps_the_cart_and_ends_the_old_session(shop: &Shop) {
    let (shop, redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.buy(&shop, "Tea");
    let before = ann.cookie(&shop).expect("a cart needs a session");
    ann.sign_in(&shop, "ann");
    assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
    assert_eq!(ann.cart(&shop), ["1 × Tea"]);
    assert_ne!(ann.cookie(&shop), Some(before.clone()));

    let thief = Visitor::with_cookie(&shop, &before);
    assert_eq!(thief.greeted_as(&shop), None);
    assert!(thief.cart(&shop).is_empty());
    assert_eq!(signed_in(&redis), 1);
}

/// Two customers do not see each other's carts.
pub fn a_cart_is_the_customers_own(shop: &Shop) {
    let shop = Running::on_disk(shop);
    let (ann, bob) = (Visitor::with("Firefox"), Visitor::with("Chrome"));
    ann.buy(&shop, "Tea");
    ann.buy(&shop, "Tea");
    bob.buy(&shop, "Bread");
    assert_eq!(ann.cart(&shop), ["2 × Tea"]);
    assert_eq!(bob.cart(&shop), ["1 × Bread"]);
}

/// A customer sees all devices, and ends one; that one is signed out from its next request on.
pub fn devices_are_listed_and_end_one_by_one(shop: &Shop) {
    let shop = Running::on_disk(shop);
    let (phone, laptop, bob) = (
        Visitor::with("Phone"),
        Visitor::with("Laptop"),
        Visitor::with("Other"),
    );
    phone.sign_in(&shop, "ann");
    laptop.sign_in(&shop, "ann");
    bob.sign_in(&shop, "bob");
    let devices = phone.devices(&shop);
    let names: Vec<_> = devices.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Laptop", "Phone"]);
    assert_eq!(devices[1].1, None, "this device has no button");

    let handle = devices[0].1.clone().expect("the other one has");
    bob.post(&shop, "/devices/end", &[("handle", &handle)]);
    assert_eq!(
        laptop.greeted_as(&shop).as_deref(),
        Some("ann"),
        "bob may not"
    );
    phone.post(&shop, "/devices/end", &[("handle", &handle)]);
    assert_eq!(laptop.greeted_as(&shop), None);
    assert_eq!(phone.greeted_as(&shop).as_deref(), Some("ann"));
    assert_eq!(phone.devices(&shop).len(), 1);
    let stolen = Visitor::with_cookie(&shop, &handle);
    assert_eq!(stolen.greeted_as(&shop), None, "a handle is no id");
}

/// All others end, and this device stays.
pub fn all_other_devices_end_at_once(shop: &Shop) {
    let shop = Running::on_disk(shop);
    let others = [Visitor::with("Phone"), Visitor::with("Tablet")];
    let (laptop, bob) = (Visitor::with("Laptop"), Visitor::with("Laptop"));
    for ann in others.iter().chain([&laptop]) {
        ann.sign_in(&shop, "ann");
    }
    bob.sign_in(&shop, "bob");
    let left = page(laptop.post(&shop, "/devices/end-others", &[]));
    assert!(left.contains("this device"));
    assert_eq!(laptop.devices(&shop).len(), 1);
    for other in &others {
        assert_eq!(other.greeted_as(&shop), None);
    }
    assert_eq!(laptop.greeted_as(&shop).as_deref(), Some("ann"));
    assert_eq!(bob.greeted_as(&shop).as_deref(), Some("bob"));
}

/// The cookie is dead wherever it was copied to, and the back button shows nobody's cart.
pub fn signing_out_ends_the_session_for_every_copy_of_the_cookie(shop: &Shop) {
    let (shop, redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    ann.buy(&shop, "Honey");
    let cookie = ann.cookie(&shop).expect("she is signed in");
    ann.post(&shop, "/sign-out", &[]);
    assert_eq!(ann.greeted_as(&shop), None);
    assert!(ann.cart(&shop).is_empty());
    let copy = Visitor::with_cookie(&shop, &cookie);
    assert_eq!(copy.greeted_as(&shop), None);
    assert!(copy.cart(&shop).is_empty());
    assert_eq!(signed_in(&redis), 0);
}

/// A second tab that posts with the old cookie after the sign-out begins anew, signed out, under another id.
pub fn a_post_after_signing_out_brings_nothing_back(shop: &Shop) {
    let (shop, _redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    let cookie = ann.cookie(&shop).expect("she is signed in");
    let tab = Visitor::with_cookie(&shop, &cookie);
    assert_eq!(tab.greeted_as(&shop).as_deref(), Some("ann"));
    ann.post(&shop, "/sign-out", &[]);

    tab.buy(&shop, "Bread");
    assert_eq!(tab.greeted_as(&shop), None);
    assert_ne!(tab.cookie(&shop), Some(cookie.clone()));
    let copy = Visitor::with_cookie(&shop, &cookie);
    assert_eq!(copy.greeted_as(&shop), None);
    assert!(copy.cart(&shop).is_empty());
}

/// Neither a restart nor `kill -9` of the shop ends a session, on the disk and in Redis.
pub fn a_restart_and_a_kill_of_the_shop_end_no_session(shop: &Shop) {
    let (in_redis, _redis) = Running::with_redis(shop);
    for mut shop in [Running::on_disk(shop), in_redis] {
        let ann = Visitor::with("Firefox");
        ann.sign_in(&shop, "ann");
        ann.buy(&shop, "Tea");
        assert!(shop.app.stop().success());
        shop.start_again();
        assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
        shop.app.kill_hard();
        shop.start_again();
        assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
        assert_eq!(ann.cart(&shop), ["1 × Tea"]);
    }
}

/// How many sessions of customers there are, as the index has them. A framework may keep sessions of strangers besides.
fn signed_in(redis: &rrss_test_servers::RedisServer) -> u64 {
    let entries = redis.scan("shop:index:user:*");
    let sessions = |key: &String| redis.command(&["ZCARD", key]).parse::<u64>();
    entries
        .iter()
        .map(|key| sessions(key).expect("a number"))
        .sum()
}
