//! The step: a deadline on every operation that gives a session its time anew.

use std::time::Duration;

use rrss_core::{
    Action, Answer, BuildContext, Deadline, Operation, Outcome, Result, Role, Session, Shape, Step,
    Timestamp, Transform,
};

use crate::jitter;
use crate::options::Options;
use crate::renew::Renew;

/// Gives sessions a deadline, after which they are never returned again.
#[derive(Debug, Clone)]
pub struct Expiry {
    options: Options,
}

impl Expiry {
    /// The step with these options.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where a duration is zero, or two options do not go together;
    /// the error names the option.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Self { options })
    }

    /// Where the time of a session ends that is written or used now.
    fn slid(&self, op: &Operation) -> Timestamp {
        let early = match (self.options.jitter, &op.key) {
            (Some(jitter), Some(key)) => jitter::share(key, jitter.get()),
            _ => Duration::ZERO,
        };
        op.now() + self.options.duration.get().saturating_sub(early)
    }

    /// Where the whole life of a session ends, whatever is done with it.
    fn end(&self, session: &Session) -> Option<Timestamp> {
        Some(session.created_at()? + self.options.absolute?.get())
    }

    /// The instant that no deadline of the session may pass.
    fn last(&self, session: &Session) -> Option<Timestamp> {
        let end = self.end(session);
        session
            .own_deadline()
            .map_or(end, |own| Some(earlier(own, end)))
    }

    /// Where a load is to move the deadline, which is now at `stored`; `None` where it is near enough.
    fn renewal(
        &self,
        op: &Operation,
        session: &Session,
        stored: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let own = session.own_deadline();
        let target = earlier(own.unwrap_or_else(|| self.slid(op)), self.end(session));
        let after = self.options.renewed_after();
        let is_due = stored.is_none_or(|stored| {
            target.since(stored) >= after
                || (stored.since(target) >= after && !is_from_the_future(session, op.now()))
        });
        is_due.then_some(target)
    }
}

impl Step for Expiry {
    const TYPE: &'static str = "expiry";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"expiry\"
duration = \"7d\"
resolution = \"10m\"
renew = \"write\"         # \"load\": reading a session renews it too,
# renew_after = \"16h\"   #   once its deadline has fallen behind by this
# absolute = \"30d\"      # the longest life in all, however much it is used
# jitter = \"10m\"        # lets sessions end up to this much earlier, not all at once
";

    type Options = Options;

    fn shape(options: &Options) -> Shape {
        let reads_sessions = options.renew == Renew::Load || options.absolute.is_some();
        let shape = if reads_sessions {
            Shape::on_session()
        } else {
            Shape::anywhere()
        };
        let shape = if options.jitter.is_some() {
            shape.needs_key()
        } else {
            shape
        };
        shape.sets_deadline().once()
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(options)?))
    }
}

impl Transform for Expiry {
    fn before(&self, op: &mut Operation) -> Result<()> {
        match op.action() {
            Action::Load => op.wants_deadline |= self.options.renew.renews(&Action::Load),
            Action::Create | Action::Update | Action::Rotate | Action::Touch => {
                if self.options.absolute.is_some() && op.is_write() {
                    note_creation(op);
                }
                let asked = match op.deadline {
                    Deadline::Keep => {
                        let own = op.session().and_then(Session::own_deadline);
                        Some(own.unwrap_or_else(|| self.slid(op)))
                    }
                    Deadline::Never => None,
                    Deadline::At(deadline) => Some(deadline),
                };
                let last = op.session().and_then(|session| self.last(session));
                op.deadline = match asked {
                    Some(asked) => Deadline::At(earlier(asked, last)),
                    None => last.map_or(Deadline::Never, Deadline::At),
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        if *op.action() != Action::Load || answer.outcome != Outcome::Found {
            return Ok(());
        }
        let Some(session) = answer.session() else {
            return Ok(());
        };
        if self.last(session).is_some_and(|last| last <= op.now()) {
            *answer = Answer::new(Outcome::Missing);
        } else if self.options.renew == Renew::Load {
            answer.renew = self.renewal(op, session, answer.expires_at);
        }
        Ok(())
    }

    fn wants_session(&self, op: &Operation) -> bool {
        *op.action() == Action::Touch
            && op.session().is_none()
            && (op.deadline == Deadline::Keep || self.options.absolute.is_some())
    }

    fn sweep_every(&self) -> Option<Duration> {
        Some(self.options.resolution.get())
    }
}

fn earlier(deadline: Timestamp, end: Option<Timestamp>) -> Timestamp {
    end.map_or(deadline, |end| deadline.min(end))
}

/// Whether the clock was set back since the session was written: what it says then ends no session early.
fn is_from_the_future(session: &Session, now: Timestamp) -> bool {
    session.created_at().max(session.written_at()) > Some(now)
}

/// The life of a session whose creation nobody has noted is counted from the first time that it is written here.
fn note_creation(op: &mut Operation) {
    let now = op.now();
    if let Some(session) = op.session_mut()
        && session.created_at().is_none()
    {
        let noted = std::mem::take(session).with_created_at(Some(now));
        *session = noted;
    }
}

rrss_core::register!(Expiry);
