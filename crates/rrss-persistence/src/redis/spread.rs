//! Requests to a cluster, each command to the node that has its key. No command spans slots.

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};
use rrss_core::Result;
use tokio::time::Instant;

use super::cluster::Cluster;
use super::commands::{Part, Request};
use super::failure::Doing;
use super::slots;

impl Cluster {
    /// Carries out `request` within both limits together, however many nodes it goes to.
    pub(super) async fn carry_out(&self, doing: Doing, request: &Request<'_>) -> Result<Value> {
        let until = self.limits().end();
        match request {
            Request::One(command) => match slots::key(command) {
                Some(key) => self.ask(doing, slots::of(key), request, until).await,
                None => self.ask_any(doing, command, until).await,
            },
            Request::Several(commands) | Request::Watched(commands, _) => {
                let slot = commands
                    .cmd_iter()
                    .find_map(slots::key)
                    .map_or(0, slots::of);
                self.ask(doing, slot, request, until).await
            }
            Request::CompareAndSet(write) => {
                let slot = slots::of(write.key().as_bytes());
                self.ask(doing, slot, request, until).await
            }
            Request::Script(script) => {
                self.ask(doing, slots::of(script.key()), request, until)
                    .await
            }
            Request::InOrder(parts) => {
                let mut replies = Vec::new();
                for part in parts {
                    match part {
                        Part::Commands(commands) => {
                            replies.extend(self.side_by_side(doing, commands, until).await?);
                        }
                        Part::CompareAndSet(write) => {
                            let slot = slots::of(write.key().as_bytes());
                            let write = Request::CompareAndSet(*write);
                            replies.push(self.ask(doing, slot, &write, until).await?);
                        }
                    }
                }
                Ok(Value::Array(replies))
            }
        }
    }

    /// Sends `commands` to their nodes at the same time, those of one slot in order, and answers the replies in the
    /// order of the commands.
    async fn side_by_side(
        &self,
        doing: Doing,
        commands: &[Cmd],
        until: Instant,
    ) -> Result<Vec<Value>> {
        let mut groups: Vec<(u16, Vec<usize>)> = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            let slot = slots::key(command).map_or(0, slots::of);
            match groups.iter_mut().find(|(of, _)| *of == slot) {
                Some((_, places)) => places.push(place),
                None => groups.push((slot, vec![place])),
            }
        }
        let answers = groups.iter().map(|(slot, places)| async move {
            let mut pipeline = Pipeline::with_capacity(places.len());
            for place in places {
                pipeline.add_command(commands[*place].clone());
            }
            self.ask(doing, *slot, &Request::Several(pipeline), until)
                .await
        });
        let mut replies = vec![Value::Nil; commands.len()];
        for ((_, places), answer) in groups.iter().zip(join_all(answers).await) {
            if let Value::Array(answers) = answer? {
                for (place, reply) in places.iter().zip(answers) {
                    replies[*place] = reply;
                }
            }
        }
        Ok(replies)
    }
}
