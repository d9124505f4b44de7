//! The step: a session becomes bytes on the way to the backend, and bytes a session on the way back.

use rrss_core::{
    Answer, BuildContext, Operation, Outcome, Payload, Result, Role, Shape, Step, Transform,
};

use crate::options::Options;
use crate::{decode, encode};

/// The member of the stored object that is not a field of the session.
pub(crate) const RESERVED: &str = "$rrss";

/// Stores a session as JSON text.
#[derive(Debug, Clone)]
pub struct JsonCodec {
    options: Options,
}

impl JsonCodec {
    /// The step with these options.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where an option is out of range.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Self { options })
    }
}

impl Step for JsonCodec {
    const TYPE: &'static str = "json-codec";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"json-codec\"
max_bytes = 1048576
max_depth = 127
max_fields = 1000
";

    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::codec()
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(options)?))
    }
}

impl Transform for JsonCodec {
    fn before(&self, op: &mut Operation) -> Result<()> {
        if op.is_write()
            && let Some(session) = op.take_session()
        {
            op.payload = Payload::Bytes(encode::encode(&session, op.now(), &self.options)?);
        }
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        if answer.outcome == Outcome::Found
            && let Some(bytes) = answer.take_bytes()
        {
            answer.payload = Payload::Session(decode::decode(bytes, &self.options)?);
        }
        Ok(())
    }
}

rrss_core::register!(JsonCodec);
