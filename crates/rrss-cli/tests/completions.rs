//! Completions for shells.

mod cli;

use cli::Folder;

#[test]
fn every_shell_gets_completions_of_every_command() {
    let folder = Folder::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.ok(["completions", shell]);
        for command in [
            "init",
            "check",
            "steps",
            "rotate",
            "find",
            "revoke",
            "show",
            "sweep",
            "train",
            "completions",
        ] {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
    }
}

#[test]
fn bash_accepts_its_completions() {
    let folder = Folder::empty();
    let script = folder.write("rrss.bash", folder.ok(["completions", "bash"]));
    let run = cli::run(std::process::Command::new("bash").arg("-n").arg(script));
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
}
