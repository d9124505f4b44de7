//! What may stand in the step's table.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use rrss_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Beyond 19, zstd asks its readers for more memory than some are willing to give.
const LEVELS: RangeInclusive<i32> = 1..=19;

/// Stores sessions in fewer bytes, or as they are where that is not larger.
///
/// Reading goes by what is stored, not by these options: sessions that were stored under others are read as well.
///
/// # Examples
///
/// ```
/// use rrss_compression::{Algorithm, Options};
///
/// let options = Options {
///     algorithm: Algorithm::Lz4,
///     ..Options::default()
/// };
/// assert_eq!(options.min_bytes, 256);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How sessions are compressed: `"zstd"`, which makes them smaller, or `"lz4"`, which is faster.
    pub algorithm: Algorithm,
    /// How hard zstd tries, 1 to 19; 1 where it is not given. Higher levels take longer to save and gain little on
    /// texts as short as sessions. lz4 has no levels.
    #[serde(deserialize_with = "level", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 19))]
    pub level: Option<i32>,
    /// Files of trained zstd dictionaries, relative to this file: one path, or a list of them. The first compresses,
    /// all decompress, so put a new one in front and keep the old ones while sessions need them. `rrss train` makes them. lz4 takes none.
    #[serde(deserialize_with = "paths", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "OneOrMany")]
    pub dictionary: Vec<PathBuf>,
    /// Whether the first dictionary compresses; `false` keeps all of them for reading alone: while other processes
    /// cannot read the first one yet, or after a change to lz4.
    pub write_with_dictionary: bool,
    /// Sessions of fewer bytes are stored as they are.
    pub min_bytes: usize,
    /// The largest session, in bytes before compression. Saving a larger one is an error, and so is loading one: a
    /// few stored bytes can claim to stand for gigabytes.
    #[serde(deserialize_with = "max_bytes")]
    #[schemars(range(min = 1))]
    pub max_bytes: usize,
}

/// How sessions are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Algorithm {
    /// Zstandard, [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878).
    #[default]
    Zstd,
    /// LZ4, in its [frame format](https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md).
    Lz4,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            level: None,
            dictionary: Vec::new(),
            write_with_dictionary: true,
            min_bytes: 256,
            max_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Options {
    /// What does not go together, and what was written in code and so has not been checked yet.
    pub(crate) fn check(&self) -> Result<()> {
        let refused = |message, option| Error::new(ErrorKind::Config, message).with_option(option);
        match (self.algorithm, self.level) {
            (Algorithm::Lz4, Some(_)) => Err(refused(
                "lz4 has no levels; remove `level`, or write `algorithm = \"zstd\"`",
                "level",
            )),
            (Algorithm::Lz4, None) if self.write_with_dictionary && !self.dictionary.is_empty() => {
                Err(refused(
                    "lz4 takes no dictionary; write `algorithm = \"zstd\"`, or remove `dictionary`, or keep it to read \
                     what is stored, with `write_with_dictionary = false`",
                    "dictionary",
                ))
            }
            (Algorithm::Zstd, Some(level)) if !LEVELS.contains(&level) => {
                Err(refused(NO_LEVEL, "level"))
            }
            _ if self.max_bytes == 0 => Err(refused(NO_ROOM, "max_bytes")),
            _ => Ok(()),
        }
    }
}

const NO_LEVEL: &str = "zstd's levels are the numbers from 1 to 19; write 1 if in doubt";
const NO_ROOM: &str =
    "no session has zero bytes; write the size in bytes of the largest one, such as 16777216";

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let level = i32::deserialize(deserializer)?;
    if !LEVELS.contains(&level) {
        return Err(de::Error::custom(NO_LEVEL));
    }
    Ok(Some(level))
}

fn max_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let max_bytes = usize::deserialize(deserializer)?;
    if max_bytes == 0 {
        return Err(de::Error::custom(NO_ROOM));
    }
    Ok(max_bytes)
}

/// What the schema says of `dictionary`.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum OneOrMany {
    One(#[schemars(length(min = 1))] String),
    Many(Vec<String>),
}

/// A visitor, since an untagged enum cannot say what was wrong.
struct Paths;

impl<'de> Visitor<'de> for Paths {
    type Value = Vec<PathBuf>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a dictionary, or a list of paths")
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Self::Value, E> {
        if path.is_empty() {
            return Err(E::custom(NO_PATH));
        }
        Ok(vec![path.into()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut paths = Vec::new();
        while let Some(path) = list.next_element::<PathBuf>()? {
            if path.as_os_str().is_empty() {
                return Err(de::Error::custom(NO_PATH));
            }
            paths.push(path);
        }
        Ok(paths)
    }
}

const NO_PATH: &str = "the path is empty; name the file of a dictionary, or remove `dictionary`";

fn paths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    deserializer.deserialize_any(Paths)
}
