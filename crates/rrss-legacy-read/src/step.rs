//! The step: nothing on the way to the backend, the sessions of another store on the way back.

use rrss_core::{
    Answer, BuildContext, Error, ErrorKind, Operation, Outcome, Payload, Result, Role, Session,
    Shape, Step, Transform,
};

use crate::options::{Format, Options};
use crate::{actix_session, tower_sessions};

/// Reads sessions that another store wrote.
#[derive(Debug, Clone)]
pub struct LegacyRead {
    options: Options,
}

impl LegacyRead {
    /// The step with these options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
        }
    }
}

impl Step for LegacyRead {
    const TYPE: &'static str = "legacy-read";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"legacy-read\"
format = \"tower-sessions\"
max_bytes = 1048576
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
        let may_be_theirs = match self.options.format {
            Format::TowerSessions => tower_sessions::may_be(bytes),
            Format::ActixSession => actix_session::may_be(bytes),
        };
        if !may_be_theirs {
            return Ok(());
        }
        self.check_size(bytes)?;
        let session = match self.options.format {
            Format::TowerSessions => Some(tower_sessions::read(bytes)?),
            Format::ActixSession => actix_session::read(bytes)?,
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

impl LegacyRead {
    /// What is read here becomes values, which take many times the room of their bytes.
    fn check_size(&self, bytes: &[u8]) -> Result<()> {
        let (length, most) = (bytes.len(), self.options.max_bytes);
        if length <= most {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "the stored session is {length} bytes in another store's form, and `max_bytes` allows {most}; if it is one of \
                 yours, raise `max_bytes` to read it"
            ),
        ))
    }
}

/// The other store may have kept the deadline in the record alone.
fn has_ended(session: &Session, op: &Operation) -> bool {
    session
        .own_deadline()
        .is_some_and(|deadline| deadline <= op.now())
}

rrss_core::register!(LegacyRead);
