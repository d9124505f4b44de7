//! The shop as a browser without scripts sees it: the real process, and a client that keeps cookies.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod running;
mod visitor;

use reqwest::StatusCode;

use crate::running::{ON_DISK, folder_with, start};
use crate::visitor::{Visitor, address, name, page, total, visits};

#[test]
fn visits_count_up_for_each_visitor() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let (ann, bob) = (Visitor::new(), Visitor::new());
    assert_eq!(
        [ann.visit(&shop), ann.visit(&shop), ann.visit(&shop)],
        [1, 2, 3]
    );
    assert_eq!(
        [bob.visit(&shop), ann.visit(&shop), bob.visit(&shop)],
        [1, 4, 2]
    );
    assert_ne!(ann.id(&shop), bob.id(&shop));
}

#[test]
fn the_cookie_is_kept_from_scripts_and_other_sites_and_lives_as_long_as_the_session() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let response = Visitor::new().get(&shop);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(&attribute), "{attributes:?}");
    }
    let lives = attributes
        .iter()
        .find_map(|attribute| attribute.strip_prefix("Max-Age="));
    let lives: u64 = lives.unwrap().parse().unwrap();
    assert!(
        (7 * 24 * 3600 - 60..=7 * 24 * 3600).contains(&lives),
        "{lives}"
    );
    assert_eq!(response.headers()["vary"], "Cookie");
}

#[test]
fn signing_in_makes_a_new_id_and_the_old_one_is_dead() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let ann = Visitor::new();
    ann.visit(&shop);
    let before = ann.id(&shop).unwrap();
    let signed_in = ann.sign_in(&shop, " Ann ");
    assert_eq!((name(&signed_in), visits(&signed_in)), (Some("Ann"), 2));
    let after = ann.id(&shop).unwrap();
    assert_ne!(before, after);

    let thief = Visitor::with_id(&shop, &before);
    let seen = page(thief.get(&shop));
    assert_eq!((name(&seen), visits(&seen)), (None, 1));
    assert_ne!(thief.id(&shop).unwrap(), before);
}

#[test]
fn signing_out_ends_the_session() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let ann = Visitor::new();
    ann.sign_in(&shop, "Ann");
    ann.buy(&shop, "Tea");
    let before = ann.id(&shop).unwrap();
    let signed_out = page(ann.post(&shop, "/sign-out", &[]));
    assert_eq!((name(&signed_out), total(&signed_out)), (None, None));
    assert_eq!(visits(&signed_out), 1);
    assert_ne!(ann.id(&shop).unwrap(), before);
    assert_eq!(
        name(&page(Visitor::with_id(&shop, &before).get(&shop))),
        None
    );
}

#[test]
fn the_cart_adds_up_and_empties() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let ann = Visitor::new();
    assert_eq!(total(&ann.buy(&shop, "Tea")), Some("€ 4.50"));
    assert_eq!(total(&ann.buy(&shop, "Tea")), Some("€ 9.00"));
    assert_eq!(total(&ann.buy(&shop, "Honey")), Some("€ 15.90"));
    let less = |good| page(ann.post(&shop, "/cart", &[("good", good), ("by", "-1")]));
    assert_eq!(total(&less("Honey")), Some("€ 9.00"));
    less("Tea");
    assert_eq!(total(&less("Tea")), None);
    assert_eq!(total(&less("Tea")), None);
}

#[test]
fn a_name_with_markup_is_shown_as_text() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let ann = Visitor::new();
    for markup in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "&lt;b&gt;",
    ] {
        let seen = ann.sign_in(&shop, markup);
        assert!(
            !seen.contains("<script") && !seen.contains("<img"),
            "{markup}"
        );
        let shown = name(&seen).unwrap().replace("&quot;", "\"");
        let shown = shown
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        assert_eq!(shown, markup);
        ann.post(&shop, "/sign-out", &[]);
    }
}

#[test]
fn a_bad_form_is_refused_and_changes_nothing() {
    let (_folder, config) = folder_with(ON_DISK);
    let shop = start(&config, None);
    let ann = Visitor::new();
    ann.sign_in(&shop, "Ann");
    let before = total(&ann.buy(&shop, "Tea")).unwrap().to_owned();
    for (path, form, expected) in [
        (
            "/cart",
            &[("good", "Tea"), ("by", "much")][..],
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "/cart",
            &[("good", "Tea")],
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("/sign-in", &[], StatusCode::UNPROCESSABLE_ENTITY),
        ("/nowhere", &[], StatusCode::NOT_FOUND),
        ("/style.css", &[], StatusCode::METHOD_NOT_ALLOWED),
    ] {
        assert_eq!(ann.post(&shop, path, form).status(), expected, "{path}");
    }
    let no_form = ann
        .client
        .post(address(&shop, "/cart"))
        .body("{}")
        .send()
        .unwrap();
    assert_eq!(no_form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for (good, by) in [("Gold", "1"), ("Tea", "0")] {
        page(ann.post(&shop, "/cart", &[("good", good), ("by", by)]));
    }
    let seen = ann.sign_in(&shop, "  ");
    assert_eq!(
        (name(&seen), total(&seen)),
        (Some("Ann"), Some(before.as_str()))
    );
}
