//! A binary with steps of its own has the same commands, which know them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use cli::{Folder, Run};
use rrss_core::{
    Answer, BuildContext, Error, ErrorKind, Operation, Payload, Registry, Role, Shape, Step,
    StepType, Transform,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Never stores some fields.
///
/// For what must not outlive a request.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ForgetOptions {
    /// The names of the fields to leave out.
    fields: Vec<String>,
}

struct Forget(ForgetOptions);

impl Step for Forget {
    const TYPE: &'static str = "forget";
    const EXAMPLE: &'static str = "[[step]]\ntype = \"forget\"\nfields = [\"password\"]\n";
    type Options = ForgetOptions;

    fn shape(_: &ForgetOptions) -> Shape {
        Shape::on_session()
    }

    fn build(options: ForgetOptions, _: &BuildContext) -> rrss_core::Result<Role> {
        Ok(Role::transform(Self(options)))
    }
}

impl Transform for Forget {
    fn before(&self, op: &mut Operation) -> rrss_core::Result<()> {
        if let Some(session) = op.session_mut() {
            for name in &self.0.fields {
                session.remove(name);
            }
        }
        Ok(())
    }
}

/// Fails every operation with an error of one kind.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FailOptions {
    /// The kind.
    kind: String,
}

struct Fail(ErrorKind);

impl Step for Fail {
    const TYPE: &'static str = "fail";
    type Options = FailOptions;

    fn shape(_: &FailOptions) -> Shape {
        Shape::anywhere()
    }

    fn build(options: FailOptions, _: &BuildContext) -> rrss_core::Result<Role> {
        let kind = KINDS.iter().find(|(name, ..)| *name == options.kind);
        Ok(Role::transform(Self(kind.expect("a kind of the table").1)))
    }
}

impl Transform for Fail {
    fn before(&self, _: &mut Operation) -> rrss_core::Result<()> {
        let cause = std::io::Error::other("the cause");
        Err(Error::new(self.0, "it failed").with_source(cause))
    }
}

const KINDS: [(&str, ErrorKind, i32); 9] = [
    ("gone", ErrorKind::Gone, 1),
    ("corrupt", ErrorKind::Corrupt, 65),
    ("value", ErrorKind::Value, 65),
    ("too-large", ErrorKind::TooLarge, 65),
    ("unavailable", ErrorKind::Unavailable, 69),
    ("timeout", ErrorKind::Timeout, 69),
    ("conflict", ErrorKind::Conflict, 75),
    ("config", ErrorKind::Config, 78),
    ("unsupported", ErrorKind::Unsupported, 78),
];

