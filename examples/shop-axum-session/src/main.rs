//! The shop in axum, with axum_session.

mod routes;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    shop::run(serve()).await
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let store = shop::store()?;
    let listener = TcpListener::bind(shop::address()?).await?;
    writeln!(std::io::stdout(), "open http://{}", listener.local_addr()?)?;
    axum::serve(listener, routes::router(store.clone()).await?)
        .with_graceful_shutdown(shop::asked_to_stop())
        .await?;
    store.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}
