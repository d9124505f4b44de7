//! An application that is served on a port of its own, in this process.

use std::any::Any;
use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::peer::{Failed, Result};

/// It is served until it is dropped.
pub struct Served {
    pub name: &'static str,
    pub address: SocketAddr,
    _server: Box<dyn Any>,
}

impl Served {
    /// `server` ends it when dropped.
    pub fn new(name: &'static str, address: SocketAddr, server: impl Any) -> Self {
        Self {
            name,
            address,
            _server: Box::new(server),
        }
    }

    /// Serves an application of axum, on threads of its own as `#[tokio::main]` starts them.
    pub fn by_axum<F>(name: &'static str, app: F) -> Result<Self>
    where
        F: Future<Output = Result<Router>>,
    {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let (listener, app) = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            Ok::<_, Failed>((listener, app.await?))
        })?;
        let address = listener.local_addr()?;
        runtime.spawn(async move { axum::serve(listener, app).await });
        Ok(Self::new(name, address, runtime))
    }
}
