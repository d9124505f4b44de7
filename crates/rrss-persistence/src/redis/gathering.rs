//! The replies to one request whose commands were answered by several nodes.

use redis::{Pipeline, RedisError, RedisResult, Value};

use super::commands::Request;
use super::live::without_errors;
use super::redirect::redirects;

/// While a slot is moved, a key may be taken away between two commands of one pipeline. The commands that are sent
/// elsewhere then are those that were not done, and no others: what was done must not be done twice.
pub(super) struct Gathering {
    replies: Vec<Value>,
    /// The places of the commands that were not done yet.
    open: Vec<usize>,
    left: Option<Request<'static>>,
}

impl Gathering {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let count = request.several().map_or(0, Pipeline::len);
        Self {
            replies: vec![Value::Nil; count],
            open: (0..count).collect(),
            left: None,
        }
    }

    /// What is left of the request, unless that is all of it.
    pub(super) fn left(&self) -> Option<&Request<'static>> {
        self.left.as_ref()
    }

    /// Takes the reply to what was left: all replies if that was the last, else the redirection of the first command
    /// that was not done.
    pub(super) fn take(&mut self, request: &Request<'_>, reply: Value) -> RedisResult<Value> {
        let (commands, replies) = match (request.several(), reply) {
            (Some(commands), Value::Array(replies)) => (commands, replies),
            (_, reply) => return without_errors(reply),
        };
        let mut refusal = None::<RedisError>;
        let mut open = Vec::new();
        for (place, reply) in self.open.iter().copied().zip(replies) {
            match reply.extract_error() {
                Err(error) if redirects(&error) => {
                    refusal.get_or_insert(error);
                    open.push(place);
                }
                Err(error) => return Err(error),
                Ok(reply) => self.replies[place] = reply,
            }
        }
        let Some(refusal) = refusal else {
            return Ok(Value::Array(std::mem::take(&mut self.replies)));
        };
        let mut left = Pipeline::with_capacity(open.len());
        for (place, command) in commands.cmd_iter().enumerate() {
            if open.contains(&place) {
                left.add_command(command.clone());
            }
        }
        self.open = open;
        self.left = Some(request.with_commands(left));
        Err(refusal)
    }
}
