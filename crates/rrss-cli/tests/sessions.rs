//! The commands on sessions, with the embedded backend.

mod cli;

use cli::{Folder, UNKNOWN_ID, finish, malformed_ids};

fn fields(folder: &Folder, id: &str) -> String {
    folder.ok(["get", id])
}

#[test]
fn create_prints_the_id_and_nothing_else_and_get_prints_the_fields_in_order() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "user=ann", "n=1", r#"cart=["tea", {"a": null}]"#]);
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(
        fields(&folder, &id),
        r#"{"user":"ann","n":1,"cart":["tea",{"a":null}]}"#
    );
}

#[test]
fn get_prints_one_field_as_json() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "user=ann", "n=18446744073709551615", "empty="]);
    assert_eq!(folder.ok(["get", &id, "user"]), r#""ann""#);
    assert_eq!(folder.ok(["get", &id, "n"]), "18446744073709551615");
    assert_eq!(folder.ok(["get", &id, "empty"]), r#""""#);
    folder
        .run(["get", &id, "theme"])
        .failed(1, "no field `theme`");
}

#[test]
fn values_round_trip_exactly() {
    let folder = Folder::embedded();
    let json = r#"{"nul":"\u0000","text":"☃🦀\n","number":1.10,"big":1e300,"deep":[[[[{}]]]]}"#;
    let id = folder.ok(["create", &format!("all={json}")]);
    assert_eq!(folder.ok(["get", &id, "all"]), json);
    assert_eq!(fields(&folder, &id), format!(r#"{{"all":{json}}}"#));
}

#[test]
fn set_and_unset_change_the_fields_that_they_name_alone() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "a=1", "b=2"]);
    assert_eq!(folder.ok(["set", &id, "b=20", "c=3"]), "");
    assert_eq!(fields(&folder, &id), r#"{"a":1,"b":20,"c":3}"#);
    assert_eq!(folder.ok(["unset", &id, "a", "not-there"]), "");
    assert_eq!(fields(&folder, &id), r#"{"b":20,"c":3}"#);
    folder.ok(["unset", &id, "b", "c"]);
    assert_eq!(fields(&folder, &id), "{}");
}

#[test]
fn rotate_prints_the_new_id_and_the_old_one_is_dead() {
    let folder = Folder::embedded();
    let old = folder.ok(["create", "user=ann"]);
    let new = folder.ok(["rotate", &old]);
    assert_ne!(old, new);
    assert_eq!(fields(&folder, &new), r#"{"user":"ann"}"#);
    folder.run(["get", &old]).failed(1, "no such session");
    folder.run(["rotate", &old]).failed(1, "no such session");
    assert_eq!(folder.ok(["count"]), "1");
}

#[test]
fn delete_ends_a_session_once() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "user=ann"]);
    assert_eq!(folder.ok(["touch", &id]), "");
    assert_eq!(folder.ok(["delete", &id]), "");
    for command in ["get", "touch", "delete", "rotate"] {
        folder.run([command, &id]).failed(1, "no such session");
    }
    folder
        .run(["set", &id, "late=1"])
        .failed(1, "no such session");
    assert_eq!(folder.ok(["count"]), "0");
}

#[test]
fn an_id_that_names_no_session_is_exit_1_and_is_not_repeated() {
    let folder = Folder::embedded();
    folder.ok(["create", "user=ann"]);
    let ids = malformed_ids().into_iter().chain([UNKNOWN_ID.to_owned()]);
    for id in ids {
        // Two hyphens end the options, so that what follows is an id whatever it looks like.
        let runs = [
            folder.run(["get", "--", &id]),
            folder.run(["set", "--", &id, "a=1"]),
            folder.run(["unset", "--", &id, "a"]),
            folder.run(["touch", "--", &id]),
            folder.run(["rotate", "--", &id]),
            folder.run(["delete", "--", &id]),
        ];
        for run in runs {
            run.failed(1, "no such session");
            assert!(id.len() < 3 || !run.err.contains(&id), "{run:?}");
        }
    }
    assert_eq!(folder.ok(["count"]), "1");
}

