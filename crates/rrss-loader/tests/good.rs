//! Files that a loader accepts, and what it makes of them. `UPDATE_EXPECT=1` draws the pictures anew.

mod steps;

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use rrss_core::{Error, ErrorKind};
use rrss_loader::{Loader, Plan};
use serde_json::json;

fn loader() -> Loader {
    Loader::new(steps::registry()).with_env(|name| {
        let value = match name {
            "TTL" => "45m",
            "ALGORITHM" => "lz4",
            "DICTIONARY" => "b",
            "KEY" => "hunter2hunter2",
            "NORTH" => "10.0.0.1",
            "STORE" => "shop",
            _ => return None,
        };
        Some(value.to_owned())
    })
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/good")
        .join(name)
        .with_extension("toml")
}

#[track_caller]
fn read(name: &str) -> Plan {
    loader()
        .read_file(file(name))
        .unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn every_good_file_has_its_picture() {
    let mut files = 0;
    // Tests run in the directory of their crate; the whole path is elsewhere, and of another length, on every machine.
    for entry in fs::read_dir("tests/good").unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let plan = loader()
                .read_file(&path)
                .unwrap_or_else(|report| panic!("{report}"));
            let picture = plan.explain().replace("tests/good/", "");
            for line in picture.lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
            expect_file![
                file(path.file_stem().unwrap().to_str().unwrap()).with_extension("picture")
            ]
            .assert_eq(&(picture + "\n"));
            files += 1;
        }
    }
    assert!(files >= 4);
}

#[test]
fn a_picture_shows_no_secret_and_says_where_values_come_from() {
    for name in ["every-option", "values-from-elsewhere"] {
        let plan = read(name);
        let shown = format!("{}{plan:?}", plan.explain());
        for secret in [
            "a secret key",
            "another secret",
            "a secret word",
            "a%20secret",
            "hunter2",
            "a key of two",
        ] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("[redacted]"));
    }
    let picture = read("values-from-elsewhere").explain();
    for origin in [
        "(from $TTL)",
        "(default; $NOT_SET is not set)",
        "(from the file secrets/template)",
    ] {
        assert!(picture.contains(origin), "{picture}");
    }
}

#[test]
fn values_come_from_variables_and_files() {
    let plan = read("values-from-elsewhere");
    let options: Vec<_> = plan
        .steps()
        .map(|step| (step.name(), step.options()))
        .collect();
    assert_eq!(
        options[0],
        (
            "key-mapper",
            json!({ "template": "shop:{id}", "id": "uuid" })
        )
    );
    assert_eq!(
        options[1],
        ("expiry", json!({ "duration": "45m", "absolute": "30d" }))
    );
    assert_eq!(options[3].1["algorithm"], "lz4");
    assert_eq!(options[3].1["dictionaries"], json!(["a", "b"]));
    assert_eq!(options[5].1["url"], "redis://localhost:6379");
    assert_eq!(options[5].1["nodes"], json!({ "north": "10.0.0.1" }));
    assert_eq!(
        options[5].1["tls"]["file"], "ca.pem",
        "a table that an option takes is left alone"
    );
    assert_eq!(plan.settings().name.as_deref(), Some("shop"));
}

#[test]
fn tables_may_be_written_in_every_form_of_toml() {
    let plan = read("tables-of-other-forms");
    let options: Vec<_> = plan.steps().map(|step| step.options()).collect();
    assert_eq!(options[0]["template"], "{id}");
    assert_eq!(options[1]["duration"], "45m");
    assert_eq!(
        options[3]["nodes"],
        json!({ "north": "10.0.0.1", "south": "10.0.0.1" })
    );
    assert_eq!(plan.settings().name.as_deref(), Some("shop"));
}

#[test]
fn a_plan_lists_its_steps_with_lines_shapes_and_options() {
    let plan = read("smallest");
    let steps: Vec<_> = plan
        .steps()
        .map(|step| (step.name(), step.line(), step.shape().to_string()))
        .collect();
    assert_eq!(
        steps,
        [
            ("key-mapper", 2, "id → key".to_owned()),
            ("json-codec", 5, "session → bytes".to_owned()),
            ("memory", 8, "bytes → stored".to_owned()),
        ]
    );
}

#[test]
fn a_plan_builds_the_pipeline_that_it_lists() {
    let pipeline = read("every-option").build().unwrap();
    let names: Vec<_> = pipeline.steps().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(
        names,
        [
            "key-mapper",
            "expiry",
            "json-codec",
            "compression",
            "encryption",
            "redis"
        ]
    );
    assert!(pipeline.sets_deadlines());
}

#[test]
fn sessions_that_never_end_are_worth_a_warning_and_others_are_not() {
    let plan = read("smallest");
    let warnings = plan.warnings().unwrap();
    assert_eq!(warnings.problems().len(), 1);
    assert!(warnings.problems()[0].is_warning());
    assert!(read("every-option").warnings().is_none());
}

#[test]
fn a_report_becomes_an_error_of_its_kind() {
    let report = loader().read_text("[[step]]\n").unwrap_err();
    let error = Error::from(report.clone());
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), report.to_string());

    let text = "[[step]]\ntype = 'key-mapper'\n[[step]]\ntype = 'json-codec'\n[[step]]\ntype = 'embedded'\npath = 'x'\n";
    let report = loader().read_text(text).unwrap().build().unwrap_err();
    assert_eq!(report.problems()[0].line(), Some(7));
    assert_eq!(report.problems()[0].column(), Some(8));
    assert_eq!(
        Error::from(report).kind(),
        ErrorKind::Unavailable,
        "what the step said"
    );
}

#[test]
fn an_encoder_of_the_upper_steps_opens_nothing_below_them() {
    let text = "[[step]]\ntype = 'key-mapper'\n[[step]]\ntype = 'json-codec'\n[[step]]\ntype = 'embedded'\npath = 'x'\n";
    let plan = || loader().read_text(text).unwrap();
    assert_eq!(plan().build().unwrap_err().problems()[0].line(), Some(7));
    let encoder = plan().build_encoder(2).unwrap();
    assert_eq!(format!("{encoder:?}"), r#"["key-mapper", "json-codec"]"#);
}

#[test]
fn text_is_called_text_and_relative_paths_start_in_the_current_directory() {
    let report = loader().read_text("").unwrap_err().to_string();
    assert_eq!(
        report,
        "error: the text is empty\n --> <text>\n  = help: `rrss init` writes a file that works\n\n\
         <text>: 1 problem; nothing was started"
    );
    let text = "[[step]]\ntype = 'key-mapper'\ntemplate = { file = 'tests/good/secrets/template' }\n\
                [[step]]\ntype = 'json-codec'\n[[step]]\ntype = 'memory'\n";
    let plan = loader().read_text(text).unwrap();
    assert_eq!(
        plan.steps().next().unwrap().options()["template"],
        "shop:{id}"
    );
}

#[test]
fn a_loader_is_shared_by_threads_and_a_plan_moves_between_them() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    fn moved<T: Send>(_: &T) {}
    let loader = loader();
    shared(&loader);
    shared(&loader.read_text("").unwrap_err());
    moved(&read("smallest"));
}
