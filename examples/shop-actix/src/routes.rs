//! The routes: what each does with the session.

use actix_session::config::PersistentSession;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time::Duration};
use actix_web::http::header;
use actix_web::web::{self, Data, Form, Html, Redirect, ServiceConfig};
use actix_web::{Either, HttpRequest, Result, error};
use rrss::Store;
use rrss_actix_session::RrssStore;
use serde::Deserialize;
use shop::{Cart, Device};

/// For the example alone: whoever has the key can make cookies.
const KEY: &[u8; 64] = b"a key of a real shop is random, and is not written into its code";

pub(crate) fn configure(app: &mut ServiceConfig, sessions: RrssStore) {
    let sessions = SessionMiddleware::builder(sessions, Key::from(KEY))
        .cookie_name("session".to_owned())
        // For development over plain http.
        .cookie_secure(false)
        .session_lifecycle(PersistentSession::default().session_ttl(Duration::days(7)))
        .build();
    app.route("/about", web::get().to(async || Html::new(shop::about())))
        .service(
            web::scope("")
                .wrap(sessions)
                .route("/", web::get().to(front))
                .route("/sign-in", web::post().to(sign_in))
                .route("/sign-out", web::post().to(sign_out))
                .route("/cart", web::post().to(buy))
                .route("/devices", web::get().to(devices))
                .route("/devices/end", web::post().to(end_device))
                .route("/devices/end-others", web::post().to(end_other_devices)),
        );
}

fn to(path: &'static str) -> Redirect {
    Redirect::to(path).see_other()
}

async fn front(session: Session) -> Result<Html> {
    let user = session.get::<String>("user")?;
    let cart = session.get::<Cart>("cart")?.unwrap_or_default();
    Ok(Html::new(shop::front(user.as_deref(), &cart)))
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
}

async fn sign_in(request: HttpRequest, session: Session, form: Form<SignIn>) -> Result<Redirect> {
    if let Some(user) = shop::customer(&form.user) {
        let browser = request.headers().get(header::USER_AGENT);
        let browser = browser.and_then(|browser| browser.to_str().ok());
        session.insert("user", &user)?;
        session.insert("device", shop::new_device(browser))?;
        // A new id at every change of rights: one that was planted before is worthless after.
        session.renew();
    }
    Ok(to("/"))
}

async fn sign_out(session: Session) -> Redirect {
    session.purge();
    to("/")
}

#[derive(Deserialize)]
struct Buy {
    good: String,
}

async fn buy(session: Session, form: Form<Buy>) -> Result<Redirect> {
    let mut cart = session.get::<Cart>("cart")?.unwrap_or_default();
    shop::add(&mut cart, &form.good);
    session.insert("cart", cart)?;
    Ok(to("/"))
}

/// Who is signed in, and on what; `None` where nobody is.
fn signed_in(session: &Session) -> Result<Option<(String, Device)>> {
    let user = session.get("user")?;
    Ok(user.zip(session.get("device")?))
}

async fn devices(store: Data<Store>, session: Session) -> Result<Either<Html, Redirect>> {
    let Some((user, this)) = signed_in(&session)? else {
        return Ok(Either::Right(to("/")));
    };
    let devices = shop::devices(&store, &user).await;
    let devices = devices.map_err(error::ErrorServiceUnavailable)?;
    Ok(Either::Left(Html::new(shop::your_devices(&devices, &this))))
}

#[derive(Deserialize)]
struct End {
    handle: String,
}

async fn end_device(store: Data<Store>, session: Session, form: Form<End>) -> Result<Redirect> {
    if let Some((user, _)) = signed_in(&session)? {
        let ended = shop::end_device(&store, &user, &form.handle).await;
        ended.map_err(error::ErrorServiceUnavailable)?;
    }
    Ok(to("/devices"))
}

async fn end_other_devices(store: Data<Store>, session: Session) -> Result<Redirect> {
    if let Some((user, this)) = signed_in(&session)? {
        let ended = shop::end_other_devices(&store, &user, &this).await;
        ended.map_err(error::ErrorServiceUnavailable)?;
    }
    Ok(to("/devices"))
}
