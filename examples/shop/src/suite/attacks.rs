//! Cookies that no browser should have.

use super::{Running, Shop, Visitor};

/// A cookie that the shop did not make is no session, is no error page, and is never the id of a session later.
pub fn no_made_up_cookie_becomes_a_session(shop: &Shop) {
    let (shop, redis) = Running::with_redis(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    let real = ann.cookie(&shop).expect("she is signed in");
    let half = real[..real.len() / 2].to_owned();
    let mut changed = real.clone();
    let last = changed.pop().expect("it is not empty");
    changed.push(if last == 'a' { 'b' } else { 'a' });

    for made_up in [
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "../../etc/passwd",
        "*",
        "%00",
        "%ff%fe",
        "\"",
        &half,
        &changed,
        &"a".repeat(7_000),
    ] {
        let visitor = Visitor::with_cookie(&shop, made_up);
        assert_eq!(visitor.greeted_as(&shop), None, "{made_up}");
        visitor.buy(&shop, "Tea");
        assert_eq!(visitor.cart(&shop), ["1 × Tea"], "{made_up}");
        assert_ne!(visitor.cookie(&shop).as_deref(), Some(made_up));
        let again = Visitor::with_cookie(&shop, made_up);
        assert!(again.cart(&shop).is_empty(), "{made_up}");
        assert!(!redis.scan("*").contains(&format!("shop:{made_up}")));
    }
    assert_eq!(ann.greeted_as(&shop).as_deref(), Some("ann"));
}

/// Another shop's cookie, of the same form, opens nothing here.
pub fn a_cookie_of_another_shop_opens_nothing(shop: &Shop) {
    let (here, there) = (Running::on_disk(shop), Running::on_disk(shop));
    let ann = Visitor::with("Firefox");
    ann.sign_in(&there, "ann");
    let cookie = ann.cookie(&there).expect("she is signed in");
    assert_eq!(Visitor::with_cookie(&here, &cookie).greeted_as(&here), None);
}

/// The cookies of others pass, before and behind the session's own, and are not set anew.
pub fn other_cookies_are_left_alone(shop: &Shop) {
    let shop = Running::on_disk(shop);
    let ann = Visitor::with("Firefox");
    ann.sign_in(&shop, "ann");
    let own = format!(
        "{}={}",
        shop.cookie,
        ann.cookie(&shop).expect("she is signed in")
    );
    let stranger = Visitor::with("Firefox");
    for header in [
        format!("theme=dark; {own}; lang=en"),
        format!("x{own}; {own}"),
        format!("a; =; ;; {own}"),
    ] {
        let response = stranger.get_with_header(&shop, "/", &header);
        let others = ["theme=", "lang=", "a="];
        for set in response.headers().get_all("set-cookie") {
            let set = set.to_str().expect("it is text");
            assert!(!others.iter().any(|other| set.starts_with(other)), "{set}");
        }
        let page = super::page(response);
        assert!(page.contains(r#"<strong id="user">ann"#), "{header}");
    }
}

/// A session whose stored bytes something has overwritten: whoever has its cookie can go on, with a new session at the
/// latest after signing in again, and nobody else is held up.
pub fn unreadable_bytes_open_nothing_and_block_nobody(shop: &Shop) {
    let (shop, redis) = Running::with_redis(shop);
    let (ann, bob) = (Visitor::with("Firefox"), Visitor::with("Chrome"));
    ann.sign_in(&shop, "ann");
    let keys = redis.scan("shop:*");
    bob.sign_in(&shop, "bob");
    for key in keys.iter().filter(|key| !key.starts_with("shop:index:")) {
        redis.command(&["SET", key, "no session", "KEEPTTL"]);
    }
    let broken = ann.get(&shop, "/");
    let text = broken.text().expect("it is text");
    assert!(
        !text.contains("no session") && !text.contains(r#"id="user">"#),
        "{text}"
    );
    assert_eq!(bob.greeted_as(&shop).as_deref(), Some("bob"));
    let fresh = Visitor::with("Firefox");
    fresh.sign_in(&shop, "ann");
    assert_eq!(fresh.greeted_as(&shop).as_deref(), Some("ann"));
}
