//! Commands on all sessions of a store.

use rrss::Handle;

use super::Context;
use crate::args::at_most;
use crate::exit::Failure;
use crate::progress::{Counts, Progress};

/// How many ids one page asks for.
const PAGE: usize = 1_000;

pub(super) fn list(
    context: &mut Context<'_>,
    limit: Option<u64>,
    json: bool,
) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let mut left = at_most(limit);
        let progress = if json {
            Progress::hidden()
        } else {
            context.output.progress("listing", Counts::Yes)
        };
        let mut listed = 0;
        let mut separator = "[";
        let mut cursor = None;
        loop {
            let page = store.list(cursor, left.min(PAGE));
            let page = progress.during(page).await?;
            let mut text = String::new();
            for id in page.ids.iter().take(left) {
                // Where ids are hashed, the store holds nothing else that may be shown.
                let handle = id.is_private().then(|| Handle::of(id).to_string());
                let name = handle.as_deref().unwrap_or(id.as_str());
                if json {
                    text += separator;
                    text += &serde_json::Value::from(name).to_string();
                    separator = ",";
                } else {
                    text += name;
                    text.push('\n');
                }
            }
            progress.aside(|| context.output.write(&text))?;
            listed += page.ids.len().min(left) as u64;
            progress.reached(listed);
            left -= page.ids.len().min(left);
            cursor = page.next;
            if left == 0 || cursor.is_none() {
                break;
            }
        }
        drop(progress);
        match (json, separator) {
            (true, "[") => context.output.line("[]"),
            (true, _) => context.output.line("]"),
            (false, _) => Ok(()),
        }
    })
}

pub(super) fn count(context: &mut Context<'_>) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let progress = context.output.progress("counting", Counts::No);
        let count = progress.during(store.count()).await?;
        drop(progress);
        context.output.line(&count.to_string())
    })
}

pub(super) fn sweep(context: &mut Context<'_>) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let progress = context
            .output
            .progress("removing what is past its deadline", Counts::No);
        let removed = progress.during(store.sweep()).await?;
        drop(progress);
        context.output.line(&removed.to_string())
    })
}
