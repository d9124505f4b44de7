//! `rekey`: stores under the first key of the `encryption` step what is under another one.

use rrss_encryption::{Rekey, Rekeyed};
use serde_json::json;

use super::{Context, quarantine};
use crate::exit::{Exit, Failure};
use crate::json::lay_out;
use crate::output::table;
use crate::progress::{Counts, Progress};

pub(super) fn run(context: &mut Context<'_>, json: bool) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let mut rekey = Rekey::new(store.pipeline().clone()).map_err(|error| {
            Failure::from(error).with_help("`rrss steps encryption` describes the step")
        })?;
        let progress = if json {
            Progress::hidden()
        } else {
            context.output.progress("rekeying sessions", Counts::Yes)
        };
        while progress.during(rekey.page(store.now())).await? {
            progress.reached(rekey.done().seen());
        }
        let in_quarantine = progress.during(quarantine::count(store)).await?;
        drop(progress);
        let done = rekey.done();
        let text = if json {
            lay_out(&as_json(done, in_quarantine), context.output.layout()) + "\n"
        } else {
            as_text(done)
        };
        context.output.write(&text)?;
        if done.notes_left > 0 {
            let left = done.notes_left;
            context.output.report(|_| {
                format!(
                    "note: what `keep_expired` keeps of {left} of them could not be written anew; keep the old key until they \
                     have been saved or are told of\n"
                )
            });
        }
        if in_quarantine > 0 {
            context.output.report(|_| {
                format!(
                    "note: what lies in quarantine ({in_quarantine}) stays as it was found; keep the old key until it is put back \
                     (`rrss quarantine restore --all`) and rekeyed, or has ended\n"
                )
            });
        }
        verdict(done)
    })
}

fn as_text(done: &Rekeyed) -> String {
    let row = |label: &str, count: u64| [label.to_owned(), count.to_string()];
    let mut rows = vec![
        row("rekeyed", done.rekeyed),
        row("current", done.current),
        row("corrupt", done.corrupt),
    ];
    if done.changed > 0 {
        rows.push(row("changed", done.changed));
    }
    table(&rows, None)
}

fn as_json(done: &Rekeyed, in_quarantine: u64) -> String {
    json!({
        "rekeyed": done.rekeyed,
        "current": done.current,
        "corrupt": done.corrupt,
        "in_quarantine": in_quarantine,
        "changed": done.changed,
        "notes_left": done.notes_left,
    })
    .to_string()
}

/// An old key can be removed only where nothing was left behind.
fn verdict(done: &Rekeyed) -> Result<(), Failure> {
    if let Some(first) = &done.first_corrupt {
        let message = format!(
            "{} of the stored sessions could not be read, and stay as they are; of the first: {}",
            done.corrupt,
            first.message()
        );
        return Err(Failure::new(Exit::Data, message)
            .with_help("where a key is missing, put it back behind the first and run this again"));
    }
    if done.changed > 0 {
        let message = format!(
            "{} sessions were changed again and again meanwhile, and may be under another key",
            done.changed
        );
        return Err(Failure::new(Exit::Conflict, message).with_help(
            "see that every process that uses the store has the new key first, and run this again",
        ));
    }
    Ok(())
}
