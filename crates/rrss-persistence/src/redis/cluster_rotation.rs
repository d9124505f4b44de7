//! A rotation on a Cluster, whose two keys are of two nodes.
//!
//! The new session waits under a key that is no session's (a [half](rotated::half)) until the old one is gone, and then
//! takes its place. So nobody ever sees both. A crash leaves the old session, or a half that ends by itself and that nobody
//! knows the id of.
//!
//! 1. The entries of the new session are put, and the half is stored.
//! 2. The old session is removed if it is what was loaded, and leaves a mark: from here on the rotation has happened.
//! 3. The half is renamed to the new key. Whoever ends all sessions of a value removes halves, too: then there is none, and the
//!    session is gone.

use std::time::Duration;

use redis::{Cmd, Value};
use rrss_core::{
    Action, Deadline, Error, Guard, Handle, KeySpace, NoteChange, Operation, Result, Written,
};

use super::commands::{self, Nonsense, Part, Request, millis};
use super::failure::{self, Doing};
use super::index::{Beside, Changes};
use super::link::Link;
use super::rotated;
use super::script::{Code, Script};

static WAIT: Code = Code::new(include_str!("wait.lua"));
static TAKE_OVER: Code = Code::new(include_str!("take_over.lua"));
static ARRIVE: Code = Code::new(include_str!("arrive.lua"));

/// How long a half waits: far longer than a rotation may take.
const WAITS: Duration = Duration::from_secs(60);

/// How often an answer that was lost is asked for again.
const ATTEMPTS: usize = 3;

pub(super) struct ClusterRotation<'a> {
    op: &'a Operation,
    old: &'a str,
    new: &'a str,
    half: String,
    mark: String,
}

impl<'a> ClusterRotation<'a> {
    /// `None` where no key can be made that is in the slot of the old or the new one.
    ///
    /// # Errors
    ///
    /// Where a step has not said what the rotation needs.
    pub(super) fn of(op: &'a Operation) -> Result<Option<Self>> {
        let (old, new) = (op.replaced()?.key()?.as_str(), op.key()?.as_str());
        let half = |space: &KeySpace| rotated::half(new, space).zip(rotated::mark(old, space));
        let companions = op.key_space.as_ref().and_then(half);
        Ok(companions.map(|(half, mark)| Self {
            op,
            old,
            new,
            half,
            mark,
        }))
    }