#[test]
fn an_id_that_begins_with_a_hyphen_is_an_id() {
    let config = cli::pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n");
    let folder = Folder::with(&config.replace("\"key-mapper\"", "\"key-mapper\"\nid = \"token\""));
    let id = loop {
        let id = folder.ok(["create", "a=1"]);
        assert_eq!(id.len(), 43, "{id}");
        assert_eq!(fields(&folder, &id), r#"{"a":1}"#);
        // One in 64 begins with a hyphen, and would be found below.
        if !id.starts_with('-') {
            break id;
        }
    };
    for start in ["-", "--", "-h", "-V"] {
        let id = format!("{start}{}", &id[start.len()..]);
        folder.run(["get", &id]).failed(1, "no such session");
        folder.run(["set", &id, "a=1"]).failed(1, "no such session");
    }
}

#[test]
fn an_empty_session_is_not_stored() {
    let folder = Folder::embedded();
    let run = folder.run(["create"]);
    run.failed(2, "an empty session is not stored");
    assert!(
        run.err
            .contains("Usage: rrss create [OPTIONS] [FIELD=VALUE]..."),
        "{run:?}"
    );
    assert!(
        !folder.path().join("data").exists(),
        "the store was not opened"
    );
}

#[test]
fn a_command_line_that_is_wrong_is_exit_2() {
    let folder = Folder::embedded();
    for arguments in [
        &["no-such-command"][..],
        &["get"],
        &["set", UNKNOWN_ID],
        &["set", UNKNOWN_ID, "no-equals-sign"],
        &["create", "=1"],
        &["unset", UNKNOWN_ID],
        &["list", "--limit", "0"],
        &["list", "--limit", "many"],
        &["count", "extra"],
        &["completions", "tcsh"],
        &["check", "a.toml", "--config", "b.toml"],
        &["--config", "b.toml", "explain", "a.toml"],
    ] {
        folder.run(arguments).failed(2, "error: ");
    }
}

#[test]
fn help_and_version_are_results() {
    let folder = Folder::empty();
    let help = folder.ok(["--help"]);
    for word in ["Usage: rrss", "Exit codes:", "69", "create", "completions"] {
        assert!(help.contains(word), "{help}");
    }
    assert_eq!(
        folder.ok(["--version"]),
        format!("rrss {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn sweep_removes_what_is_past_its_deadline_and_prints_how_many() {
    let config = cli::pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n");
    let folder = Folder::with(&config.replace("\"1h\"", "\"1ms\""));
    let ids = ["a=1", "a=2", "a=3"].map(|field| folder.ok(["create", field]));
    for id in &ids {
        while folder.run(["get", id]).code == 0 {}
    }
    assert_eq!(folder.ok(["count"]), "0");
    assert_eq!(folder.ok(["sweep"]), "3");
    assert_eq!(folder.ok(["sweep"]), "0");
}

#[test]
fn the_file_is_config_else_the_variable_else_rrss_toml() {
    let folder = Folder::embedded();
    let other = |name: &str| {
        folder.write(
            name,
            cli::pipeline(&format!(
                "[[step]]\ntype = \"embedded\"\npath = \"{name}.d\"\n"
            )),
        );
    };
    other("option.toml");
    other("variable.toml");
    folder.ok(["create", "a=1"]);
    let mut count = folder.command(["count"]);
    assert_eq!(cli::run(count.env("RRSS_CONFIG", "")).out, "1\n");
    assert_eq!(
        cli::run(count.env("RRSS_CONFIG", "variable.toml")).out,
        "0\n"
    );
    let mut create = folder.command(["create", "b=1", "--config", "option.toml"]);
    assert_eq!(cli::run(create.env("RRSS_CONFIG", "variable.toml")).code, 0);
    assert_eq!(folder.ok(["--config", "option.toml", "count"]), "1");
    assert_eq!(folder.ok(["--config", "variable.toml", "count"]), "0");
}

#[test]
fn no_results_and_reports_are_coloured_unless_for_a_terminal() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "a=1"]);
    for arguments in [
        &["check"][..],
        &["steps"],
        &["steps", "redis"],
        &["explain"],
        &["get", &id],
        &["get", "nothing"],
        &["--help"],
        &["nonsense"],
        &["check", "missing.toml"],
        &["init"],
    ] {
        let plain = folder.run(arguments);
        assert!(
            !plain.out.contains('\x1b') && !plain.err.contains('\x1b'),
            "{plain:?}"
        );
        let mut command = folder.command(arguments);
        let never = cli::run(command.env("NO_COLOR", "1"));
        assert_eq!(never, plain);
    }
}

