//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_compression::{Algorithm, Compression, Options};
use rrss_core::{Error, ErrorKind, Pipeline, Registry, Shape, Step};

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = toml::from_str::<Options>(toml).unwrap_err().to_string();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[track_caller]
fn not_built(options: Options, option: &str) -> Error {
    let error = Compression::new(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some(option));
    error
}

#[test]
fn nothing_written_means_zstd_from_256_bytes_on() {
    let options: Options = toml::from_str("").unwrap();
    assert_eq!(options, Options::default());
    assert_eq!(options.algorithm, Algorithm::Zstd);
    assert_eq!(options.level, None);
    assert_eq!((options.min_bytes, options.max_bytes), (256, 16_777_216));
}

#[test]
fn every_level_from_1_to_19_is_accepted() {
    for level in 1..=19 {
        let options: Options = toml::from_str(&format!("level = {level}")).unwrap();
        assert_eq!(options.level, Some(level));
        assert!(Compression::new(options).is_ok());
    }
}

#[test]
fn values_out_of_range_are_refused_at_their_place() {
    for level in ["0", "-1", "20", "22"] {
        refused(&format!("level = {level}"), &["from 1 to 19", "line 1"]);
    }
    refused("level = 'max'", &["string"]);
    refused("max_bytes = 0", &["zero bytes", "line 1"]);
    refused("min_bytes = -1", &["integer"]);
    refused("algorithm = 'gzip'", &["`zstd` or `lz4`"]);
    refused("levle = 1", &["levle", "`level`"]);
}

#[test]
fn a_level_for_lz4_is_refused_when_the_step_is_built() {
    let options: Options = toml::from_str("algorithm = 'lz4'\nlevel = 1").unwrap();
    let error = not_built(options, "level");
    assert_eq!(
        error.message(),
        "lz4 has no levels; remove `level`, or write `algorithm = \"zstd\"`"
    );
}

#[test]
fn options_in_code_are_checked_when_the_step_is_built() {
    let level = Options {
        level: Some(20),
        ..Options::default()
    };
    let max_bytes = Options {
        max_bytes: 0,
        ..Options::default()
    };
    not_built(level, "level");
    not_built(max_bytes, "max_bytes");
}

#[test]
fn options_are_written_as_they_are_read() {
    let chosen = Options {
        level: Some(3),
        ..Options::default()
    };
    for options in [Options::default(), chosen] {
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
    }
}

#[test]
fn linking_the_crate_registers_the_step_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("compression").unwrap();
    assert_eq!(step.crate_name(), "rrss-compression");
    assert!(step.summary().starts_with("Stores sessions in fewer bytes"));

    let mut example: toml::Table = toml::from_str(&step.example()).unwrap();
    let table = example["step"][0].as_table_mut().unwrap();
    assert_eq!(table.remove("type").unwrap().as_str(), Some("compression"));
    let options: Options = table.clone().try_into().unwrap();
    let expected = Options {
        level: Some(1),
        ..Options::default()
    };
    assert_eq!(options, expected);
}

#[test]
fn a_pipeline_has_at_most_one_and_it_stands_below_the_codec() {
    assert_eq!(
        Compression::shape(&Options::default()),
        Shape::on_bytes().shrinks().once()
    );
    let error = Pipeline::builder()
        .step::<Compression>(Options::default())
        .step::<Compression>(Options::default())
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`compression` stands here a second time"),
        "{error}"
    );
    assert!(error.contains("`compression` takes bytes"), "{error}");
}
