//! An application on a free port of loopback, and browsers of it.

use std::sync::Arc;

use actix_session::config::{PersistentSession, TtlExtensionPolicy};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time::Duration};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};
use rrss::{ErrorKind, JsonCodec, KeyMapper, ManualClock, Memory, Store, Timestamp};
use rrss_actix_session::RrssStore;
use rrss_testkit::Faults;
use tokio::sync::Notify;

pub(crate) const TTL: Duration = Duration::hours(1);

/// A handler that has its session waits at the first until it is let on by the second.
#[derive(Clone, Default)]
pub(crate) struct Turnstile {
    pub(crate) there: Arc<Notify>,
    pub(crate) on: Arc<Notify>,
}

pub(crate) struct Running {
    pub(crate) store: Store,
    pub(crate) turnstile: Turnstile,
    url: String,
    handle: ServerHandle,
}

/// A store in memory that fails when told to, and whose time the test moves.
pub(crate) fn in_memory() -> (Store, Faults, ManualClock) {
    let faults = Faults::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .backend("memory", faults.before(Memory::default()))
        .clock(clock.clone())
        .build()
        .unwrap();
    (store, faults, clock)
}

impl Running {
    pub(crate) fn start(store: Store) -> Self {
        Self::start_with(RrssStore::new(store))
    }

    pub(crate) fn start_with(sessions: RrssStore) -> Self {
        let key = Key::from(&[7; 64]);
        let turnstile = Turnstile::default();
        let store = sessions.store().clone();
        let shared = turnstile.clone();
        let server = HttpServer::new(move || {
            let lifecycle = PersistentSession::default()
                .session_ttl(TTL)
                .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .wrap(
                    SessionMiddleware::builder(sessions.clone(), key.clone())
                        .cookie_secure(false)
                        .session_lifecycle(lifecycle)
                        .build(),
                )
                .route("/read", web::get().to(read))
                .route("/add/{item}", web::get().to(add))
                .route("/add-late/{item}", web::get().to(add_late))
                .route("/login", web::get().to(login))
                .route("/logout", web::get().to(logout))
                .route("/clear", web::get().to(clear))
        })
        .workers(2)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            store,
            turnstile,
            url,
            handle,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser {
            url: self.url.clone(),
            client: Client::builder().cookie_store(true).build().unwrap(),
        }
    }

    /// A request with just this cookie header, and a browser that keeps none.
    pub(crate) async fn with_cookie(&self, path: &str, cookie: &str) -> Answer {
        let request = Client::new().get(format!("{}{path}", self.url));
        Answer::of(request.header(COOKIE, cookie).send().await.unwrap()).await
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

#[derive(Clone)]
pub(crate) struct Browser {
    url: String,
    client: Client,
}

impl Browser {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.url);
        Answer::of(self.client.get(url).send().await.unwrap()).await
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    /// Name and value of the cookie that is set, as a browser sends them.
    pub(crate) cookie: Option<String>,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let cookie = response.headers().get(SET_COOKIE);
        let cookie = cookie.map(|cookie| cookie.to_str().unwrap());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        Self {
            status: response.status(),
            cookie: cookie.map(str::to_owned),
            body: response.text().await.unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn is(&self, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (StatusCode::OK, body));
    }

    #[track_caller]
    pub(crate) fn failed(&self) {
        assert_eq!(self.status, StatusCode::INTERNAL_SERVER_ERROR, "{self:?}");
        assert_eq!((self.body.as_str(), &self.cookie), ("", &None));
    }
}

/// What every request of an outage is answered with below.
pub(crate) const OUTAGE: ErrorKind = ErrorKind::Unavailable;

fn shown(session: &Session) -> String {
    let mut fields: Vec<String> = session
        .entries()
        .iter()
        .map(|(name, json)| format!("{name}={json}"))
        .collect();
    fields.sort();
    fields.join(" ")
}

async fn read(session: Session) -> String {
    shown(&session)
}

async fn add(session: Session, item: web::Path<String>) -> String {
    session.insert(item.as_str(), 1).unwrap();
    shown(&session)
}

async fn add_late(
    session: Session,
    item: web::Path<String>,
    turnstile: web::Data<Turnstile>,
) -> String {
    turnstile.there.notify_one();
    turnstile.on.notified().await;
    session.insert(item.as_str(), 1).unwrap();
    shown(&session)
}

async fn login(session: Session) -> String {
    session.insert("user", "ann").unwrap();
    session.renew();
    shown(&session)
}

async fn logout(session: Session) -> &'static str {
    session.purge();
    "bye"
}

async fn clear(session: Session) -> &'static str {
    session.clear();
    "cleared"
}
