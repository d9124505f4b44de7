//! actix-web with actix-session: over its own store for Redis, and over an rrss store.

use std::future::Future;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use actix_session::storage::{RedisSessionStore, SessionStore};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::dev::ServerHandle;
use actix_web::error::ErrorBadRequest;
use actix_web::rt::System;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpServer, Result};
use rrss_actix_session::RrssStore;
use serde_json::{Map, Value};

use super::route::{self, FILL, HELLO, Route, TELL, VISITS};
use super::rrss;
use super::served::Served;
use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::peer;

pub const RRSS: &str = "rrss-actix-session";
pub const REDIS: &str = "actix-session";

pub fn serve_rrss(url: &str) -> peer::Result<Served> {
    let store = RrssStore::new(rrss::store(url)?);
    serve(RRSS, async { Ok(store) })
}

pub fn serve_redis(url: &str) -> peer::Result<Served> {
    let url = url.to_owned();
    serve(REDIS, async {
        RedisSessionStore::new(url).await.map_err(Into::into)
    })
}

/// Serves it on threads of its own, as many workers as actix starts unless told.
fn serve<S, F>(name: &'static str, store: F) -> peer::Result<Served>
where
    S: SessionStore + Clone + Send + 'static,
    F: Future<Output = peer::Result<S>> + Send + 'static,
{
    let (started, starting) = mpsc::channel();
    let thread = thread::spawn(move || {
        System::new().block_on(async move {
            let running = async {
                let (store, key) = (store.await?, Key::generate());
                let server = HttpServer::new(move || {
                    App::new()
                        .wrap(SessionMiddleware::new(store.clone(), key.clone()))
                        .route(Route::Still.path(), web::get().to(async || HELLO))
                        .route(Route::Read.path(), web::get().to(read))
                        .route(Route::Write.path(), web::get().to(write))
                        .route(FILL, web::post().to(fill))
                        .route(TELL, web::post().to(tell))
                })
                .disable_signals()
                .bind(("127.0.0.1", 0))?;
                let address = server.addrs().first().copied();
                let address = address.ok_or("it is bound to no address")?;
                Ok::<_, peer::Failed>((address, server.run()))
            };
            match running.await {
                Ok((address, server)) => {
                    let told = started.send(Ok((address, server.handle())));
                    if told.is_ok() {
                        server.await.expect("the server runs until it is stopped");
                    }
                }
                // Nobody listens where nobody waits for it any more.
                Err(error) => drop(started.send(Err(error))),
            }
        });
    });
    let (address, handle) = starting.recv()??;
    let running = Running {
        handle,
        thread: Some(thread),
    };
    Ok(Served::new(name, address, running))
}

/// Stops the server when dropped, and waits until it has.
struct Running {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is told so at once; what is left to wait for is the thread.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn read(session: Session) -> Result<String> {
    let number = session.get::<u64>(READ_FIELD)?;
    Ok(number.unwrap_or_default().to_string())
}

async fn write(session: Session) -> Result<String> {
    let visits = session.get::<u64>(VISITS)?.unwrap_or_default() + 1;
    session.insert(VISITS, visits)?;
    session.insert(CHANGED_FIELD, route::seen(visits))?;
    Ok(visits.to_string())
}

async fn fill(session: Session, body: Bytes) -> Result<&'static str> {
    for (name, value) in route::fields(&body).map_err(ErrorBadRequest)? {
        session.insert(name, value)?;
    }
    Ok(HELLO)
}

async fn tell(session: Session, body: Bytes) -> Result<String> {
    let mut told = Map::new();
    for name in route::names(&body).map_err(ErrorBadRequest)? {
        let value = session.get(&name)?.unwrap_or(Value::Null);
        told.insert(name, value);
    }
    Ok(Value::Object(told).to_string())
}
