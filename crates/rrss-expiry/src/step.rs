//! The step: a deadline on every operation that gives a session its time anew.

use std::time::Duration;

use rrss_core::{BuildContext, Deadline, Operation, Result, Role, Shape, Step, Transform};

use crate::options::Options;

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
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where a duration is zero.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Self { options })
    }
}

impl Step for Expiry {
    const TYPE: &'static str = "expiry";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"expiry\"
duration = \"7d\"
resolution = \"10m\"
renew = \"write\"
";

    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::anywhere().sets_deadline().once()
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
        if op.deadline == Deadline::Keep && self.options.renew.renews(op.action()) {
            op.deadline = Deadline::At(op.now() + self.options.duration.get());
        }
        Ok(())
    }

    fn sweep_every(&self) -> Option<Duration> {
        Some(self.options.resolution.get())
    }
}

rrss_core::register!(Expiry);
