//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::{ErrorKind, Pipeline, Registry, Shape, Step};
use rrss_json_codec::{JsonCodec, Options};

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = toml::from_str::<Options>(toml).unwrap_err().to_string();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn nothing_written_means_a_megabyte_a_depth_of_100_and_1_000_fields() {
    let options: Options = toml::from_str("").unwrap();
    assert_eq!(options, Options::default());
    assert_eq!((options.max_bytes, options.max_depth), (1_048_576, 127));
    assert_eq!(options.max_fields, 1_000);
}

#[test]
fn limits_out_of_range_are_refused_at_their_place() {
    for depth in ["0", "128", "1000"] {
        refused(
            &format!("max_depth = {depth}"),
            &["a number from 1 to 127", "line 1"],
        );
    }
    refused("max_bytes = 0", &["in bytes", "line 1"]);
    refused("max_bytes = 1", &["the empty one has 2 bytes"]);
    refused("max_fields = 0", &["holds nothing", "line 1"]);
    refused("max_fields = -1", &["integer"]);
    refused("max_bytes = -1", &["integer"]);
    refused("max_bytes = '1 MB'", &["string"]);
    refused("max_byte = 1", &["max_byte", "`max_bytes`"]);
}

#[test]
fn limits_in_code_are_checked_when_the_step_is_built() {
    let bytes = Options {
        max_bytes: 1,
        ..Options::default()
    };
    let depth = Options {
        max_depth: 128,
        ..Options::default()
    };
    let fields = Options {
        max_fields: 0,
        ..Options::default()
    };
    for (options, option) in [
        (bytes, "max_bytes"),
        (depth, "max_depth"),
        (fields, "max_fields"),
    ] {
        let error = JsonCodec::new(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.option(), Some(option));
    }
}

#[test]
fn options_are_written_as_they_are_read() {
    let json = serde_json::to_string(&Options::default()).unwrap();
    assert_eq!(
        json,
        r#"{"max_bytes":1048576,"max_depth":127,"max_fields":1000}"#
    );
    assert_eq!(
        serde_json::from_str::<Options>(&json).unwrap(),
        Options::default()
    );
}

#[test]
fn linking_the_crate_registers_the_step_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("json-codec").unwrap();
    assert_eq!(step.crate_name(), "rrss-json-codec");
    assert_eq!(step.summary(), "Stores a session as JSON text.");

    let mut example: toml::Table = toml::from_str(&step.example()).unwrap();
    let table = example["step"][0].as_table_mut().unwrap();
    assert_eq!(table.remove("type").unwrap().as_str(), Some("json-codec"));
    let options: Options = table.clone().try_into().unwrap();
    assert_eq!(options, Options::default());
}

#[test]
fn a_pipeline_has_at_most_one() {
    assert_eq!(JsonCodec::shape(&Options::default()), Shape::codec());
    let twice = Pipeline::builder()
        .step::<JsonCodec>(Options::default())
        .step::<JsonCodec>(Options::default())
        .build()
        .unwrap_err();
    assert!(
        twice
            .to_string()
            .contains("`json-codec` stands here a second time"),
        "{twice}"
    );
}
