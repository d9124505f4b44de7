//! The shop in pavex, with pavex_session.

mod routes;
mod server;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use pavex::server::{IncomingStream, Server, ShutdownMode};

#[tokio::main]
async fn main() -> ExitCode {
    shop::run(serve()).await
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let timeout = Duration::from_secs(5);
    let store = shop::store()?;
    let incoming = IncomingStream::bind(shop::address()?).await?;
    writeln!(std::io::stdout(), "open http://{}", incoming.local_addr()?)?;
    let server = Server::new()
        .listen(incoming)
        .serve(server::answer, server::singletons(store.clone()));
    shop::asked_to_stop().await;
    server.shutdown(ShutdownMode::Graceful { timeout }).await;
    store.shutdown(timeout).await?;
    Ok(())
}