    /// `None` where one of the slots is moved to another node, which refuses commands of two keys: then nothing has happened.
    ///
    /// # Errors
    ///
    /// Why a node could not be asked.
    pub(super) async fn carry_out(self, link: &Link) -> Result<Option<Written>> {
        let arriving = self.arriving();
        let changes = Changes::of(&arriving)?;
        let before = changes.as_ref().map(Changes::before).unwrap_or_default();
        let before = match self.prepare(link, before).await {
            Ok(Some(before)) => before,
            Ok(None) => return Ok(Some(Written::Taken)),
            Err(error) if failure::is_moving(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (written, kept) = match self.take_over(link).await {
            Err(error) if failure::is_moving(&error) => {
                self.undo(link).await;
                return Ok(None);
            }
            taken_over => taken_over?,
        };
        if written != Written::Done {
            self.undo(link).await;
            self.settle(link, changes.as_ref(), written, &before, None)
                .await?;
            return Ok(Some(written));
        }
        let deadline = match self.op.deadline {
            Deadline::Keep => kept,
            Deadline::Never => -1,
            Deadline::At(instant) => millis(instant),
        };
        let written = self.arrive(link, deadline).await?;
        let kept = (self.op.deadline == Deadline::Keep).then_some(Value::Int(kept));
        self.settle(link, changes.as_ref(), written, &before, kept)
            .await?;
        self.forget_old(link).await?;
        Ok(Some(written))
    }

    /// What the rotation puts for the new session.
    fn arriving(&self) -> Operation {
        let mut arriving = self.on(Action::Update, self.new);
        arriving.deadline = self.op.deadline;
        arriving.index.clone_from(&self.op.index);
        arriving.index.removed.clear();
        arriving
    }

    fn on(&self, action: Action, key: &str) -> Operation {
        let mut op = Operation::new(action, self.op.now());
        op.key = Some(key.to_owned().into());
        op.key_space.clone_from(&self.op.key_space);
        op
    }

    /// Puts the entries and stores the half; the replies to `before`, or `None` where the new key is not free.
    async fn prepare(&self, link: &Link, before: Vec<Cmd>) -> Result<Option<Vec<Value>>> {
        let replies = match before.is_empty() {
            true => Vec::new(),
            false => {
                let request = Request::InOrder(vec![Part::Commands(before)]);
                let replies = link.read(Doing::Rotate, &request, |reply| match reply {
                    Value::Array(replies) => Ok(replies),
                    _ => Err(Nonsense),
                });
                replies.await?
            }
        };
        let keys = vec![self.half.as_bytes(), self.new.as_bytes()];
        let mut script = Script::new(&WAIT, keys);
        script.arg(&self.op.bytes()?[..]);
        script.text(WAITS.as_millis().to_string());
        let is_free = link
            .read(
                Doing::Rotate,
                &Request::Script(script),
                |reply| match reply {
                    Value::Int(1) => Ok(true),
                    Value::Int(0) => Ok(false),
                    _ => Err(Nonsense),
                },
            )
            .await?;
        Ok(is_free.then_some(replies))
    }

    /// Removes the old session; what became of that, and the deadline that it had.
    async fn take_over(&self, link: &Link) -> Result<(Written, i64)> {
        let replaced = self.op.replaced()?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let mut script =
                Script::new(&TAKE_OVER, vec![self.old.as_bytes(), self.mark.as_bytes()]);
            match &self.op.guard {
                Guard::Unchanged(loaded) => {
                    script.text("unchanged");
                    script.arg(loaded.as_bytes());
                }
                _ => {
                    script.text("exists");
                    script.text("");
                }
            }
            script.text(self.name());
            // It also tells an answer that was lost from a session that somebody else has ended.
            let known_for = replaced.known_for.max(WAITS.min(Duration::from_secs(10)));
            script.text(known_for.as_millis().min(1 << 53).to_string());
            let request = Request::Script(script);
            match link.read(Doing::Rotate, &request, taken_over).await {
                Err(error) if error.may_have_happened() => last = Some(error),
                answer => return answer,
            }
        }
        Err(last.unwrap_or_else(|| failure::nonsense(Doing::Rotate, link)))
    }

    /// By what the mark names the new session, without its id.
    fn name(&self) -> String {
        let id = self.op.id();
        id.map_or_else(String::new, |id| Handle::of(id).to_string())
    }

    /// Puts the half in its place.
    async fn arrive(&self, link: &Link, deadline: i64) -> Result<Written> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let keys = vec![self.half.as_bytes(), self.new.as_bytes()];
            let mut script = Script::new(&ARRIVE, keys);
            script.text(deadline.to_string());
            let request = Request::Script(script);
            let arrived = link.read(Doing::Rotate, &request, |reply| match reply {
                Value::Int(1) => Ok(Written::Done),
                Value::Int(0) => Ok(Written::Gone),
                _ => Err(Nonsense),
            });
            match arrived.await {
                Err(error) if failure::is_moving(&error) => {
                    return self.arrive_alone(link, deadline).await;
                }
                // The old session is gone by now, so anything else would lose the session.
                Err(error) if error.is_temporary() => last = Some(error.in_doubt()),
                answer => return answer,
            }
        }
        Err(last.unwrap_or_else(|| failure::nonsense(Doing::Rotate, link)))
    }

    /// The same by commands of one key each, while their slot is moved: whoever ends the session meanwhile ends the half.
    async fn arrive_alone(&self, link: &Link, deadline: i64) -> Result<Written> {
        let mut set = Cmd::new();
        set.arg("SET").arg(self.new).arg(&self.op.bytes()?[..]);
        if deadline >= 0 {
            set.arg("PXAT").arg(deadline);
        }
        let set = Request::from(set);
        link.read(Doing::Rotate, &set, |reply| commands::was_set(&reply))
            .await
            .map_err(Error::in_doubt)?;
        let half = Request::from(commands::unlink(&self.half));
        let new = Request::from(commands::unlink(self.new));
        let found = |reply: Value| commands::found(std::slice::from_ref(&reply));
        let waited = link.read(Doing::Rotate, &half, found);
        if waited.await.map_err(Error::in_doubt)? {
            return Ok(Written::Done);
        }
        let ended = link.read(Doing::Rotate, &new, found);
        ended.await.map_err(Error::in_doubt)?;
        Ok(Written::Gone)
    }

    /// Sets entries and event of the new session right, now that it is known what became of it.
    async fn settle(
        &self,
        link: &Link,
        changes: Option<&Changes<'_>>,
        written: Written,
        before: &[Value],
        kept: Option<Value>,
    ) -> Result<()> {
        let Some(changes) = changes else {
            return Ok(());
        };
        // What was refused has put entries of a session that is not there.
        let written = match written {
            Written::Done => Written::Done,
            _ => Written::Gone,
        };
        let after: Vec<Value> = changes
            .after()
            .iter()
            .map(|_| kept.clone().unwrap_or(Value::Int(-2)))
            .collect();
        let after = &after[..];
        let left = changes
            .settle(written, &Beside { before, after })
            .map_err(|Nonsense| failure::nonsense(Doing::Rotate, link))?;
        tidy(link, left).await;
        let refused = changes
            .refused(before)
            .map_err(|Nonsense| failure::nonsense(Doing::Rotate, link))?;
        if written != Written::Done
            && let Some(refused) = refused
        {
            tidy(link, vec![refused.without_session()]).await;
        }
        Ok(())
    }

    /// Removes the entries and the event of the old session.
    async fn forget_old(&self, link: &Link) -> Result<()> {
        let mut old = self.on(Action::Delete, self.old);
        old.index.removed.clone_from(&self.op.index.removed);
        if self.op.index.note != NoteChange::Leave {
            old.index.note = NoteChange::Remove;
        }
        if let Some(changes) = Changes::of(&old)? {
            tidy(link, vec![Part::Commands(changes.forget(Some(true)))]).await;
        }
        Ok(())
    }

    async fn undo(&self, link: &Link) {
        tidy(
            link,
            vec![Part::Commands(vec![commands::unlink(&self.half)])],
        )
        .await;
    }
}

/// Where this fails, something that is stale stays for a while.
async fn tidy(link: &Link, parts: Vec<Part<'_>>) {
    if parts.is_empty() {
        return;
    }
    if let Err(error) = link.ask(Doing::Tidy, &Request::InOrder(parts)).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "a rotation left entries that are stale");
    }
}

fn taken_over(reply: Value) -> Result<(Written, i64), Nonsense> {
    let Value::Array(parts) = reply else {
        return Err(Nonsense);
    };
    let [Value::Int(what), Value::Int(deadline)] = parts[..] else {
        return Err(Nonsense);
    };
    match what {
        1 => Ok((Written::Done, deadline)),
        0 => Ok((Written::Gone, deadline)),
        -1 => Ok((Written::Changed, deadline)),
        _ => Err(Nonsense),
    }
}
