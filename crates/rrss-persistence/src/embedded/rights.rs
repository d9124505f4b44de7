//! Who may read the directory.

use std::path::Path;

use rrss_core::Warning;

/// What others than the owner of the directory may do with it; `None` where that is nothing, where it is missing, or where
/// the system does not tell.
pub(super) fn warning(path: &Path) -> Option<Warning> {
    let mode = mode(path)?;
    if mode & OTHERS == 0 {
        return None;
    }
    let path = path.display();
    let warning = Warning::new(format!(
        "the directory `{path}` is open to other users of this machine (mode {mode:04o}), so they may read sessions"
    ));
    Some(
        warning
            .with_option("path")
            .with_hint(format!("run `chmod 700 {}`", quoted(&path.to_string()))),
    )
}

/// What the group of a file and everybody else may do with it.
const OTHERS: u32 = 0o077;

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_dir)?;
    Some(metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

/// As one word of a shell.
fn quoted(path: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
    if path.chars().all(is_plain) && !path.starts_with('-') {
        return path.to_owned();
    }
    let path = path.replace('\'', r"'\''");
    match path.starts_with('-') {
        true => format!("-- '{path}'"),
        false => format!("'{path}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        for (path, word) in [
            ("/var/lib/shop/data-1", "/var/lib/shop/data-1"),
            ("/srv/my shop", "'/srv/my shop'"),
            ("it's", r"'it'\''s'"),
            ("-r", "-- '-r'"),
        ] {
            assert_eq!(quoted(path), word);
        }
    }
}
