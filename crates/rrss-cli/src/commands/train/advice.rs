//! What to write into the configuration, and in which order processes get it.

use std::fs;
use std::path::{Path, PathBuf};

use rrss_compression::Algorithm;

use crate::commands::dictionaries::{Compressing, folder, resolved};

/// How to use a dictionary that was written.
pub(super) struct Advice<'a> {
    pub(super) config: &'a Path,
    /// The step that makes bytes of sessions.
    pub(super) codec: &'a str,
    /// The step that compresses, where the file has one.
    pub(super) step: Option<&'a Compressing>,
    /// `min_bytes`, where it is to be lower than it is.
    pub(super) min_bytes: Option<usize>,
    /// `level`, where another one is to be taken.
    pub(super) level: Option<i32>,
    /// The new dictionary.
    pub(super) file: &'a Path,
}

impl Advice<'_> {
    /// The new dictionary as the configuration names it: relative to it, where it is below the same folder.
    pub(super) fn new_path(&self) -> String {
        let (Some(name), Ok(target), Ok(base)) = (
            self.file.file_name(),
            real(folder(self.file)),
            real(folder(self.config)),
        ) else {
            return self.file.display().to_string();
        };
        let path = target.strip_prefix(base).unwrap_or(&target).join(name);
        path.display().to_string()
    }

    /// The dictionary that compresses as the configuration is.
    pub(super) fn current(&self) -> String {
        self.old().into_iter().next().unwrap_or_default()
    }

    /// The dictionaries of the configuration, the new one first.
    pub(super) fn dictionaries(&self) -> Vec<String> {
        let mut all = vec![self.new_path()];
        all.extend(self.old());
        all
    }

    fn old(&self) -> Vec<String> {
        let paths = self.step.map_or(&[][..], |step| &step.options.dictionary);
        let is_new = |path: &Path| {
            resolved(self.config, path) == resolved(self.config, Path::new(&self.new_path()))
        };
        let old = paths.iter().filter(|path| !is_new(path));
        old.map(|path| path.display().to_string()).collect()
    }

    pub(super) fn text(&self) -> String {
        let place = match self.step {
            Some(step) => format!(
                "Put into the `compression` step of {}, line {}:",
                self.config.display(),
                step.line
            ),
            None => format!(
                "{} has no `compression` step. Put this below the step `{}`:",
                self.config.display(),
                self.codec
            ),
        };
        let name = self.file.display();
        format!(
            "{place}\n\n{}\n\
             Every process must be able to read {name} before one of them writes with it. Where several use the store,\n\
             first give all of them {}, which reads with it and does not write.\n\
             Keep {name} as you keep the store: it consists of pieces of sessions, and sessions that are written with it\n\
             are unreadable without it. On Unix this user alone may read it.\n",
            self.lines(),
            self.lines_before()
        )
    }

    /// What processes get that must read with the new dictionary while others do not have it.
    fn lines_before(&self) -> String {
        let mut paths = self.old();
        if paths.is_empty() {
            return "these lines and `write_with_dictionary = false`".to_owned();
        }
        paths.insert(1, self.new_path());
        format!("`{}`", list(&paths))
    }

    fn lines(&self) -> String {
        let mut lines = String::new();
        if self.step.is_none() {
            lines += "[[step]]\ntype = \"compression\"\n";
        }
        if self
            .step
            .is_some_and(|step| step.options.algorithm != Algorithm::Zstd)
        {
            lines += "algorithm = \"zstd\"\n";
        }
        if let Some(bytes) = self.min_bytes {
            lines += &format!("min_bytes = {bytes}\n");
        }
        if let Some(level) = self.level {
            lines += &format!("level = {level}\n");
        }
        lines += &list(&self.dictionaries());
        let reads_only = |step: &Compressing| !step.options.write_with_dictionary;
        if self.step.is_some_and(reads_only) {
            lines += "\nwrite_with_dictionary = true";
        }
        lines + "\n"
    }
}

/// The option as TOML, whose texts are written as those of JSON.
fn list(paths: &[String]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| serde_json::Value::from(path.as_str()).to_string())
        .collect();
    match &paths[..] {
        [one] => format!("dictionary = {one}"),
        all => format!("dictionary = [{}]", all.join(", ")),
    }
}

/// The folder without links and dots; "" is the current one.
fn real(folder: &Path) -> std::io::Result<PathBuf> {
    fs::canonicalize(if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    })
}
