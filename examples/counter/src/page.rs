//! The page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rrss::Store;

use crate::shop::{Cart, GOODS};

/// The front page.
pub(crate) fn front(store: &Store, visits: u64, name: Option<&str>, cart: &Cart) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "The corner shop" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
            }
            body {
                main {
                    header {
                        h1 { "The corner shop" }
                        (greeting(name))
                    }
                    section.visits {
                        p.number #visits { (visits) }
                        p { @if visits == 1 { "visit. Welcome!" } @else { "visits in this session." } }
                    }
                    section.shelf aria-label="Goods" {
                        @for (good, picture, cents) in GOODS {
                            (shelf(good, picture, cents, cart.get(good).copied().unwrap_or_default()))
                        }
                    }
                    (total(cart))
                    (kept_by(store))
                }
            }
        }
    }
}

fn greeting(name: Option<&str>) -> Markup {
    html! {
        @if let Some(name) = name {
            form.who method="post" action="/sign-out" {
                span { "Hello, " strong #name { (name) } }
                button.quiet type="submit" #sign-out { "Sign out" }
            }
        } @else {
            form.who method="post" action="/sign-in" {
                label.hidden for="sign-in-name" { "Your name" }
                input #sign-in-name name="name" placeholder="Your name" maxlength="40" required autocomplete="nickname";
                button type="submit" #sign-in { "Sign in" }
            }
        }
    }
}

fn shelf(good: &str, picture: &str, cents: u32, count: u32) -> Markup {
    html! {
        article data-good=(good) {
            div.picture aria-hidden="true" { (PreEscaped(picture)) }
            h2 { (good) }
            p.price { (money(cents)) }
            form method="post" action="/cart" {
                input type="hidden" name="good" value=(good);
                button name="by" value="-1" disabled[count == 0] aria-label={ "One less " (good) } { "−" }
                output { (count) }
                button name="by" value="1" aria-label={ "One more " (good) } { "+" }
            }
        }
    }
}

fn total(cart: &Cart) -> Markup {
    let sum: u32 = GOODS
        .iter()
        .map(|(good, _, cents)| cents * cart.get(*good).copied().unwrap_or_default())
        .sum();
    html! {
        section.total {
            @if cart.is_empty() {
                span { "Your cart is empty." }
            } @else {
                span { "In your cart" }
                strong #total { (money(sum)) }
            }
        }
    }
}

fn kept_by(store: &Store) -> Markup {
    let in_redis = store
        .pipeline()
        .steps()
        .last()
        .is_some_and(|(step, _)| step == "redis");
    html! {
        footer {
            p { "This session passes these steps, in the order of " code { "rrss.toml" } ":" }
            ol.steps #steps {
                @for (step, shape) in store.pipeline().steps() {
                    li title=(shape) { code { (step) } }
                }
            }
            p.hint { "Restart the server, or kill it: the session is still here. "
                @if in_redis { "It lives in Redis, and every server that is given this Redis finds it there." }
                @else { "Change the last step to " code { "redis" } ": it lives there." }
            }
        }
    }
}

fn money(cents: u32) -> String {
    format!("€ {}.{:02}", cents / 100, cents % 100)
}
