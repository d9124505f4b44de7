//! The shop in actix-web, with actix-session.

mod routes;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::{App, HttpServer};
use rrss_actix_session::RrssStore;

#[actix_web::main]
async fn main() -> ExitCode {
    shop::run(serve()).await
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let store = shop::store()?;
    let sessions = RrssStore::new(store.clone());
    let data = actix_web::web::Data::new(store.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .configure(|app| routes::configure(app, sessions.clone()))
    })
    // It stops by itself on Ctrl-C and on SIGTERM.
    .workers(2)
    .bind(shop::address()?)?;
    for address in server.addrs() {
        writeln!(std::io::stdout(), "open http://{address}")?;
    }
    server.run().await?;
    store.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}
