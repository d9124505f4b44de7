//! `train`: a dictionary for the `compression` step, from sessions as that step is given them.

mod advice;
mod levels;
mod report;
mod sample;
mod target;

use std::path::Path;

use rrss_compression::{Algorithm, Compression, Dictionary, Measured, Options, Sample};
use rrss_core::{Data, Encoder};
use rrss_loader::Plan;

use self::advice::Advice;
use self::levels::Levels;
use self::report::{Report, Row};
use self::sample::Sampled;
use self::target::Target;
use super::Context;
use super::dictionaries::Compressing;
use crate::args::TrainArgs;
use crate::exit::{Exit, Failure};
use crate::json::lay_out;
use crate::progress::{Counts, Progress};

/// With a dictionary, sessions of so few bytes get smaller.
const MIN_BYTES: usize = 64;

pub(super) fn run(context: &mut Context<'_>, arguments: &TrainArgs) -> Result<(), Failure> {
    let config = context.config();
    let plan = context.plan(&config)?;
    let step = Compressing::of(&plan);
    let codec = codec(&plan)?;
    let above = step.as_ref().map_or(codec.at + 1, |step| step.above);
    let options = step
        .as_ref()
        .map_or_else(Options::default, |step| step.resolved(&config));
    let target = Target::new(&arguments.out, arguments.force, &options.dictionary)?;
    let encoder = plan
        .build_encoder(above)
        .map_err(|report| Failure::build(&report.into()))?;

    let sampled = sampled(context, arguments, &encoder)?;
    let left_out = sampled.left_out;
    let sample = Sample::new(sampled.sessions)
        .map_err(|error| Failure::from(error).with_help(sampled.more))?;
    let progress = progress(context, arguments, "training", Counts::No);
    let dictionary = sample
        .train(arguments.size.map(|size| size as usize))
        .map_err(|error| Failure::from(error).with_help(sampled.more))?;
    let measured = measure(&sample, &options, &dictionary)?;
    drop(progress);
    refuse_useless(&measured, &options, &dictionary)?;
    target.write(&dictionary)?;

    let advice = Advice {
        config: &config,
        codec: codec.name,
        step: step.as_ref(),
        min_bytes: (measured.min_bytes < options.min_bytes).then_some(measured.min_bytes),
        level: measured.levels.better_than(measured.level),
        file: &arguments.out,
    };
    let report = Report {
        file: &arguments.out,
        dictionary: &dictionary,
        sample: &sample,
        left_out,
        level: measured.level,
        levels: &measured.levels,
        min_bytes: measured.min_bytes,
        plain_bytes: measured.trained.plain_bytes,
        rows: &measured.rows(&advice),
    };
    if arguments.json {
        let text = report.json(&advice.dictionaries()).to_string();
        let layout = context.output.layout();
        return context.output.line(&lay_out(&text, layout));
    }
    let text = format!("{}\n{}", report.text(), advice.text());
    context.output.write(&text)
}

/// The step that makes bytes of sessions.
struct Codec {
    at: usize,
    name: &'static str,
}

fn codec(plan: &Plan) -> Result<Codec, Failure> {
    let makes_bytes = |(at, step): (usize, rrss_loader::PlannedStep<'_>)| {
        let gives = step.shape().gives() == Some(Data::Bytes);
        let takes = step.shape().takes() == Some(Data::Session);
        (takes && gives).then(|| Codec {
            at,
            name: step.name(),
        })
    };
    plan.steps().enumerate().find_map(makes_bytes).ok_or_else(|| {
        Failure::new(
            Exit::Config,
            "no step of this file makes bytes of sessions, so there is nothing to compress",
        )
        .with_help("its backend keeps the fields of sessions one by one; `compression` needs a codec above it")
    })
}

fn sampled(
    context: &mut Context<'_>,
    arguments: &TrainArgs,
    encoder: &Encoder,
) -> Result<Sampled, Failure> {
    let progress = progress(context, arguments, "sampling sessions", Counts::Yes);
    if let Some(file) = &arguments.from {
        return sample::of_file(file, encoder, &progress);
    }
    let mut sampled = Sampled::default();
    context.with_store(async |_, store| {
        sampled = sample::of_store(store, arguments.sample, encoder, &progress).await?;
        Ok(())
    })?;
    Ok(sampled)
}

fn progress(
    context: &Context<'_>,
    arguments: &TrainArgs,
    doing: &'static str,
    counts: Counts,
) -> Progress {
    if arguments.json {
        Progress::hidden()
    } else {
        context.output.progress(doing, counts)
    }
}

/// What the step makes of the sessions that were held out.
struct Outcome {
    level: i32,
    min_bytes: usize,
    plainly: Measured,
    /// With the dictionary that compresses now, where one does.
    now: Option<Measured>,
    trained: Measured,
    /// With the new dictionary, at other levels.
    levels: Levels,
}

fn measure(
    sample: &Sample,
    options: &Options,
    dictionary: &Dictionary,
) -> Result<Outcome, Failure> {
    let min_bytes = if sample.below(options.min_bytes) > 0 {
        options.min_bytes.min(MIN_BYTES)
    } else {
        options.min_bytes
    };
    let zstd = Options {
        algorithm: Algorithm::Zstd,
        min_bytes,
        // What is too large to be stored is none of a dictionary's business.
        max_bytes: usize::MAX,
        ..options.clone()
    };
    let trained = Compression::with_dictionary(&zstd, dictionary)?;
    let plainly = Compression::new(Options {
        dictionary: Vec::new(),
        ..zstd.clone()
    })?;
    let levels = Levels::measure(sample, &zstd, dictionary)?;
    let compresses = !options.dictionary.is_empty() && options.write_with_dictionary;
    // One that is not there yet cannot be compared with: `check` and the store say so.
    let now = compresses.then(|| Compression::new(zstd).ok()).flatten();
    Ok(Outcome {
        level: trained.level(),
        min_bytes,
        plainly: sample.measure(&plainly)?,
        now: now.map(|now| sample.measure(&now)).transpose()?,
        trained: sample.measure(&trained)?,
        levels,
    })
}

impl Outcome {
    fn rows(&self, advice: &Advice<'_>) -> Vec<Row> {
        let row = |key, label, measured| Row {
            key,
            label,
            measured,
        };
        let now = self.now.map(|now| row("current", advice.current(), now));
        std::iter::once(row("zstd", "zstd alone".to_owned(), self.plainly))
            .chain(now)
            .chain([row("trained", advice.new_path(), self.trained)])
            .collect()
    }
}

/// A dictionary that helps nothing is not worth the file that every process must have from then on.
fn refuse_useless(
    measured: &Outcome,
    options: &Options,
    dictionary: &Dictionary,
) -> Result<(), Failure> {
    if measured.trained.stored_bytes >= measured.plainly.stored_bytes {
        return Err(Failure::new(
            Exit::Data,
            "the dictionary saves nothing on sessions that it was not trained on, and was not written",
        )
        .with_help("these sessions have too little in common; `compression` does as well without one"));
    }
    let known = options
        .dictionary
        .iter()
        .find(|path| is_in(path, dictionary));
    match known {
        None => Ok(()),
        Some(path) => Err(Failure::new(
            Exit::Data,
            format!(
                "these sessions give the dictionary that `{}` is already; nothing was written",
                path.display()
            ),
        )
        .with_help("train again when the store has other sessions")),
    }
}

/// Whether the file holds a dictionary of the same id.
fn is_in(path: &Path, dictionary: &Dictionary) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    Dictionary::new(bytes.into()).is_ok_and(|known| known.id() == dictionary.id())
}
