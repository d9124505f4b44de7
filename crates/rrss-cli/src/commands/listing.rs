//! Commands on all sessions of a store.

use super::Context;
use crate::exit::Failure;

/// How many ids one page asks for.
const PAGE: usize = 1_000;

pub(super) fn list(
    context: &mut Context<'_>,
    limit: Option<u64>,
    json: bool,
) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let mut left = limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        });
        let mut separator = "[";
        let mut cursor = None;
        loop {
            let page = store.list(cursor, left.min(PAGE)).await?;
            let mut text = String::new();
            for id in page.ids.iter().take(left) {
                if json {
                    text += separator;
                    text += &serde_json::Value::from(id.as_str()).to_string();
                    separator = ",";
                } else {
                    text += id.as_str();
                    text.push('\n');
                }
            }
            context.output.write(&text)?;
            left -= page.ids.len().min(left);
            cursor = page.next;
            if left == 0 || cursor.is_none() {
                break;
            }
        }
        match (json, separator) {
            (true, "[") => context.output.line("[]"),
            (true, _) => context.output.line("]"),
            (false, _) => Ok(()),
        }
    })
}

pub(super) fn count(context: &mut Context<'_>) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let count = store.count().await?;
        context.output.line(&count.to_string())
    })
}

pub(super) fn sweep(context: &mut Context<'_>) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let removed = store.sweep().await?;
        context.output.line(&removed.to_string())
    })
}
