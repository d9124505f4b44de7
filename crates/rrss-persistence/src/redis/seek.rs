//! Finding out where something is from whichever server knows it first.

use std::borrow::Cow;
use std::time::Duration;

use rrss_core::{Error, Result};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Server;
use super::failed::Failed;
use super::failure::{self, Doing};

/// Why nobody could tell.
#[derive(Clone)]
pub(super) enum Lost {
    /// This server could not be asked.
    Failed(Server, Failed),
    /// This server answered, and it is of no use.
    Told(Server, Cow<'static, str>),
}

impl Lost {
    pub(super) fn into_error(self, doing: Doing) -> Error {
        match self {
            Self::Failed(server, failed) => failed.into_error(doing, &server),
            Self::Told(server, why) => failure::told(doing, server.address(), &why),
        }
    }

    /// Whether a server said this itself: that says more than that another one is gone.
    fn is_told(&self) -> bool {
        match self {
            Self::Failed(_, failed) => failed.refusal().is_some(),
            Self::Told(..) => true,
        }
    }
}

/// How long one is waited for before the next is asked as well.
const HEAD_START: Duration = Duration::from_millis(100);

/// The first success among `attempts`. The next one begins when one has failed, or has not answered for a while; so a
/// server that hangs costs little, and one that works is the only one asked.
pub(super) async fn first_of<T, F>(attempts: impl IntoIterator<Item = F>) -> Result<T, Option<Lost>>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Lost>> + Send + 'static,
{
    let mut waiting = attempts.into_iter();
    let mut running = JoinSet::new();
    let mut why = None::<Lost>;
    loop {
        let is_last = match waiting.next() {
            Some(next) => {
                running.spawn(next);
                false
            }
            None => true,
        };
        let ended = match is_last {
            true => running.join_next().await,
            false => match timeout(HEAD_START, running.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Some(Ok(Ok(found))) => return Ok(found),
            Some(Ok(Err(lost))) if why.as_ref().is_some_and(Lost::is_told) => drop(lost),
            Some(Ok(Err(lost))) => why = Some(lost),
            Some(Err(_)) => {}
            None => return Err(why),
        }
    }
}