fn run_in(registry: Registry, folder: &Folder, arguments: &[&str]) -> Run {
    let file = folder.path().join("rrss.toml");
    let config = ["shop", "--config", file.to_str().unwrap()];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = config.iter().chain(arguments);
    let exit = rrss_cli::run_with(registry, arguments, &mut out, &mut err);
    Run {
        code: exit.code().into(),
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

fn run(folder: &Folder, arguments: &[&str]) -> Run {
    let registry = Registry::linked().with::<Forget>().with::<Fail>();
    run_in(registry, folder, arguments)
}

fn with_step(step: &str) -> Folder {
    Folder::with(&format!(
        "{step}\n{}",
        cli::pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n")
    ))
}

#[test]
fn steps_shows_it_beside_the_built_in_ones() {
    let folder = Folder::empty();
    let list = run(&folder, &["steps"]);
    assert!(
        list.out.contains("forget       transform  this program"),
        "{list:?}"
    );
    assert!(list.out.contains("Never stores some fields."), "{list:?}");
    assert!(list.out.contains("key-mapper"), "{list:?}");

    let one = run(&folder, &["steps", "forget"]);
    assert_eq!(
        one.out,
        "forget: transform, session → session, from this program\n\
         \n\
         Never stores some fields.\n\
         \n\
         For what must not outlive a request.\n\
         \n\
         Options\n\
         \x20 fields: list of text (default: [])\n\
         \x20     The names of the fields to leave out.\n\
         \n\
         Example\n\
         \x20 [[step]]\n\
         \x20 type = \"forget\"\n\
         \x20 fields = [\"password\"]\n"
    );
}

#[test]
fn a_step_whose_options_have_no_defaults_is_described_too() {
    let one = run(&Folder::empty(), &["steps", "fail"]);
    assert!(one.out.starts_with("fail: from this program\n"), "{one:?}");
    assert!(one.out.contains("  kind: text (required)\n"), "{one:?}");
}

#[test]
fn the_schema_has_it() {
    let schema = run(&Folder::empty(), &["schema"]);
    let schema = serde_json::from_str(&schema.out).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let file = |option: &str| -> serde_json::Value {
        let folder = with_step(&format!(
            "[[step]]\ntype = \"forget\"\n{option} = [\"a\"]\n"
        ));
        toml::from_str(&folder.read("rrss.toml")).unwrap()
    };
    assert!(schema.is_valid(&file("fields")));
    assert!(!schema.is_valid(&file("feilds")));
}

#[test]
fn the_hint_of_a_mistyped_name_has_it() {
    let check = run(&with_step("[[step]]\ntype = \"forgot\"\n"), &["check"]);
    check.failed(78, "forgot");
    assert!(check.err.contains("`forget`"), "{check:?}");
    let steps = run(&Folder::empty(), &["steps", "forgot"]);
    steps.failed(2, "did you mean `forget`?");
}

#[test]
fn it_works_from_the_file() {
    let folder = with_step("[[step]]\ntype = \"forget\"\nfields = [\"password\"]\n");
    let check = run(&folder, &["check"]);
    assert!(
        check
            .out
            .contains("forget       session → session  this program\n"),
        "{check:?}"
    );
    let id = run(&folder, &["create", "user=ann", "password=hunter2"]).out;
    let get = run(&folder, &["get", id.trim_end()]);
    assert_eq!(get.out, "{\"user\":\"ann\"}\n");
}

/// Stores every byte inverted, as a step that encrypts stores what no dictionary can be trained on.
struct Invert;

impl Step for Invert {
    const TYPE: &'static str = "invert";
    type Options = ForgetOptions;

    fn shape(_: &ForgetOptions) -> Shape {
        Shape::on_bytes()
    }

    fn build(_: ForgetOptions, _: &BuildContext) -> rrss_core::Result<Role> {
        Ok(Role::transform(Self))
    }
}

fn inverted(payload: &mut Payload) {
    if let Payload::Bytes(bytes) = payload {
        *bytes = bytes.iter().map(|byte| !byte).collect();
    }
}

impl Transform for Invert {
    fn before(&self, op: &mut Operation) -> rrss_core::Result<()> {
        inverted(&mut op.payload);
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> rrss_core::Result<()> {
        inverted(&mut answer.payload);
        Ok(())
    }
}

#[test]
fn a_dictionary_is_trained_on_what_comes_to_compression() {
    let compression = "[[step]]\ntype = \"compression\"\n";
    let config = "[[step]]\ntype = \"forget\"\nfields = [\"password\"]\n".to_owned()
        + &cli::pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n").replace(
            compression,
            &format!("{compression}[[step]]\ntype = \"invert\"\n"),
        );
    let folder = Folder::with(&config);
    let lines: String = (0..300)
        .map(|n| {
            format!(
                "{{\"password\":\"hunter2hunter2\",\"theme\":\"dark-{}\",\"n\":{n}}}\n",
                n % 3
            )
        })
        .collect();
    folder.write("sessions.jsonl", lines);
    let registry = || Registry::linked().with::<Forget>().with::<Invert>();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (from, out) = (path("sessions.jsonl"), path("new.dict"));
    let trained = run_in(
        registry(),
        &folder,
        &["train", "--from", &from, "--out", &out],
    );
    assert_eq!(trained.code, 0, "{trained:?}");
    let dictionary = std::fs::read(&out).unwrap();
    let holds = |word: &[u8]| dictionary.windows(word.len()).any(|part| part == word);
    assert!(holds(b"theme"));
    assert!(!holds(b"hunter2"));

    for n in 0..100 {
        run_in(
            registry(),
            &folder,
            &["create", "theme=dark", &format!("n={n}")],
        );
    }
    let (theme, out) = (format!("theme={}", "dark ".repeat(10)), path("stored.dict"));
    for _ in 0..100 {
        run_in(registry(), &folder, &["create", &theme]);
    }
    let trained = run_in(registry(), &folder, &["train", "--out", &out]);
    assert_eq!(trained.code, 0, "{trained:?}");
    let dictionary = std::fs::read(&out).unwrap();
    assert!(dictionary.windows(5).any(|part| part == b"theme"));
}

#[test]
fn the_command_is_called_what_the_program_is_called() {
    let folder = Folder::empty();
    let unknown = run(&folder, &["steps", "zzz"]);
    unknown.failed(2, "`shop steps` lists those that it has");
    let create = run(&folder, &["create"]);
    create.failed(2, "Usage: shop create");
    let script = run(&folder, &["completions", "bash"]);
    assert!(script.out.contains("complete -F _shop"), "{script:?}");
}

#[test]
fn every_kind_of_failure_has_its_exit_code_and_its_causes_on_lines_of_their_own() {
    for (name, _, code) in KINDS {
        let folder = with_step(&format!("[[step]]\ntype = \"fail\"\nkind = \"{name}\"\n"));
        let failed = run(&folder, &["get", cli::UNKNOWN_ID]);
        failed.failed(code, "");
        assert_eq!(
            failed.err,
            "error: fail: it failed\n  caused by: the cause\n"
        );
    }
}

#[test]
fn two_crates_with_one_name_are_reported() {
    let registry = || Registry::linked().with_type(StepType::of::<Clash>("shop-keys", "1.0.0"));
    let folder = Folder::embedded();
    for arguments in [&["steps"][..], &["schema"], &["check"]] {
        let run = run_in(registry(), &folder, arguments);
        assert_eq!(run.code, 78, "{run:?}");
        for name in ["rrss-key-mapper", "shop-keys", "`key-mapper`"] {
            assert!(run.err.contains(name), "{run:?}");
        }
    }
}

struct Clash;

impl Step for Clash {
    const TYPE: &'static str = "key-mapper";
    type Options = ForgetOptions;

    fn shape(_: &ForgetOptions) -> Shape {
        Shape::anywhere().makes_key()
    }

    fn build(_: ForgetOptions, _: &BuildContext) -> rrss_core::Result<Role> {
        unreachable!("a registry with a clash builds nothing")
    }
}
