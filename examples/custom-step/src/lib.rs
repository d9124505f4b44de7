#![doc = include_str!("../README.md")]

use rrss_core::{BuildContext, Operation, Result, Role, Shape, Step, Transform};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Never stores some fields.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The names of the fields to leave out.
    pub fields: Vec<String>,
}

/// The `forget` step.
#[derive(Debug)]
pub struct Forget(Options);

impl Step for Forget {
    const TYPE: &'static str = "forget";
    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::on_session()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Forget(options)))
    }
}

impl Transform for Forget {
    fn before(&self, op: &mut Operation) -> Result<()> {
        for name in &self.0.fields {
            op.session_mut().map(|session| session.remove(name));
        }
        Ok(())
    }
}

rrss_core::register!(Forget);
