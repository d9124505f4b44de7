//! One request to a cluster, sent on to where its key is.

use std::time::Duration;

use redis::{Cmd, RedisError, Value};
use rrss_core::Result;
use tokio::time::{Instant, sleep, timeout_at};

use super::address::Address;
use super::cluster::Cluster;
use super::commands::Request;
use super::failed::Failed;
use super::failure::Doing;
use super::gathering::Gathering;
use super::give_up;
use super::live::Asking;
use super::seek::{Lost, first_of};

/// How often a request is sent on. A key that is looked for at more nodes than this is being moved in circles.
const MOST_HOPS: u32 = 16;

/// How much longer is waited before each of them, but for the first two: those are the way of every migration.
const PAUSE: Duration = Duration::from_millis(5);

impl Cluster {
    /// Sends `request` to the node that serves `slot`, and on to where that says that the key is.
    ///
    /// What a node redirects or refuses it has not done, so that is sent again. So is what was never sent, since there
    /// was no connection, and what only reads. A write whose connection broke is not: it may have happened.
    pub(super) async fn ask(
        &self,
        doing: Doing,
        slot: u16,
        request: &Request<'_>,
        until: Instant,
    ) -> Result<Value> {
        let mut server = self.owner(doing, slot, until).await?;
        let mut asking = Asking::No;
        let mut gathering = Gathering::of(request);
        let (mut hops, mut has_sought, mut may_repeat) = (0, false, doing.only_reads());
        loop {
            let left = gathering.left().unwrap_or(request);
            let refusal = match server.attempt(left, asking, until).await {
                Ok(reply) => match gathering.take(request, reply) {
                    Ok(whole) => {
                        if give_up::find(&whole, give_up::is_asked_by).is_some() {
                            self.seek_aside();
                        }
                        return Ok(whole);
                    }
                    Err(refusal) => refusal,
                },
                Err(Failed::Refused(refusal)) => refusal,
                Err(failed) => {
                    let may_go_on = match &failed {
                        Failed::Unreachable(_) | Failed::ConnectTimeout => !has_sought,
                        Failed::Interrupted(error) => may_repeat && error.is_io_error(),
                        Failed::AnswerTimeout | Failed::Refused(_) => false,
                    };
                    if may_go_on
                        && let Some(other) = self.other_owner(slot, &failed, &server, until).await
                    {
                        may_repeat &= !failed.was_sent();
                        has_sought = true;
                        (server, asking) = (other, Asking::No);
                        continue;
                    }
                    self.seek_aside();
                    return Err(failed.into_error(doing, &server));
                }
            };
            let Some(redirection) = Redirection::of(&refusal, server.address()) else {
                if give_up::is_asked_by(&refusal) {
                    self.seek_aside();
                }
                return Err(Failed::Refused(refusal).into_error(doing, &server));
            };
            if hops == MOST_HOPS {
                return Err(Failed::Refused(refusal).into_error(doing, &server));
            }
            let pause = PAUSE * hops.saturating_sub(1);
            hops += 1;
            let wakes = (Instant::now() + pause).min(until);
            sleep(wakes.saturating_duration_since(Instant::now())).await;
            match redirection {
                Redirection::Moved(address) => {
                    server = self.server(&address);
                    asking = Asking::No;
                    self.learn(slot, &server);
                    self.seek_aside();
                }
                Redirection::Ask(address) => {
                    server = self.server(&address);
                    asking = Asking::Yes;
                }
                Redirection::Wait => {}
            }
        }
    }

    /// Sends `request`, which has no key, to any node that answers.
    pub(super) async fn ask_any(
        &self,
        doing: Doing,
        command: &Cmd,
        until: Instant,
    ) -> Result<Value> {
        let attempts = self.candidates().into_iter().map(|server| {
            let request = Request::One(command.clone());
            async move {
                let reply = server.attempt(&request, Asking::No, until).await;
                reply.map_err(|failed| Lost::Failed(server, failed))
            }
        });
        let answer = timeout_at(until, first_of(attempts)).await;
        match answer {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(Some(lost))) => Err(lost.into_error(doing)),
            Ok(Err(None)) | Err(_) => Err(self.nobody_in_time(doing)),
        }
    }
}

/// Where else a request is to go.
enum Redirection {
    /// The slot has another master.
    Moved(Address),
    /// The slot is being moved, and this key is not here any more.
    Ask(Address),
    /// The slot is being moved, and some keys are here and some are not.
    Wait,
}

impl Redirection {
    /// What a node at `here` means by `refusal`, if it is a redirection.
    fn of(refusal: &RedisError, here: &Address) -> Option<Self> {
        let address = || here.named_here(refusal.redirect_node()?.0);
        match refusal.code()? {
            "MOVED" => address().map(Self::Moved),
            "ASK" => address().map(Self::Ask),
            "TRYAGAIN" => Some(Self::Wait),
            _ => None,
        }
    }
}

/// Whether `refusal` sends a command elsewhere.
pub(super) fn redirects(refusal: &RedisError) -> bool {
    matches!(refusal.code(), Some("MOVED" | "ASK" | "TRYAGAIN"))
}
