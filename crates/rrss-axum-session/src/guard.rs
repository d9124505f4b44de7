//! What the framework's layer cannot do: refuse a request in an outage, and give up the id of an ended session.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum_session::Session;
use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::known::State;
use crate::pool::RrssPool;

/// The layer that stands right under axum_session's `SessionLayer`, nearer to the handlers.
///
/// axum_session begins an empty session under the browser's id where loading failed, and where there is none. This layer
/// answers the first with `503 Service Unavailable`, without calling the handler, and has the framework give the second
/// an id of its own. In axum the layer that is added last is the outermost: add this one first.
///
/// # Examples
///
/// ```
/// # async fn f(sessions: axum_session::SessionStore<rrss_axum_session::RrssPool>) {
/// let app: axum::Router = axum::Router::new()
///     .layer(rrss_axum_session::GuardLayer)
///     .layer(axum_session::SessionLayer::new(sessions));
/// # let _ = app;
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct GuardLayer;

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner }
    }
}

/// The service of a [`GuardLayer`].
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    R: Default + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(session) = request.extensions().get::<Session<RrssPool>>()
            && refuses(session)
        {
            return Box::pin(async {
                let mut response = Response::new(R::default());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                Ok(response)
            });
        }
        Box::pin(self.inner.call(request))
    }
}

fn refuses(session: &Session<RrssPool>) -> bool {
    let sessions = session.get_store();
    let Some(pool) = &sessions.client else {
        return false;
    };
    let id = session.get_session_id();
    match pool.known.of(&id) {
        Some(State::Absent) if session.data_exists() => {
            session.clear();
            session.renew();
            false
        }
        Some(State::Unsure | State::Refused) => {
            pool.remember(&id, State::Refused);
            // An error says that it is not in the framework's memory, which is what is wanted.
            let _ = sessions.force_memory_remove_session(id);
            true
        }
        _ => false,
    }
}
