//! How a shop runs: where it keeps its sessions, where it listens, how it ends.

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use rrss::Store;

/// Logs to the terminal, serves, and says why where that fails.
pub async fn run(serve: impl Future<Output = Result<(), Box<dyn Error>>>) -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
    match serve.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A report of a configuration has lines of its own: it is printed as it is.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// The store that the file in `RRSS_CONFIG` describes, or `rrss.toml` beside this crate.
///
/// # Errors
///
/// The report of what is wrong with the file.
pub fn store() -> rrss::Result<Store> {
    let file = env::var_os("RRSS_CONFIG").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/rrss.toml").into(),
        PathBuf::from,
    );
    Store::from_file(file)
}

/// Where to listen: `SHOP_ADDRESS`, or port 3000 of this machine alone.
///
/// # Errors
///
/// Where `SHOP_ADDRESS` is no address.
pub fn address() -> Result<SocketAddr, String> {
    let text = env::var("SHOP_ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    text.parse()
        .map_err(|_| format!("SHOP_ADDRESS is `{text}`; write an address such as 127.0.0.1:3000"))
}

/// Waits until the process is asked to end: by Ctrl-C or by `SIGTERM`.
pub async fn asked_to_stop() {
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
