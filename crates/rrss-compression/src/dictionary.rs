//! Dictionaries: read and prepared once, and told apart by their ids (RFC 8878, section 5).

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rrss_core::{Error, ErrorKind, Result};
use zstd::zstd_safe::{CDict, DDict, get_dict_id_from_dict};

/// What every dictionary begins with.
const MAGIC: [u8; 4] = 0xec30_a437_u32.to_le_bytes();

/// Trained ones are about 100 KB. What is larger than this is something else, and would be memory for nothing.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A dictionary that was prepared to compress.
struct Prepared {
    bytes: Vec<u8>,
    level: i32,
    dictionary: &'static CDict<'static>,
}

/// The contexts of all threads refer to them, so they stay to the end of the process. A pipeline that is built again
/// from the same files finds them here.
static PREPARED: Mutex<Vec<Prepared>> = Mutex::new(Vec::new());

/// The dictionaries of a step; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Dictionaries {
    writing: Option<&'static CDict<'static>>,
    reading: Arc<[(NonZeroU32, DDict<'static>)]>,
}

impl Dictionaries {
    /// Those in these files. The first is also prepared to compress, at `level`, where one is given.
    pub(crate) fn read(paths: &[PathBuf], level: Option<i32>) -> Result<Self> {
        let mut writing = None;
        let mut reading: Vec<(NonZeroU32, DDict<'static>)> = Vec::with_capacity(paths.len());
        for (index, path) in paths.iter().enumerate() {
            let bytes = contents(path)?;
            let id = id_of(&bytes).map_err(|reason| refused(path, reason))?;
            if let Some(other) = reading.iter().position(|(known, _)| *known == id) {
                return Err(refused(
                    path,
                    &format!(
                        "has the id {id}, as `{}` has; sessions name dictionaries by their ids, so remove one of the \
                         two",
                        paths[other].display()
                    ),
                ));
            }
            let damaged = || refused(path, "is a damaged dictionary; train it again");
            if let (0, Some(level)) = (index, level) {
                writing = Some(prepared(&bytes, level).ok_or_else(damaged)?);
            }
            reading.push((id, DDict::try_create(&bytes).ok_or_else(damaged)?));
        }
        Ok(Self {
            writing,
            reading: reading.into(),
        })
    }

    /// The one that these bytes are, to compress at `level` and to decompress; `None` where they are none.
    #[cfg(feature = "train")]
    pub(crate) fn one(bytes: &[u8], level: i32) -> Option<Self> {
        let id = id_of(bytes).ok()?;
        Some(Self {
            writing: Some(prepared(bytes, level)?),
            reading: Arc::new([(id, DDict::try_create(bytes)?)]),
        })
    }

    /// The one to compress with.
    pub(crate) fn writing(&self) -> Option<&'static CDict<'static>> {
        self.writing
    }

    /// The one with this id.
    pub(crate) fn reading(&self, id: NonZeroU32) -> Option<&DDict<'static>> {
        let mut all = self.reading.iter();
        all.find(|(known, _)| *known == id)
            .map(|(_, dictionary)| dictionary)
    }
}

impl fmt::Debug for Dictionaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.reading.iter().map(|(id, _)| id.get());
        f.debug_list().entries(ids).finish()
    }
}

fn prepared(bytes: &[u8], level: i32) -> Option<&'static CDict<'static>> {
    let mut all = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all
        .iter()
        .find(|known| known.level == level && known.bytes == bytes)
    {
        return Some(known.dictionary);
    }
    let dictionary = Box::leak(Box::new(CDict::try_create(bytes, level)?));
    all.push(Prepared {
        bytes: bytes.to_vec(),
        level,
        dictionary,
    });
    Some(dictionary)
}

fn contents(path: &Path) -> Result<Vec<u8>> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        // A pipe would be waited for, and a device has no end.
        if !path.metadata()?.is_file() {
            return Ok(None);
        }
        File::open(path)?
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    match read() {
        Ok(Some(bytes)) if bytes.len() as u64 <= LARGEST => Ok(bytes),
        Ok(Some(_)) => Err(refused(path, "is larger than 16 MiB; name a trained dictionary")),
        Ok(None) => Err(refused(path, "is no file; name a trained dictionary")),
        Err(error) => Err(refused(
            path,
            "could not be read; sessions that were compressed with it are unreadable without it, so put it back, or \
             correct the path",
        )
        .with_source(error)),
    }
}

pub(crate) fn id_of(bytes: &[u8]) -> Result<NonZeroU32, &'static str> {
    if bytes.is_empty() {
        return Err("is empty; name a trained dictionary");
    }
    // Any bytes can serve zstd as a dictionary without a name, which frames then cannot ask for.
    if !bytes.starts_with(&MAGIC) {
        return Err(
            "is no zstd dictionary: it does not begin with 37 a4 30 ec; name one that was trained, such as by \
             `rrss train`",
        );
    }
    get_dict_id_from_dict(bytes)
        .ok_or("is a zstd dictionary without an id, which no session can name; train it again")
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("the dictionary `{}` {reason}", path.display()),
    )
    .with_option("dictionary")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_prepared_once_for_each_level() {
        let sessions: Vec<String> = (0..500)
            .map(|n| format!("{{\"user_id\":{n},\"roles\":[\"customer\"],\"theme\":\"dark\"}}"))
            .collect();
        let bytes = zstd::dict::from_samples(&sessions, 1_024).unwrap();
        let first = prepared(&bytes, 1).unwrap();
        assert!(std::ptr::eq(prepared(&bytes.clone(), 1).unwrap(), first));
        assert!(!std::ptr::eq(prepared(&bytes, 2).unwrap(), first));
    }
}
