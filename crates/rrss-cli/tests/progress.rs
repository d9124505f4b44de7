//! What a command shows on a terminal while it runs, and elsewhere does not.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;
#[path = "cli/shop.rs"]
mod shop;

use cli::{Folder, Run};

/// The commands that show their progress, and what they say.
const SHOWN: [(&str, &str); 9] = [
    (
        "train --from sessions.jsonl --out new.dict --force > trained",
        "sampling sessions: ",
    ),
    (
        "train --from sessions.jsonl --out new.dict --force > trained",
        "training, ",
    ),
    ("list > out", "listing: "),
    ("find user ann > out", "finding: "),
    ("count", "counting, "),
    ("sweep", "removing what is past its deadline, "),
    ("revoke user bob", "ending sessions, "),
    ("rekey > rekeyed", "rekeying sessions: "),
    ("reindex > reindexed", "putting sessions into the index: ["),
];

fn folder() -> Folder {
    let folder = Folder::indexed();
    folder.write("key", folder.ok(["keygen"]));
    let backend = "[[step]]\ntype = \"embedded\"\n";
    let encryption =
        "[[step]]\ntype = \"encryption\"\nkeys = [{ id = \"a\", key = { file = \"key\" } }]\n\n";
    let config = folder.read("rrss.toml");
    folder.write(
        "rrss.toml",
        config.replace(backend, &format!("{encryption}{backend}")),
    );
    folder.ok(["create", "user=ann"]);
    folder.write("sessions.jsonl", shop::lines(150));
    folder
}

/// Runs the binary on a terminal, by the `script` of util-linux; what was drawn there is the output.
fn on_terminal(folder: &Folder, arguments: &str, terminal: &str) -> Run {
    let mut script = std::process::Command::new("script");
    script
        .args(["--quiet", "--return", "--command"])
        .arg(format!("\"$RRSS\" {arguments}"))
        .arg("/dev/null")
        .current_dir(folder.path())
        .env("RRSS", env!("CARGO_BIN_EXE_rrss"))
        .env("TERM", terminal)
        .env_remove("RRSS_CONFIG");
    let run = cli::run(&mut script);
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    run
}

#[test]
fn a_terminal_shows_the_progress_and_it_is_erased_at_the_end() {
    let folder = folder();
    for (arguments, words) in SHOWN {
        let run = on_terminal(&folder, arguments, "xterm");
        assert!(run.out.contains(words), "{arguments}: {run:?}");
        let last = run.out.rfind(words).unwrap();
        assert!(run.out[last..].contains("\x1b[2K"), "{arguments}: {run:?}");
    }
    let id = folder.ok(["list"]);
    assert_eq!(folder.read("out").lines().count(), 1);
    let run = on_terminal(&folder, "list", "xterm");
    assert!(
        run.out.contains("listing: ") && run.out.contains(&id),
        "{run:?}"
    );
}

#[test]
fn a_file_a_pipe_and_a_program_get_no_progress() {
    let folder = folder();
    for (arguments, words) in SHOWN {
        let run = on_terminal(&folder, &format!("{arguments} 2> err"), "xterm");
        assert!(!run.out.contains(words), "{arguments}: {run:?}");
        assert_eq!(folder.read("err"), "", "{arguments}");
        let run = on_terminal(&folder, arguments, "dumb");
        assert!(!run.out.contains(words), "{arguments}: {run:?}");
    }
    for arguments in [
        "list --json > out",
        "find user ann --json > out",
        "train --from sessions.jsonl --out new.dict --force --json > out",
        "list --json | cat",
    ] {
        let run = on_terminal(&folder, arguments, "xterm");
        assert!(!run.out.contains("ing: "), "{arguments}: {run:?}");
    }
}

#[test]
fn a_terminal_gets_columns_with_a_head() {
    let folder = Folder::indexed();
    folder.ok(["create", "user=ann"]);
    let line = folder.ok(["find", "user", "ann"]);
    let run = on_terminal(&folder, "find user ann 2> err", "xterm");
    let lines: Vec<&str> = run.out.lines().collect();
    let head: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(head, ["handle", "created", "written", "deadline"]);
    assert_eq!(lines[1..], [line.replace('\t', "  ")]);
}
