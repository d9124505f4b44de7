//! What an editor with Taplo, such as VS Code with "Even Better TOML", makes of the schema: asked of Taplo's language server itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cli::Folder;
use serde_json::{Value, json};

/// Where `./scripts/test --install` puts it.
fn installed() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    target.join("test-tools/taplo")
}

/// What the language server answers about a file with these lines below the head, and what it finds wrong.
fn ask(lines: &str, questions: &Value) -> (Vec<Value>, Vec<Value>) {
    let tools = installed();
    let modules = tools.join("node_modules");
    assert!(
        modules.join("@taplo/lsp").is_dir(),
        "the language server is not installed; run `./scripts/test --install`"
    );
    let folder = Folder::empty();
    folder.write("rrss.schema.json", folder.ok(["schema"]));
    folder.write("rrss.toml", format!("#:schema ./rrss.schema.json\n{lines}"));
    let asked = folder.write("questions", questions.to_string());
    let node = tools.join("bin/node");
    let node = if node.is_file() { node } else { "node".into() };
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editor/drive.js");
    let output = Command::new(node)
        .arg(driver)
        .arg(folder.path())
        .env("NODE_PATH", modules)
        .stdin(fs::File::open(asked).unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let mut said: Value = serde_json::from_slice(&output.stdout).expect(&told);
    let [answers, wrong] = ["answers", "wrong"].map(|part| said[part].take());
    let list = |value: Value| value.as_array().cloned().unwrap_or_default();
    (list(answers), list(wrong))
}

/// The names that are offered, with their texts.
fn offered(answer: &Value) -> Vec<(&str, &str)> {
    let items = answer.as_array().unwrap().iter();
    items
        .map(|item| {
            let text = item["documentation"]["value"].as_str();
            (item["label"].as_str().unwrap(), text.unwrap_or_default())
        })
        .collect()
}

fn hovered(answer: &Value) -> &str {
    answer["contents"]["value"].as_str().unwrap_or_default()
}

const FILE: &str = r#"
[[step]]
type = "key-mapper"

[[step]]
type = "compression"

level = 3
algorithm = ""

[store]
conflict = "merge"

"#;

#[test]
fn each_option_is_offered_once_with_its_text_and_the_step_that_it_is_of() {
    let (answers, _) = ask(FILE, &json!([["completion", 7, 0], ["completion", 13, 0]]));
    let options = offered(&answers[0]);
    let of_step = |name: &str| options.iter().find(|(offered, _)| *offered == name);
    for name in ["min_bytes", "dictionary", "max_bytes"] {
        let (_, text) = of_step(name).unwrap();
        assert!(text.contains("`compression`: "), "{name}: {text}");
    }
    let (_, both) = of_step("max_bytes").unwrap();
    assert!(both.contains("`json-codec`: The largest session"), "{both}");
    let mut names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "each once");
    assert!(
        options.iter().all(|(_, text)| !text.is_empty()),
        "{options:?}"
    );
    let is_elsewhere = |name: &&str| name.ends_with(".env") || name.ends_with(".file");
    assert!(!names.iter().any(is_elsewhere), "{names:?}");

    let settings = offered(&answers[1]);
    assert!(settings.iter().any(|(name, _)| *name == "together"));
    assert!(
        settings.iter().all(|(_, text)| !text.is_empty()),
        "{settings:?}"
    );
}

#[test]
fn what_may_be_chosen_is_offered_as_values() {
    let (answers, _) = ask(FILE, &json!([["completion", 9, 13], ["completion", 3, 10]]));
    let algorithms: Vec<_> = offered(&answers[0]).iter().map(|(name, _)| *name).collect();
    assert_eq!(algorithms, ["\"zstd\"", "\"lz4\""]);
    let types = offered(&answers[1]);
    assert!(
        types.iter().any(|(name, _)| *name == "\"redis\""),
        "{types:?}"
    );
}

#[test]
fn the_cursor_on_an_option_shows_its_text() {
    let (answers, _) = ask(
        FILE,
        &json!([["hover", 8, 2], ["hover", 3, 1], ["hover", 12, 3]]),
    );
    let level = hovered(&answers[0]);
    assert!(
        level.starts_with("`compression`: How hard zstd tries"),
        "{level}"
    );
    assert_eq!(hovered(&answers[1]), "Which step it is.");
    let conflict = hovered(&answers[2]);
    assert!(conflict.starts_with("What a save does when"), "{conflict}");
}

#[test]
fn an_error_is_shown_at_the_option_that_it_is_about() {
    let (_, wrong) = ask(FILE, &json!([]));
    let [wrong] = &wrong[..] else {
        panic!("{wrong:?}");
    };
    assert_eq!(wrong["range"]["start"]["line"], 9, "{wrong}");
}

#[test]
fn the_file_that_init_writes_has_no_errors() {
    let folder = Folder::empty();
    assert_eq!(folder.run(["init"]).code, 0);
    let text = folder.read("rrss.toml");
    let (_, wrong) = ask(&text, &json!([]));
    assert_eq!(wrong, [] as [Value; 0]);
    let numbers = "[[step]]\ntype = \"compression\"\nmin_bytes = { env = \"A\", default = 5 }\n\
                   write_with_dictionary = { env = \"B\" }\n";
    let (_, wrong) = ask(numbers, &json!([]));
    assert_eq!(wrong, [] as [Value; 0]);
}
