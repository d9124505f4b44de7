//! A small shop front: visits, sign in, sign out, a cart. Its sessions are kept by the store that `rrss.toml`
//! beside this crate describes, or the file that `RRSS_CONFIG` names.

mod page;
mod shop;

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rrss::Store;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A report of a configuration has lines of its own: it is printed as it is.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::from_file(config())?;
    let address = env::var("COUNTER_ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    writeln!(std::io::stdout(), "open http://{}", listener.local_addr()?)?;

    axum::serve(listener, shop::router(store.clone()))
        .with_graceful_shutdown(asked_to_stop())
        .await?;
    store.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

fn config() -> PathBuf {
    env::var_os("RRSS_CONFIG").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/rrss.toml").into(),
        Into::into,
    )
}

async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}
