//! The step: nothing on the way to the backend, the sessions of another store on the way back.

use rrss_core::{
    Answer, BuildContext, Operation, Outcome, Payload, Result, Role, Session, Shape, Step,
    Transform,
};

use crate::options::{Format, Options};
use crate::{actix_session, tower_sessions};

/// Reads sessions that another store wrote.
#[derive(Debug, Clone)]
pub struct LegacyRead {
    format: Format,
}

impl LegacyRead {
    /// The step with these options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            format: options.format,
        }
    }
}

impl Step for LegacyRead {
    const TYPE: &'static str = "legacy-read";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"legacy-read\"
format = \"tower-sessions\"
";

    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::on_bytes().once()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(&options)))
    }
}

impl Transform for LegacyRead {
    fn before(&self, _: &mut Operation) -> Result<()> {
        Ok(())
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        let Payload::Bytes(bytes) = &answer.payload else {
            return Ok(());
        };
        if answer.outcome != Outcome::Found {
            return Ok(());
        }
        let session = match self.format {
            Format::TowerSessions => tower_sessions::read(bytes)?,
            Format::ActixSession => actix_session::read(bytes),
        };
        let Some(session) = session else {
            return Ok(());
        };
        if has_ended(&session, op) {
            *answer = Answer::new(Outcome::Missing);
        } else {
            answer.payload = Payload::Session(session);
        }
        Ok(())
    }
}

/// The other store may have kept the deadline in the record alone.
fn has_ended(session: &Session, op: &Operation) -> bool {
    session
        .own_deadline()
        .is_some_and(|deadline| deadline <= op.now())
}

rrss_core::register!(LegacyRead);
