//! The routes: what each does with the session.

use std::collections::BTreeMap;

use axum::extract::{Form, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Router, http::header};
use maud::Markup;
use rrss::Store;
use rrss_axum::{Result, Session, SessionLayer};
use serde::Deserialize;

use crate::page;

/// What is for sale: name, picture, price in cents.
pub(crate) const GOODS: [(&str, &str, u32); 4] = [
    ("Tea", include_str!("pictures/tea.svg"), 450),
    ("Bread", include_str!("pictures/bread.svg"), 320),
    ("Apples", include_str!("pictures/apples.svg"), 280),
    ("Honey", include_str!("pictures/honey.svg"), 690),
];

/// The cart: how many of each.
pub(crate) type Cart = BTreeMap<String, u32>;

pub(crate) fn router(store: Store) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/cart", post(change_cart))
        .layer(SessionLayer::new(store.clone()).plain_http_for_development())
        .route(
            "/style.css",
            get((
                [(header::CONTENT_TYPE, "text/css")],
                include_str!("style.css"),
            )),
        )
        .with_state(store)
}

async fn front(State(store): State<Store>, session: Session) -> Result<Markup> {
    let visits = session.get::<u64>("visits").await?.unwrap_or_default() + 1;
    session.insert("visits", &visits).await?;
    let name = session.get::<String>("name").await?;
    let cart = session.get::<Cart>("cart").await?.unwrap_or_default();
    Ok(page::front(&store, visits, name.as_deref(), &cart))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

async fn sign_in(session: Session, Form(form): Form<SignIn>) -> Result<Redirect> {
    let name: String = form.name.trim().chars().take(40).collect();
    if !name.is_empty() {
        session.insert("name", &name).await?;
        // A new id at every change of rights: one that was planted before is worthless after.
        session.rotate().await?;
    }
    Ok(Redirect::to("/"))
}

async fn sign_out(session: Session) -> Result<Redirect> {
    session.end().await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct CartChange {
    good: String,
    by: i32,
}

async fn change_cart(session: Session, Form(change): Form<CartChange>) -> Result<Redirect> {
    if GOODS.iter().any(|(name, ..)| *name == change.good) {
        let mut cart = session.get::<Cart>("cart").await?.unwrap_or_default();
        let count = cart.entry(change.good).or_default();
        *count = count.saturating_add_signed(change.by.clamp(-1, 1)).min(99);
        cart.retain(|_, count| *count > 0);
        session.insert("cart", &cart).await?;
    }
    Ok(Redirect::to("/"))
}
