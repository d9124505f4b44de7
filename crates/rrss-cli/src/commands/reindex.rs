//! `reindex`: builds the index from the stored sessions.

use rrss::Reindexed;
use serde_json::json;

use super::Context;
use crate::exit::{Exit, Failure};
use crate::json::lay_out;
use crate::output::table;
use crate::progress::{Counts, Progress};

/// How many sessions one page asks for.
const PAGE: usize = 512;

pub(super) fn run(context: &mut Context<'_>, json: bool) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let progress = if json {
            Progress::hidden()
        } else {
            context
                .output
                .progress("putting sessions into the index", Counts::Yes)
        };
        if !json && store.pipeline().index().is_some() {
            progress.out_of(progress.during(store.count()).await?);
        }
        let mut done = Reindexed::default();
        loop {
            let cursor = done.next.take();
            let page = progress.during(store.reindex(cursor, PAGE)).await?;
            done.indexed += page.indexed;
            done.unreadable += page.unreadable;
            done.first_unreadable = done.first_unreadable.or(page.first_unreadable);
            done.next = page.next;
            progress.reached(done.indexed + done.unreadable);
            if done.next.is_none() {
                break;
            }
        }
        drop(progress);
        let text = if json {
            let counts = json!({ "indexed": done.indexed, "unreadable": done.unreadable });
            lay_out(&counts.to_string(), context.output.layout()) + "\n"
        } else {
            let row = |label: &str, count: u64| [label.to_owned(), count.to_string()];
            let rows = [
                row("indexed", done.indexed),
                row("unreadable", done.unreadable),
            ];
            table(&rows, None)
        };
        context.output.write(&text)?;
        match done.first_unreadable {
            None => Ok(()),
            Some(first) => Err(unreadable(done.unreadable, &first)),
        }
    })
}

/// Sessions without entries are not found, and not ended.
fn unreadable(count: u64, first: &rrss::Error) -> Failure {
    let message = format!(
        "{count} of the stored sessions could not be read, and have no entries; of the first: {}",
        first.message()
    );
    Failure::new(Exit::Data, message)
        .with_help("`rrss show` and `rrss quarantine` look into what cannot be read")
}
