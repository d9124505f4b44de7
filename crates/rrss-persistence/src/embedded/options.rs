//! The options of the `embedded` step.

use std::path::PathBuf;
use std::time::Duration;

use rrss_core::DurationOption;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Keeps sessions on this machine's disk, for one process; they survive a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The directory to keep them in, relative to this file.
    ///
    /// It is created where it is missing, for its owner alone. One process at a time can have it open.
    #[serde(deserialize_with = "not_empty")]
    #[schemars(length(min = 1))]
    pub path: PathBuf,

    /// What a saved session survives: "process" the end of the process, however it ends; "disk" a power loss
    /// too, at the price of a wait for the disk on every save.
    pub durability: Durability,

    /// How long a load, a find, a save, a touch or a delete may wait for the disk. What is late answers an error; where a
    /// change had been begun, it may have happened.
    #[serde(deserialize_with = "not_zero")]
    pub timeout: DurationOption,
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The end of the process, `kill -9` included: every write is handed to the operating system before it is
    /// acknowledged.
    #[default]
    Process,
    /// A power loss or a crash of the operating system too: every write is on the disk before it is
    /// acknowledged.
    Disk,
}

impl Options {
    /// The default options, for sessions in the directory `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "data/sessions".into(),
            durability: Durability::default(),
            timeout: DurationOption::new(Duration::from_secs(5)),
        }
    }
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path.as_os_str().is_empty() {
        return Err(D::Error::custom(
            "the path is empty; name a directory, such as \"data/sessions\"",
        ));
    }
    Ok(path)
}

fn not_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    let timeout = DurationOption::deserialize(deserializer)?;
    if timeout.get().is_zero() {
        return Err(D::Error::custom(TOO_SHORT));
    }
    Ok(timeout)
}

pub(super) const TOO_SHORT: &str =
    "a limit of zero leaves no time for any operation; write a duration such as \"2s\"";
