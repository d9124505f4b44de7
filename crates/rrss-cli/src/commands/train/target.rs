//! Where the dictionary is written.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rrss_compression::Dictionary;
use tempfile::NamedTempFile;

use crate::exit::{Exit, Failure};

/// A file that may be written.
pub(super) struct Target<'a> {
    path: &'a Path,
    folder: &'a Path,
    force: bool,
}

impl<'a> Target<'a> {
    /// Refuses what cannot be written, before sessions are read for it.
    pub(super) fn new(path: &'a Path, force: bool, in_use: &[PathBuf]) -> Result<Self, Failure> {
        let is_folder = path.is_dir() || path.file_name().is_none();
        if is_folder || path.to_string_lossy().ends_with('/') {
            return Err(
                Failure::new(Exit::Usage, format!("{} is a folder", path.display()))
                    .with_help("name the file that the dictionary is to be written to"),
            );
        }
        // To put a file in the place of a device or a pipe would break what else uses it.
        if path.exists() && !path.is_file() {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "{} is no regular file, and was left as it is",
                    path.display()
                ),
            )
            .with_help("name a file for the dictionary; it is not written to devices or pipes"));
        }
        if in_use.iter().any(|other| is_same(path, other)) {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "{} is a dictionary that the configuration names, and sessions may need it to be read; it was left \
                     as it is",
                    path.display()
                ),
            )
            .with_help("name another file; both dictionaries go into the configuration, the new one first"));
        }
        let target = Self {
            path,
            // A bare name is in the current folder, and a file cannot be made in the folder "".
            folder: path
                .parent()
                .filter(|folder| *folder != Path::new(""))
                .unwrap_or(Path::new(".")),
            force,
        };
        if !force && path.symlink_metadata().is_ok() {
            return Err(target.failed(&io::ErrorKind::AlreadyExists.into()));
        }
        tempfile::tempfile_in(target.folder).map_err(|error| target.failed(&error))?;
        Ok(target)
    }

    /// Writes the whole file or nothing. On Unix it is made readable by this user alone.
    pub(super) fn write(&self, dictionary: &Dictionary) -> Result<(), Failure> {
        let write = || {
            let mut file = NamedTempFile::new_in(self.folder)?;
            file.write_all(dictionary.as_bytes())?;
            file.as_file().sync_all()?;
            if self.force {
                file.persist(self.path).map_err(|error| error.error)
            } else {
                file.persist_noclobber(self.path)
                    .map_err(|error| error.error)
            }
        };
        write().map(drop).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        if error.kind() == io::ErrorKind::AlreadyExists {
            return Failure::new(
                Exit::Usage,
                format!("{path} is there already, and was left as it is"),
            )
            .with_help("name another file, or replace this one with --force");
        }
        Failure::new(Exit::Io, format!("writing {path} failed: {error}"))
    }
}

/// Whether both paths lead to one file that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_appears_meanwhile_is_left_as_it_is_unless_forced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.dict");
        let dictionary = Dictionary::new(vec![0x37, 0xa4, 0x30, 0xec, 1, 0, 0, 0].into()).unwrap();
        let targets = [false, true].map(|force| Target::new(&path, force, &[]).unwrap());
        fs::write(&path, "theirs").unwrap();
        let [careful, forced] = targets;
        assert_eq!(careful.write(&dictionary).unwrap_err().exit(), Exit::Usage);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        forced.write(&dictionary).unwrap();
        assert_eq!(fs::read(&path).unwrap(), dictionary.as_bytes());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
