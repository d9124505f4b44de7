//! The step: fewer bytes on the way to the backend, all of them on the way back.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use rrss_core::{
    Answer, BuildContext, Error, ErrorKind, Operation, Outcome, Payload, Result, Role, Shape, Step,
    Timestamp, Transform, Warning,
};

use crate::dictionary::Dictionaries;
use crate::options::{Algorithm, Options};
use crate::{frame, lz4, zstd};

/// Higher levels gain little on texts as short as sessions: the README has the numbers.
const DEFAULT_LEVEL: i32 = 1;

/// The levels whose search finds less in a dictionary than that of level 1 does: the README has the numbers.
const WORSE_WITH_DICTIONARY: RangeInclusive<i32> = 4..=8;

/// Stores sessions in fewer bytes, or as they are where that is not larger.
#[derive(Debug, Clone)]
pub struct Compression {
    options: Options,
    dictionaries: Dictionaries,
}

impl Compression {
    /// The step with these options. Dictionaries are read here; a relative path starts in the current directory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where options are out of range or do not go together, or a dictionary is none or cannot be read.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        let level = options.write_with_dictionary.then(|| level(&options));
        let dictionaries = Dictionaries::read(&options.dictionary, level)?;
        Ok(Self {
            options,
            dictionaries,
        })
    }

    /// The step with these options, and with this dictionary in place of those that they name. It compresses with zstd.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where options are out of range.
    #[cfg(feature = "train")]
    pub fn with_dictionary(options: &Options, dictionary: &crate::Dictionary) -> Result<Self> {
        let options = Options {
            algorithm: Algorithm::Zstd,
            dictionary: Vec::new(),
            ..options.clone()
        };
        options.check()?;
        let dictionaries = Dictionaries::one(dictionary.as_bytes(), level(&options));
        let dictionaries = dictionaries.ok_or_else(|| {
            Error::new(ErrorKind::Config, "zstd could not prepare the dictionary")
        })?;
        Ok(Self {
            options,
            dictionaries,
        })
    }
}

#[cfg(feature = "train")]
impl Compression {
    /// How hard zstd tries, where it compresses: the `level` of the options, or what it is where they give none.
    #[must_use]
    pub fn level(&self) -> i32 {
        level(&self.options)
    }
}

fn level(options: &Options) -> i32 {
    options.level.unwrap_or(DEFAULT_LEVEL)
}

/// With its dictionaries where they are.
fn resolved(mut options: Options, context: &BuildContext) -> Options {
    for path in &mut options.dictionary {
        *path = context.resolve(path);
    }
    options
}

impl Step for Compression {
    const TYPE: &'static str = "compression";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"compression\"
algorithm = \"zstd\"
level = 1
min_bytes = 256
max_bytes = 16777216
";

    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::on_bytes().shrinks().once()
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn warnings(options: &Options, _: Timestamp) -> Vec<Warning> {
        let writes = options.write_with_dictionary && !options.dictionary.is_empty();
        let level = level(options);
        if !writes || !WORSE_WITH_DICTIONARY.contains(&level) {
            return Vec::new();
        }
        let warning = Warning::new(format!(
            "with a dictionary, level {level} takes longer than level 1 and may store more: zstd looks for other matches in it"
        ));
        vec![
            warning
                .with_option("level")
                .with_hint("remove `level`, or take the one that `rrss train` names"),
        ]
    }

    fn inspect(options: &Options, context: &BuildContext) -> Vec<Error> {
        let options = resolved(options.clone(), context);
        let read = |paths: &[PathBuf]| Dictionaries::read(paths, None).err();
        let each = options.dictionary.iter();
        let errors: Vec<Error> = each
            .filter_map(|path| read(std::slice::from_ref(path)))
            .collect();
        match errors.is_empty() {
            true => Self::new(options).err().into_iter().collect(),
            false => errors,
        }
    }

    fn build(options: Options, context: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(resolved(options, context))?))
    }
}

impl Transform for Compression {
    fn before(&self, op: &mut Operation) -> Result<()> {
        let Payload::Bytes(bytes) = &op.payload else {
            return Ok(());
        };
        if bytes.len() > self.options.max_bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the session is {} bytes, and `max_bytes` allows {}; store less in it, or raise `max_bytes`",
                    bytes.len(),
                    self.options.max_bytes
                ),
            ));
        }
        // Bytes that look like a frame would be taken for one when they are read, so they always go into one.
        let looks_compressed = frame::algorithm_of(bytes).is_some();
        if bytes.len() < self.options.min_bytes && !looks_compressed {
            return Ok(());
        }
        let compressed = match self.options.algorithm {
            Algorithm::Zstd => {
                zstd::compress(bytes, level(&self.options), self.dictionaries.writing())
            }
            Algorithm::Lz4 => lz4::compress(bytes),
        }?;
        if compressed.len() < bytes.len() || looks_compressed {
            op.payload = Payload::Bytes(compressed);
        }
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        let Payload::Bytes(bytes) = &answer.payload else {
            return Ok(());
        };
        if answer.outcome != Outcome::Found {
            return Ok(());
        }
        let Some(algorithm) = frame::algorithm_of(bytes) else {
            return Ok(());
        };
        let content = match algorithm {
            Algorithm::Zstd => zstd::decompress(bytes, self.options.max_bytes, &self.dictionaries),
            Algorithm::Lz4 => lz4::decompress(bytes, self.options.max_bytes),
        }?;
        answer.payload = Payload::Bytes(content);
        Ok(())
    }
}

rrss_core::register!(Compression);
