//! `steps`: what a file may name, as a list and one by one.

mod cli;

use cli::Folder;
use serde_json::Value;

const BUILT_IN: [(&str, &str, &str); 11] = [
    ("cache", "around", "rrss-cache"),
    ("compression", "transform", "rrss-compression"),
    ("embedded", "backend", "rrss-persistence"),
    ("encryption", "transform", "rrss-encryption"),
    ("expiry", "transform", "rrss-expiry"),
    ("index", "transform", "rrss-index"),
    ("json-codec", "transform", "rrss-json-codec"),
    ("key-mapper", "transform", "rrss-key-mapper"),
    ("legacy-read", "transform", "rrss-legacy-read"),
    ("memory", "backend", "rrss-persistence"),
    ("redis", "backend", "rrss-persistence"),
];

#[test]
fn the_list_has_a_line_a_step_with_role_crate_and_summary() {
    let list = Folder::empty().ok(["steps"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), BUILT_IN.len(), "{list}");
    for (line, (name, role, from)) in lines.into_iter().zip(BUILT_IN) {
        let from = format!("{from} {}", env!("CARGO_PKG_VERSION"));
        let cells: Vec<&str> = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        assert_eq!(cells[..3], [name, role, &*from], "{list}");
        assert!(cells[3].len() > 10, "{list}");
    }
}

#[test]
fn the_list_as_json_says_the_same() {
    let list: Vec<Value> = serde_json::from_str(&Folder::empty().ok(["steps", "--json"])).unwrap();
    assert_eq!(list.len(), BUILT_IN.len());
    for (step, (name, role, from)) in list.iter().zip(BUILT_IN) {
        assert_eq!(
            (
                &step["name"],
                &step["role"],
                &step["crate"],
                &step["version"]
            ),
            (
                &name.into(),
                &role.into(),
                &from.into(),
                &env!("CARGO_PKG_VERSION").into()
            )
        );
        assert!(!step["summary"].as_str().unwrap().is_empty());
    }
}

#[test]
fn one_step_is_described_with_its_options_and_an_example() {
    let text = Folder::empty().ok(["steps", "key-mapper"]);
    for words in [
        "key-mapper: transform, id → key, from rrss-key-mapper",
        "\nOptions\n",
        "  id: \"uuid\" or \"token\" or \"tower-sessions\" or \"actix-session\" (default: \"uuid\")\n",
        "  template: text (default: \"sessions:{id}\")\n",
        "\nExample\n  [[step]]\n  type = \"key-mapper\"",
    ] {
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    assert!(
        !text.contains("# Examples"),
        "Rust is for the crate's own pages:\n{text}"
    );
}

#[test]
fn every_option_has_a_type_and_help() {
    let folder = Folder::empty();
    for (name, ..) in BUILT_IN {
        let step: Value = serde_json::from_str(&folder.ok(["steps", name, "--json"])).unwrap();
        assert!(step["shape"].is_string(), "{step:#}");
        assert!(
            !step["description"].as_str().unwrap().is_empty(),
            "{step:#}"
        );
        let options = step["options"].as_array().unwrap();
        for option in options {
            assert!(
                !option["help"].as_str().unwrap().is_empty(),
                "{name}: {option:#}"
            );
            assert_ne!(option["type"], "any value", "{name}: {option:#}");
            let required = [
                ("encryption", "keys"),
                ("index", "fields"),
                ("legacy-read", "format"),
            ];
            let is_required = required.contains(&(name, option["name"].as_str().unwrap()));
            assert_eq!(option["required"], is_required, "{name}: {option:#}");
        }
        for (option, schema) in step["schema"]["properties"].as_object().unwrap() {
            let shown = options.iter().find(|shown| shown["name"] == **option);
            let default = schema.get("default").unwrap_or(&Value::Null);
            assert_eq!(&shown.unwrap()["default"], default, "{name}: {option}");
        }
    }
}

#[test]
fn every_example_works() {
    let folder = Folder::empty();
    let example = |name: &str| -> String {
        let step = folder.ok(["steps", name, "--json"]);
        let step: Value = serde_json::from_str(&step).unwrap();
        step["example"].as_str().unwrap().to_owned() + "\n"
    };
    for backend in ["memory", "embedded", "redis"] {
        let steps = [
            "key-mapper",
            "expiry",
            "index",
            "json-codec",
            "legacy-read",
            "compression",
            "encryption",
            backend,
        ];
        // The others tell of no changes, which it goes by.
        let cache = (backend == "redis").then_some("cache");
        let mut steps = steps.to_vec();
        steps.splice(3..3, cache);
        folder.write(
            "rrss.toml",
            steps.into_iter().map(example).collect::<String>(),
        );
        // No key that stands in an example is one.
        let key = folder.ok(["keygen"]);
        let check = cli::run(folder.command(["check"]).env("RRSS_KEY", key));
        assert_eq!((check.code, &*check.err), (0, ""), "{check:?}");
        assert!(check.out.starts_with("rrss.toml: ok\n"), "{check:?}");
    }
}

#[test]
fn a_mistyped_name_gets_a_hint_and_exit_2() {
    let folder = Folder::empty();
    let run = folder.run(["steps", "key-maper"]);
    run.failed(2, "no step type `key-maper`");
    assert!(run.err.contains("did you mean `key-mapper`?"), "{run:?}");
    let run = folder.run(["steps", "zzz"]);
    run.failed(2, "`rrss steps` lists those that it has");
    assert!(run.err.contains("use the_crate as _;"), "{run:?}");
}
