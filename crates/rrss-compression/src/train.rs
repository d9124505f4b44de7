//! Training: a dictionary from sessions, and other sessions to measure it on.

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result};

use crate::dictionary::id_of;
use crate::measure::{Measured, measure};
use crate::step::Compression;

/// From fewer sessions what they have in common cannot be told from chance.
const FEWEST: usize = 100;

/// One session in this many is held out, to measure on.
const HELD_OUT: usize = 5;

/// A dictionary is cut from so many times its bytes. With fewer it holds whole sessions, and helps those alone.
const TIMES: usize = 10;

/// zstd makes none of fewer than 256 bytes, and those hold hardly more than its own tables.
const SMALLEST: usize = 1024;

/// Larger ones gain little on texts as short as sessions: the README has the numbers.
const DEFAULT: usize = 32 * 1024;

/// The same sessions are always split alike.
const SEED: u64 = 0x7273_7472_6169_6e31;

/// Sessions as they come to the `compression` step, in two parts: four in five to train a dictionary on, and the others
/// to measure it on.
///
/// The same sessions in any order are split alike, and give the same dictionary.
///
/// # Examples
///
/// ```
/// use rrss_compression::{Compression, Options, Sample};
///
/// let session = |n: u32| format!(r#"{{"user_id":{n},"roles":["customer"],"locale":"en-GB","theme":"dark"}}"#);
/// let sample = Sample::new((0..1_000).map(|n| session(n * 7_919).into()).collect())?;
/// let dictionary = sample.train(None)?;
///
/// let options = Options { min_bytes: 64, ..Options::default() };
/// let with = sample.measure(&Compression::with_dictionary(&options, &dictionary)?)?;
/// let without = sample.measure(&Compression::new(options)?)?;
/// assert!(with.stored_bytes < without.stored_bytes / 2);
/// assert_eq!(with.larger, 0);
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Sample {
    training: Vec<Bytes>,
    held_out: Vec<Bytes>,
}

impl Sample {
    /// Splits these sessions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where they are fewer than 100.
    pub fn new(mut sessions: Vec<Bytes>) -> Result<Self> {
        if sessions.len() < FEWEST {
            return Err(refused(format!(
                "a dictionary is trained on {FEWEST} sessions or more, some thousand are good, and here are {}",
                sessions.len()
            )));
        }
        // They come in the order in which a backend happens to list them.
        sessions.sort_unstable();
        fastrand::Rng::with_seed(SEED).shuffle(&mut sessions);
        let training = sessions.split_off(sessions.len() / HELD_OUT);
        Ok(Self {
            training,
            held_out: sessions,
        })
    }

    /// Trains a dictionary of at most `size` bytes; where none is given, of 32 KiB, or a tenth of what there is to train
    /// on where that is less.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where `size` is less than 1 KiB, where the sessions to train on are less than ten times as
    /// many bytes as the dictionary is to have, or where zstd cannot train on them.
    pub fn train(&self, size: Option<usize>) -> Result<Dictionary> {
        let bytes = self.training_bytes();
        let most = bytes / TIMES;
        let size = size.unwrap_or_else(|| most.clamp(SMALLEST, DEFAULT));
        if size < SMALLEST {
            return Err(refused(format!(
                "a dictionary of {size} bytes has no room for what sessions have in common; give it {SMALLEST} or more"
            )));
        }
        if size > most {
            let smaller = if most < SMALLEST {
                String::new()
            } else {
                format!(", or train one of at most {most} bytes")
            };
            return Err(refused(format!(
                "for a dictionary of {size} bytes the sessions to train on must be {TIMES} times as many bytes, and \
                 these {} are {bytes} bytes; sample more sessions{smaller}",
                self.training.len()
            )));
        }
        let text = self.training.concat();
        let lengths: Vec<usize> = self.training.iter().map(Bytes::len).collect();
        zstd::dict::from_continuous(&text, &lengths, size)
            .map_err(|error| {
                refused(
                    "zstd found nothing that these sessions have in common; sample more, and more different ones",
                )
                .with_source(error)
            })
            .and_then(|bytes| Dictionary::new(bytes.into()))
    }

    /// What the step makes of the sessions that no dictionary of this sample was trained on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] where one is larger than the options of the step allow.
    pub fn measure(&self, step: &Compression) -> Result<Measured> {
        measure(step, &self.held_out)
    }

    /// How many sessions a dictionary is trained on.
    #[must_use]
    pub fn training(&self) -> usize {
        self.training.len()
    }

    /// How many bytes those are together.
    #[must_use]
    pub fn training_bytes(&self) -> usize {
        self.training.iter().map(Bytes::len).sum()
    }

    /// How many sessions are held out to be measured.
    #[must_use]
    pub fn held_out(&self) -> usize {
        self.held_out.len()
    }

    /// How many of all the sessions have fewer bytes than this.
    #[must_use]
    pub fn below(&self, bytes: usize) -> usize {
        let all = self.training.iter().chain(&self.held_out);
        all.filter(|session| session.len() < bytes).count()
    }
}

/// How many sessions, and nothing of what they hold.
impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample")
            .field("training", &self.training.len())
            .field("held_out", &self.held_out.len())
            .finish()
    }
}

/// A zstd dictionary ([RFC 8878, section 5](https://www.rfc-editor.org/rfc/rfc8878#section-5)) with an id.
///
/// It consists of pieces of the sessions that it was trained on: keep it as they are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary {
    id: NonZeroU32,
    bytes: Bytes,
}

impl Dictionary {
    /// The dictionary that these bytes are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where they are none, or one without an id.
    pub fn new(bytes: Bytes) -> Result<Self> {
        let id = id_of(&bytes).map_err(|reason| refused(format!("the dictionary {reason}")))?;
        Ok(Self { id, bytes })
    }

    /// The id by which the frames of its sessions name it.
    #[must_use]
    pub fn id(&self) -> NonZeroU32 {
        self.id
    }

    /// What its file holds.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Its id and length, and nothing of the sessions in it.
impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary")
            .field("id", &self.id)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Value, message)
}
