//! What is sent over one connection, and in which form: a command, several, or what depends on the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::time::Instant;

use super::brake::CALM;
use super::commands::{Part, Request};
use super::compare::{CompareAndSet, Way};
use super::script::Script;
use super::tracking::Tracking;

/// A connection, shared by all operations that are under way.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    pub(super) tracking: Arc<Tracking>,
    opened: Instant,
    /// When something was last sent, in milliseconds since it was opened.
    used: Arc<AtomicU64>,
}

/// A connection over which nothing was sent for so long is looked at before it is used.
const IDLE: Duration = Duration::from_millis(100);

/// Whether a node of a cluster is asked for a key that is on its way to it. The word holds for one command, so it
/// travels together with that command; sent apart, another operation's command could come in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    No,
    Yes,
}

impl Live {
    pub(super) fn new(connection: MultiplexedConnection, tracking: Arc<Tracking>) -> Self {
        Self {
            connection,
            tracking,
            opened: Instant::now(),
            used: Arc::default(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.tracking.is_up()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tracking, &other.tracking)
    }

    /// Whether it was opened a moment ago.
    pub(super) fn is_young(&self) -> bool {
        self.opened.elapsed() < CALM
    }

    /// Whether nothing was sent for a while. It counts as used `now`.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.opened).as_millis();
        let age = u64::try_from(age).unwrap_or(u64::MAX);
        let before = self.used.swap(age, Ordering::Relaxed);
        Duration::from_millis(age.saturating_sub(before)) >= IDLE
    }

    pub(super) async fn send(
        &mut self,
        request: &Request<'_>,
        asking: Asking,
        has_ifeq: &AtomicBool,
    ) -> RedisResult<Value> {
        match request {
            Request::One(command) => self.one(command, asking).await,
            Request::CompareAndSet(write) => self.compare_and_set(write, asking, has_ifeq).await,
            Request::Script(script) => self.script(script, asking).await,
            Request::Several(commands) => self.replies(commands, asking).await.map(Value::Array),
            Request::Watched(commands, watch) => {
                let tracking = Arc::clone(&self.tracking);
                tracking.begin(watch, &mut self.connection).await?;
                self.replies(commands, asking).await.map(Value::Array)
            }
            Request::InOrder(parts) => self.in_order(parts, asking, has_ifeq).await,
        }
    }

    async fn one(&mut self, command: &Cmd, asking: Asking) -> RedisResult<Value> {
        let reply = match asking {
            Asking::No => self.connection.send_packed_command(command).await?,
            Asking::Yes => {
                let mut both = Pipeline::with_capacity(2);
                both.cmd("ASKING").add_command(command.clone());
                let sent = self.connection.send_packed_commands(&both, 1, 1);
                sent.await?.pop().unwrap_or(Value::Nil)
            }
        };
        reply.extract_error()
    }

    async fn replies(&mut self, commands: &Pipeline, asking: Asking) -> RedisResult<Vec<Value>> {
        Ok(match asking {
            Asking::No => {
                let sent = self
                    .connection
                    .send_packed_commands(commands, 0, commands.len());
                sent.await?
            }
            Asking::Yes => {
                let mut all = Pipeline::with_capacity(2 * commands.len());
                for command in commands.cmd_iter() {
                    all.cmd("ASKING").add_command(command.clone());
                }
                let sent = self.connection.send_packed_commands(&all, 0, all.len());
                sent.await?.into_iter().skip(1).step_by(2).collect()
            }
        })
    }

    /// By its hash, or whole where the server does not know it; it has not run then.
    async fn script(&mut self, script: &Script<'_>, asking: Asking) -> RedisResult<Value> {
        match self.one(&script.by_hash(), asking).await {
            Err(refusal) if Script::is_unknown(&refusal) => self.one(&script.whole(), asking).await,
            reply => reply,
        }
    }

    /// By `IFEQ` where the server has it, else by the script. What a server refuses as unknown it has not done, so
    /// the next way is tried at once; later writes take the way that worked.
    async fn compare_and_set(
        &mut self,
        write: &CompareAndSet<'_>,
        asking: Asking,
        has_ifeq: &AtomicBool,
    ) -> RedisResult<Value> {
        let mut way = write.first_way(has_ifeq.load(Ordering::Relaxed));
        loop {
            let reply = self.one(&write.command(way), asking).await;
            match reply.as_ref().err().and_then(|error| way.instead(error)) {
                Some(next) => way = changed(way, next, has_ifeq),
                None => return reply,
            }
        }
    }

    /// All parts at once. Where the server does not know the way to compare and set, it has done the parts before it; it
    /// is sent again in another way, and with it what is behind it, which does no harm twice.
    async fn in_order(
        &mut self,
        parts: &[Part<'_>],
        asking: Asking,
        has_ifeq: &AtomicBool,
    ) -> RedisResult<Value> {
        let (mut parts, mut way, mut replies) = (parts, None, Vec::new());
        loop {
            let mut pipeline = Pipeline::new();
            let mut compares = None;
            for (place, part) in parts.iter().enumerate() {
                match part {
                    Part::Commands(commands) => {
                        for command in commands {
                            pipeline.add_command(command.clone());
                        }
                    }
                    Part::CompareAndSet(write) => {
                        let first = || write.first_way(has_ifeq.load(Ordering::Relaxed));
                        let way = way.take().unwrap_or_else(first);
                        compares = Some((pipeline.len(), place, way));
                        pipeline.add_command(write.command(way));
                    }
                }
            }
            let mut answers = self
                .replies(&pipeline, asking)
                .await?
                .into_iter()
                .map(Value::extract_error);
            if let Some((before, place, tried)) = compares {
                for answer in answers.by_ref().take(before) {
                    replies.push(answer?);
                }
                match answers.next() {
                    Some(Err(error)) => match tried.instead(&error) {
                        Some(next) => {
                            way = Some(changed(tried, next, has_ifeq));
                            parts = &parts[place..];
                            continue;
                        }
                        None => return Err(error),
                    },
                    Some(Ok(reply)) => replies.push(reply),
                    None => {}
                }
            }
            for answer in answers {
                replies.push(answer?);
            }
            return Ok(Value::Array(replies));
        }
    }
}

/// The replies of several commands, or the first error among them.
pub(super) fn without_errors(reply: Value) -> RedisResult<Value> {
    match reply {
        Value::Array(replies) => {
            let replies: RedisResult<_> = replies.into_iter().map(Value::extract_error).collect();
            replies.map(Value::Array)
        }
        reply => Ok(reply),
    }
}

/// The way to try now; that the server has no `IFEQ` is remembered.
fn changed(tried: Way, next: Way, has_ifeq: &AtomicBool) -> Way {
    if tried == Way::Native {
        has_ifeq.store(false, Ordering::Relaxed);
    }
    next
}
