#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod cookie;
mod decode;
mod mutate;
mod redis_hash;
mod runner;
mod session;

use std::fs;
use std::path::PathBuf;

pub use self::runner::{mutants, without_coverage};

/// What is given arbitrary bytes. It panics where a promise does not hold for them.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target, and of the folder of its kept inputs.
    pub name: &'static str,
    /// Gives it one input.
    pub run: fn(&[u8]),
    /// Pieces that inputs are made of.
    pub words: &'static [&'static str],
}

/// The scan that finds the fields of a session, beside `serde_json`: both accept the same texts, and find the same values.
pub const SESSION: Target = Target {
    name: "session",
    run: session::run,
    words: session::WORDS,
};

/// What a stored value goes through on its way to a session: each chain of steps answers a session, or says that the value
/// is corrupt or too large.
pub const DECODE: Target = Target {
    name: "decode",
    run: decode::run,
    words: session::WORDS,
};

/// A file: it is a plan, or a report whose places are in it.
pub const CONFIG: Target = Target {
    name: "config",
    run: config::run,
    words: config::WORDS,
};

/// A `Cookie` header: a request with any is answered, and nobody is logged in by one.
pub const COOKIE: Target = Target {
    name: "cookie",
    run: cookie::run,
    words: cookie::WORDS,
};

/// The members of a hash in Redis: they are a session, or corrupt.
pub const REDIS_HASH: Target = Target {
    name: "redis_hash",
    run: redis_hash::run,
    words: session::WORDS,
};

/// All of them.
pub const TARGETS: [Target; 5] = [SESSION, DECODE, CONFIG, COOKIE, REDIS_HASH];

impl Target {
    /// The folder of the inputs that are kept: those that found something, and some of each kind.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("kept")
            .join(self.name)
    }

    /// The inputs that are kept, in the order of their names.
    ///
    /// # Panics
    ///
    /// Where the folder cannot be read.
    #[must_use]
    pub fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let folder = self.folder();
        let mut kept: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| {
                let path = entry.expect("an entry of a folder is read").path();
                let name = path.file_name().unwrap_or_default();
                let bytes = fs::read(&path).expect("a kept input is read");
                (name.to_string_lossy().into_owned(), bytes)
            })
            .collect();
        kept.sort();
        kept
    }
}
