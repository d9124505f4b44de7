//! Browsers: connections that stay open, and on each one request after the other, with the cookie of one session or
//! another.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{COOKIE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::CONNECTIONS;
use super::route::Route;
use crate::measure::Batch;
use crate::peer::Result;

/// A connection that stays open.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // What goes wrong is told by the request that meets it.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver })
    }

    pub async fn get(&mut self, path: &str, cookie: &HeaderValue) -> Result<Bytes> {
        let request = Request::get(path)
            .header(HOST, "localhost")
            .header(COOKIE, cookie);
        let response = self.send(request.body(Full::default())?).await?;
        Ok(response.into_body())
    }

    pub async fn post(
        &mut self,
        path: &str,
        cookie: Option<&HeaderValue>,
        body: String,
    ) -> Result<Response<Bytes>> {
        let mut request = Request::post(path).header(HOST, "localhost");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        self.send(request.body(Full::from(body))?).await
    }

    /// The whole answer, if it is a good one.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.status == StatusCode::OK {
            Ok(Response::from_parts(head, body))
        } else {
            Err(format!("the answer is {}", head.status).into())
        }
    }

    /// Closes it, and waits until it is closed.
    pub async fn close(self) {
        drop(self.sender);
        drop(self.driver.await);
    }
}

/// All browsers of one application on one route. Their connections are opened before a turn and closed after it.
pub struct Visitors {
    runtime: Rc<Runtime>,
    address: SocketAddr,
    route: Route,
    visitors: Vec<Visitor>,
    latencies: Vec<u32>,
    /// How many requests were answered.
    answered: Rc<Cell<u64>>,
}

struct Visitor {
    connection: Option<Connection>,
    /// Those of its own sessions.
    cookies: Vec<HeaderValue>,
    next: usize,
}

impl Visitors {
    pub fn new(
        runtime: &Rc<Runtime>,
        address: SocketAddr,
        route: Route,
        cookies: &[HeaderValue],
    ) -> Self {
        let share = |number: usize| {
            let from = cookies.len() * number / CONNECTIONS;
            let to = cookies.len() * (number + 1) / CONNECTIONS;
            Visitor {
                connection: None,
                cookies: cookies[from..to].to_vec(),
                next: 0,
            }
        };
        Self {
            runtime: Rc::clone(runtime),
            address,
            route,
            visitors: (0..CONNECTIONS).map(share).collect(),
            latencies: Vec::new(),
            answered: Rc::default(),
        }
    }

    /// The same, with what they got counted there too.
    pub fn counted_in(mut self, answered: &Rc<Cell<u64>>) -> Self {
        self.answered = Rc::clone(answered);
        self
    }
}

impl Batch for Visitors {
    fn prepare(&mut self, _: u64) {
        self.runtime.block_on(async {
            for visitor in &mut self.visitors {
                let opened = visitor.open(self.address).await;
                visitor.connection = Some(opened.expect("the application is well"));
            }
        });
    }

    fn run(&mut self, operations: u64) {
        let (all, route) = (self.visitors.len() as u64, self.route);
        let running: Vec<_> = (0..all)
            .zip(self.visitors.drain(..))
            .map(|(number, visitor)| {
                let requests = operations / all + u64::from(number < operations % all);
                self.runtime.spawn(visitor.ask(route, requests as usize))
            })
            .collect();
        for task in running {
            let done = self.runtime.block_on(task);
            let done = done.expect("a task does not panic");
            let (visitor, latencies) = done.expect("the application is well");
            self.visitors.push(visitor);
            self.latencies.extend(latencies);
        }
        self.answered.set(self.answered.get() + operations);
    }

    fn take_latencies(&mut self) -> Vec<u32> {
        let connections = self.visitors.iter_mut();
        let connections = connections.filter_map(|visitor| visitor.connection.take());
        self.runtime.block_on(async {
            for connection in connections {
                connection.close().await;
            }
        });
        std::mem::take(&mut self.latencies)
    }
}

impl Visitor {
    /// A connection that was answered on once: the first answer is late, wherever a server begins its work.
    async fn open(&self, address: SocketAddr) -> Result<Connection> {
        let mut connection = Connection::open(address).await?;
        let cookie = &self.cookies[self.next];
        connection.get(Route::Still.path(), cookie).await?;
        Ok(connection)
    }

    async fn ask(mut self, route: Route, requests: usize) -> Result<(Self, Vec<u32>)> {
        let connection = self.connection.as_mut();
        let connection = connection.ok_or("no turn has been prepared")?;
        let mut latencies = Vec::with_capacity(requests);
        for _ in 0..requests {
            self.next = (self.next + 1) % self.cookies.len();
            let began = Instant::now();
            let answer = connection.get(route.path(), &self.cookies[self.next]).await;
            std::hint::black_box(answer?);
            latencies.push(u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX));
        }
        Ok((self, latencies))
    }
}
