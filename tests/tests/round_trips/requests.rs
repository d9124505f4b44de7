//! What a request to axum costs, by what its handler does.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::{get, post};
use rrss::Store;
use rrss_axum::SessionLayer;
use rrss_test_servers::Flavor;
use tower::ServiceExt;

use crate::*;

/// A site with a handler for each way to use a session.
fn site(store: Store) -> Router {
    use rrss_axum::{Result, Session};
    Router::new()
        .route("/untouched", get(async |_: Session| "hello"))
        .route("/without", get(async || "hello"))
        .route(
            "/read",
            get(async |session: Session| -> Result<()> {
                session.get::<String>("user").await?;
                session.contains_key("cart").await?;
                Ok(())
            }),
        )
        .route(
            "/change",
            post(async |session: Session| session.insert("user", "bob").await),
        )
        .route(
            "/rotate",
            post(async |session: Session| session.rotate().await),
        )
        .route("/end", post(async |session: Session| session.end().await))
        .layer(SessionLayer::new(store))
}

async fn ask(site: &Router, method: &str, path: &str, id: Option<&str>) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(id) = id {
        request = request.header(header::COOKIE, format!("__Host-session={id}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = site.clone().oneshot(request).await.unwrap();
    assert!(
        response.status().is_success(),
        "{path}: {}",
        response.status()
    );
}

#[tokio::test]
async fn a_request_costs_what_its_handler_does_with_the_session() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let site = site(store.clone());
        learn(&store).await;
        let mut load_and_update = compare_and_set(flavor, 1, 1);
        *load_and_update.entry("get".to_owned()).or_default() += 1;
        for (method, path, expected) in [
            ("GET", "/without", commands([])),
            ("GET", "/untouched", commands([])),
            ("GET", "/read", commands([("get", 1)])),
            ("POST", "/change", load_and_update),
            ("POST", "/rotate", all([&[("get", 1)], &ROTATE])),
            ("POST", "/end", commands([("unlink", 1)])),
        ] {
            let id = id(&stored(&store).await);
            let (_, cost) = cost(&server, ask(&site, method, path, Some(id.as_str()))).await;
            assert_eq!(cost, expected, "{flavor}: {path}");
        }
    }
}

#[tokio::test]
async fn a_visitor_without_a_session_costs_nothing_until_there_is_something_to_keep() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let site = site(store);
        for id in [None, Some("planted")] {
            for (method, path, expected) in [
                ("GET", "/read", commands([])),
                ("POST", "/end", commands([])),
                ("POST", "/rotate", commands([])),
                ("POST", "/change", commands([("set", 1)])),
            ] {
                let (_, cost) = cost(&server, ask(&site, method, path, id)).await;
                assert_eq!(cost, expected, "{flavor}: {path}, {id:?}");
            }
        }
    }
}
