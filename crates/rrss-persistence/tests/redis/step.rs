//! The step, as the registry and a file see it.

use rrss_core::{BuildContext, ErrorKind, Registry, Step};
use rrss_persistence::redis::{Options, Redis};

#[test]
fn it_is_registered_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("redis").unwrap();
    assert_eq!(
        step.summary(),
        "Keeps sessions in Redis or Valkey, one server or many, which removes them by itself at their deadline."
    );
    let mut example: toml::Table = toml::from_str(Redis::EXAMPLE).unwrap();
    let mut table = example["step"].as_array_mut().unwrap().remove(0);
    let name = table.as_table_mut().unwrap().remove("type").unwrap();
    assert_eq!(name.as_str(), Some("redis"));
    let options: Options = table.try_into().unwrap();
    assert!(Redis::shape(&options).is_backend());
    Redis::build(options, &BuildContext::default()).unwrap();
}

#[test]
fn an_option_that_is_mistyped_or_malformed_is_refused_without_its_value() {
    for toml in [
        "uri = 'redis://:hunter2@localhost'",
        "url = 'http://:hunter2@localhost'",
        "url = ['redis://:hunter2@localhost']",
        "port = 65536",
        "database = -1",
        "timeout = 'soon'",
        "timeout = 0",
        "connect_timeout = '0ms'",
        "tls = 'yes'",
    ] {
        let error = toml::from_str::<Options>(toml).unwrap_err();
        assert!(!error.message().contains("hunter2"), "{error}");
    }
}

#[test]
fn options_that_do_not_go_together_are_a_config_error_at_one_of_them() {
    let options: Options = toml::from_str("url = 'redis://localhost'\nport = 6379").unwrap();
    let error = Redis::build(options, &BuildContext::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some("port"));
}