#[test]
fn colours_can_be_forced() {
    let folder = Folder::embedded();
    for (arguments, on_err) in [
        (&["check"][..], false),
        (&["steps", "redis"], false),
        (&["get", "nothing"], true),
        (&["check", "missing.toml"], true),
        (&["nonsense"], true),
    ] {
        let run = cli::run(folder.command(arguments).env("CLICOLOR_FORCE", "1"));
        let stream = if on_err { &run.err } else { &run.out };
        assert!(stream.contains("\x1b["), "{run:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_exit_74_and_a_closed_pipe_ends_quietly() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "a=1"]);
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["get", &id],
        &["steps"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(arguments);
        command.stdout(writer).stderr(std::process::Stdio::piped());
        let run = finish(command.spawn().unwrap());
        assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");

        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = folder.command(arguments);
        command.stdout(full).stderr(std::process::Stdio::piped());
        finish(command.spawn().unwrap()).failed(74, "writing the output failed");
    }
}

#[test]
fn every_command_on_a_session_reads_its_id_from_standard_input() {
    let folder = Folder::embedded();
    let id = folder.ok(["create", "user=ann"]);
    let line = format!("{id}\n");
    assert_eq!(folder.fed(["get", "-", "user"], &line).out, "\"ann\"\n");
    assert_eq!(folder.fed(["get", "-"], &id).out, "{\"user\":\"ann\"}\n");
    for arguments in [
        &["set", "-", "theme=dark"][..],
        &["unset", "-", "user"],
        &["touch", "-"],
    ] {
        assert_eq!(folder.fed(arguments, &line).code, 0, "{arguments:?}");
    }
    let shown = folder.fed(["show", "-"], &line);
    assert!(shown.out.contains("theme"), "{shown:?}");
    let new = folder.fed(["rotate", "-"], &line).out;
    assert_eq!(folder.fed(["delete", "-"], &new).code, 0);
    folder.fed(["get", "-"], &new).failed(1, "no such session");
}

#[test]
fn standard_input_that_is_not_one_id_is_refused_and_nothing_is_done() {
    let folder = Folder::embedded();
    let ids = [(); 2].map(|()| folder.ok(["create", "user=ann"]));
    let both = format!("{}\n{}\n", ids[0], ids[1]);
    let run = folder.fed(["delete", "-"], &both);
    run.failed(2, "more than one line");
    assert!(ids.iter().all(|id| !run.err.contains(id)));
    folder
        .fed(["delete", "-"], "")
        .failed(2, "no session id on standard input");
    assert_eq!(folder.ok(["count"]), "2");
}

#[test]
fn the_help_says_first_how_an_id_stays_off_the_command_line() {
    let folder = Folder::empty();
    for command in ["get", "set", "unset", "touch", "rotate", "delete", "show"] {
        let help = folder.ok([command, "--help"]);
        let said = help.split_once("Arguments:").unwrap().1;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.starts_with("<-|ID> `-` to read the id"), "{said}");
    }
}
