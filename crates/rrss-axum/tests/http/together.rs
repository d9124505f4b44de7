//! Requests of one browser at the same time.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use rrss_axum::{Result, Session};
use rrss_testkit::{Call, Gate, Side};
use tokio::sync::Barrier;

use crate::site::{Browser, Site, layer, memory, pages, store_over};

/// A page that changes a field of its name, and then waits at two barriers before it answers: in between a test does something else.
fn waiting(reached: &Arc<Barrier>, go_on: &Arc<Barrier>) -> Router {
    let (reached, go_on) = (reached.clone(), go_on.clone());
    pages().route(
        "/wait/{field}",
        get(
            async move |Path(field): Path<String>, session: Session| -> Result<()> {
                session.insert(&field, &true).await?;
                reached.wait().await;
                go_on.wait().await;
                Ok(())
            },
        ),
    )
}

async fn has(store: &rrss::Store, browser: &Browser, field: &str) -> bool {
    let session = store.load(&browser.id()).await.unwrap().unwrap();
    session.contains_key(field)
}

#[tokio::test]
async fn two_requests_that_change_different_fields_keep_both() {
    let store = memory();
    let (reached, go_on) = (Arc::new(Barrier::new(3)), Arc::new(Barrier::new(3)));
    let site = Site::start(waiting(&reached, &go_on).layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let (one, two) = (ann.clone(), ann.clone());
    let one = tokio::spawn(async move { one.get("/wait/one").await });
    let two = tokio::spawn(async move { two.get("/wait/two").await });
    reached.wait().await;
    go_on.wait().await;
    assert!(one.await.unwrap().status.is_success());
    assert!(two.await.unwrap().status.is_success());
    for field in ["one", "two", "visits"] {
        assert!(has(&store, &ann, field).await, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn update_field_counts_each_of_twenty_at_once() {
    let site = Site::start(pages().layer(layer(&memory()))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let ann = ann.clone();
        all.spawn(async move { ann.get("/count").await.text.parse::<u64>().unwrap() });
    }
    let mut answers = all.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, (1..=20).collect::<Vec<_>>());
    assert_eq!(ann.get("/count").await.text, "21");
}

#[tokio::test]
async fn a_session_that_is_ended_while_another_request_uses_it_stays_ended() {
    let store = memory();
    let (reached, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let site = Site::start(waiting(&reached, &go_on).layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let id = ann.id();
    let other_tab = ann.clone();
    let late = tokio::spawn(async move { other_tab.get("/wait/late").await });
    reached.wait().await;
    assert!(ann.get("/logout").await.forgets());
    go_on.wait().await;
    let late = late.await.unwrap();
    assert_eq!((late.status.is_success(), late.cookie()), (true, None));
    assert!(store.load(&id).await.unwrap().is_none());
    assert_eq!((store.count().await.unwrap(), ann.cookie()), (0, None));
}

#[tokio::test]
async fn what_another_request_saves_under_the_old_id_of_a_rotated_session_brings_nothing_back() {
    let store = memory();
    let (reached, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let site = Site::start(waiting(&reached, &go_on).layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let old = ann.id();
    // A jar of its own: the answers do not come in the order that the browser would see them.
    let other_tab = ann.thief();
    let late = tokio::spawn(async move { other_tab.get("/wait/late").await });
    reached.wait().await;
    ann.get("/login").await;
    go_on.wait().await;
    late.await.unwrap();
    assert_ne!(ann.id(), old);
    assert!(store.load(&old).await.unwrap_err().is_gone());
    assert_eq!(store.count().await.unwrap(), 1);
    assert_eq!(ann.get("/read").await.text, "1 ann");
}

#[tokio::test]
async fn a_session_that_is_ended_between_the_handler_and_its_save_stays_ended() {
    let gate = Gate::new();
    let (store, _) = store_over(gate.before(rrss::Memory::default()));
    let site = Site::start(pages().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let held = gate.hold(Call::Update, Side::Before);
    let other_tab = ann.thief();
    let late = tokio::spawn(async move { other_tab.get("/visit").await });
    let held = held.arrived().await;
    ann.get("/logout").await;
    held.release();
    assert_eq!(late.await.unwrap().cookie(), None);
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_save_that_comes_after_another_request_has_rotated_brings_nothing_back() {
    let gate = Gate::new();
    let (store, _) = store_over(gate.before(rrss::Memory::default()));
    let site = Site::start(pages().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let old = ann.id();
    let held = gate.hold(Call::Update, Side::Before);
    let other_tab = ann.thief();
    let late = tokio::spawn(async move { other_tab.get("/visit").await });
    let held = held.arrived().await;
    ann.get("/login").await;
    held.release();
    assert!(late.await.unwrap().status.is_success());
    assert!(store.load(&old).await.unwrap_err().is_gone());
    assert_eq!(store.count().await.unwrap(), 1);
    assert_eq!(ann.get("/read").await.text, "1 ann");
}

#[tokio::test]
async fn of_two_requests_that_rotate_at_once_one_gets_the_new_id() {
    let store = memory();
    let both = Arc::new(Barrier::new(2));
    let app = pages().route(
        "/rotate",
        get(async move |session: Session| -> Result<()> {
            session.rotate().await?;
            both.wait().await;
            Ok(())
        }),
    );
    let site = Site::start(app.layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let old = ann.id();
    let tabs = [ann.thief(), ann.thief()];
    let (one, two) = tokio::join!(tabs[0].get("/rotate"), tabs[1].get("/rotate"));
    // Whichever answer comes last, the browser is left with the new id.
    let winners = [&one, &two].map(|page| page.cookie().is_some());
    assert_eq!(
        winners.iter().filter(|has| **has).count(),
        1,
        "{one:?} {two:?}"
    );
    assert!(!one.forgets() && !two.forgets());
    assert!(one.status.is_success() && two.status.is_success());
    assert!(store.load(&old).await.unwrap_err().is_gone());
    assert_eq!(store.count().await.unwrap(), 1);
    let winner = if winners[0] { &tabs[0] } else { &tabs[1] };
    assert_eq!(winner.get("/read").await.text, "1 nobody");
}
