//! The pages, and what they are about.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, html};
use rrss::Handle;

use crate::devices::Device;

/// What is for sale.
pub const GOODS: [&str; 3] = ["Tea", "Bread", "Honey"];

/// The cart, in the field `cart`: how many of each.
pub type Cart = BTreeMap<String, u32>;

/// Puts one `good` into the cart, if it is for sale.
pub fn add(cart: &mut Cart, good: &str) {
    if GOODS.contains(&good) {
        let count = cart.entry(good.to_owned()).or_default();
        *count = (*count + 1).min(99);
    }
}

/// The name under which a customer signs in, in the field `user`; `None` where the form has none.
#[must_use]
pub fn customer(name: &str) -> Option<String> {
    let name: String = name.trim().chars().take(40).collect();
    (!name.is_empty()).then_some(name)
}

/// The front page: the cart, and signing in or out.
#[must_use]
pub fn front(user: Option<&str>, cart: &Cart) -> String {
    page(&html! {
        @if let Some(user) = user {
            p { "Hello, " strong #user { (user) } ". " a href="/devices" { "Your devices" } }
            form method="post" action="/sign-out" { button #sign-out { "Sign out" } }
        } @else {
            form method="post" action="/sign-in" {
                input name="user" placeholder="Your name" maxlength="40" required;
                button #sign-in { "Sign in" }
            }
        }
        h2 { "Your cart" }
        ul #cart {
            @for (good, count) in cart { li { (count) " × " (good) } }
        }
        @for good in GOODS {
            form method="post" action="/cart" { button name="good" value=(good) { (good) } }
        }
    })
}

/// Where the customer is signed in; `this` is the device that asks.
#[must_use]
pub fn your_devices(devices: &[(Handle, Device)], this: &Device) -> String {
    page(&html! {
        h2 { "Your devices" }
        ul #devices {
            @for (handle, device) in devices {
                li {
                    (device.name) " "
                    @if device.mark == this.mark {
                        em { "this device" }
                    } @else {
                        form method="post" action="/devices/end" {
                            button name="handle" value=(handle) { "Sign out" }
                        }
                    }
                }
            }
        }
        form method="post" action="/devices/end-others" { button #end-others { "Sign out all others" } }
        p { a href="/" { "Back to the shop" } }
    })
}

/// A page that has nothing to do with a session.
#[must_use]
pub fn about() -> String {
    page(&html! { p #about { "Open from nine to five." } })
}

fn page(content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "The shop" }
                link rel="icon" href="data:,";
                style { "body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem } form { display: inline }" }
            }
            body { h1 { a href="/" { "The shop" } } (content) }
        }
    }
    .into_string()
}
