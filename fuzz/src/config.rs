//! The loader, with any text.

use std::sync::LazyLock;

use rrss_core::{ErrorKind, Registry};
use rrss_loader::Loader;

pub(crate) const WORDS: &[&str] = &[
    "[store]",
    "[[step]]",
    "step = [",
    "]",
    "{",
    "}",
    "type = ",
    "\"key-mapper\"",
    "\"expiry\"",
    "\"index\"",
    "\"cache\"",
    "\"json-codec\"",
    "\"compression\"",
    "\"memory\"",
    "\"embedded\"",
    "\"redis\"",
    "\"encryption\"",
    "\"legacy-read\"",
    "template = \"s:{id}\"",
    "duration = \"7d\"",
    "renew = \"load\"",
    "max_bytes = 1",
    "url = \"redis://localhost\"",
    "nodes = [\"a:1\"]",
    "layout = \"hash\"",
    "compat = \"rrss-0.2\"",
    "path = \"p\"",
    "fields = [\"user_id\"]",
    "= { env = \"NAME\" }",
    "{ env = \"NAME\", default = \"x\" }",
    "name = \"shop\"",
    "conflict = \"merge\"",
    "on_corrupt = \"quarantine\"",
    "\n",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "#",
    "é",
    "\\u00e9",
    "1979-05-27T07:32:00Z",
    "-1",
    "1e400",
    "true",
    ".",
    ",",
    "\u{0}",
    "\r",
    "😀",
];

static LOADER: LazyLock<Loader> = LazyLock::new(|| {
    Loader::new(Registry::linked()).with_env(|name| (name == "NAME").then(|| "7d".to_owned()))
});

pub(crate) fn run(input: &[u8]) {
    // What the files of this machine hold is not of interest, and some of its devices never end.
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if text.contains("file") || text.contains('/') && text.contains("dictionary") {
        return;
    }
    let lines = text.lines().count().max(1);
    let report = match LOADER.read_text(text) {
        Ok(plan) => {
            assert!(plan.steps().count() > 0);
            assert!(!plan.explain().is_empty());
            match plan.warnings() {
                Some(warnings) => {
                    assert!(
                        warnings
                            .problems()
                            .iter()
                            .all(|problem| problem.is_warning())
                    );
                    warnings.clone()
                }
                None => return,
            }
        }
        Err(report) => {
            assert!(
                report
                    .problems()
                    .iter()
                    .any(|problem| !problem.is_warning())
            );
            assert_eq!(report.kind(), ErrorKind::Config);
            report
        }
    };
    for problem in report.problems() {
        assert!(!problem.message().is_empty());
        let line = problem.line().unwrap_or(1);
        assert!((1..=lines + 1).contains(&line), "line {line} of {lines}");
    }
    assert!(!report.render(false).is_empty());
    assert!(!report.render(true).is_empty());
}
