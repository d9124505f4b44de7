//! Fuzzing without libFuzzer: on any toolchain, and with no eye for which code was reached.

use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::Target;
use crate::mutate::mutate;

/// Gives `target` mutants of its kept inputs, `count` of them or until `end`, the same for a seed; how many it was given.
///
/// # Errors
///
/// The input that it panicked at.
pub fn mutants(
    target: &Target,
    seed: u64,
    count: u64,
    end: Option<Instant>,
) -> Result<u64, Vec<u8>> {
    let kept: Vec<Vec<u8>> = target.kept().into_iter().map(|(_, bytes)| bytes).collect();
    let mut random = Rng::with_seed(seed);
    for number in 0..count {
        if number % 256 == 0 && end.is_some_and(|end| Instant::now() >= end) {
            return Ok(number);
        }
        let mut input = kept[random.usize(0..kept.len())].clone();
        let other = &kept[random.usize(0..kept.len())];
        mutate(&mut input, other, target.words, &mut random);
        if panic::catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            return Err(input);
        }
    }
    Ok(count)
}

/// What a target's program does where `cargo fuzz` did not build it: gives it the files that the arguments name, or, without
/// any, mutants for `RRSS_FUZZ_SECONDS`, 60 unless said.
#[must_use]
pub fn without_coverage(target: &Target) -> ExitCode {
    let files: Vec<_> = env::args_os().skip(1).collect();
    if !files.is_empty() {
        for file in files {
            match fs::read(&file) {
                Ok(input) => (target.run)(&input),
                Err(error) => {
                    eprintln!("{}: {error}", Path::new(&file).display());
                    return ExitCode::FAILURE;
                }
            }
        }
        return ExitCode::SUCCESS;
    }
    let seconds = env::var("RRSS_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(60);
    let (seed, began) = (Rng::new().u64(..), Instant::now());
    let end = began + Duration::from_secs(seconds);
    match mutants(target, seed, u64::MAX, Some(end)) {
        Ok(count) => {
            let name = target.name;
            let took = began.elapsed().as_secs();
            println!("{name}: {count} inputs in {took} s, seed {seed}");
            ExitCode::SUCCESS
        }
        Err(input) => {
            let file = format!("{}-{seed:x}", target.name);
            match fs::write(&file, input) {
                Ok(()) => eprintln!(
                    "it panicked at what is now in `{file}`; mend it, and keep the file in {}",
                    target.folder().display()
                ),
                Err(error) => eprintln!("it panicked, and `{file}` cannot be written: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}
