#![doc = include_str!("../README.md")]

use std::path::{Path, PathBuf};

/// The folder of the repository.
///
/// # Panics
///
/// Never in a checkout: this crate is one folder below.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate has a folder of its own in the repository")
        .to_owned()
}

/// The examples of the repository's README, which `cargo test` compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
