//! The step, as a file says it.

use rrss::Store;
use rrss_core::{BuildContext, ErrorKind, Step};
use rrss_persistence::redis::{Compat, Hashes, Layout, Options, Redis};

fn options(toml: &str) -> Options {
    toml::from_str(toml).unwrap()
}

#[test]
fn the_options_that_go_together_are_taken() {
    for (toml, layout, compat) in [
        ("", Layout::String, None),
        ("layout = 'string'", Layout::String, None),
        ("layout = 'hash'", Layout::Hash, None),
        (
            "layout = 'hash'\ncompat = 'rrss-0.2'\ncompat_duration = '1h'",
            Layout::Hash,
            Some(Compat::Rrss02),
        ),
        (
            "layout = 'hash'\ncompat = 'rrss-0.2'\nsentinel = { master = 'm', nodes = ['localhost'] }",
            Layout::Hash,
            Some(Compat::Rrss02),
        ),
        (
            "layout = 'hash'\nnodes = ['localhost:7000']",
            Layout::Hash,
            None,
        ),
    ] {
        let options = options(toml);
        assert_eq!((options.layout, options.compat), (layout, compat));
        Redis::check(&options).unwrap();
        Redis::build(options, &BuildContext::default()).unwrap();
    }
}

#[test]
fn options_that_do_not_go_together_are_refused_at_one_of_them() {
    for (toml, option) in [
        ("compat = 'rrss-0.2'", "compat"),
        ("layout = 'string'\ncompat = 'rrss-0.2'", "compat"),
        (
            "layout = 'hash'\ncompat = 'rrss-0.2'\nnodes = ['localhost:7000']",
            "compat",
        ),
        ("layout = 'hash'\ncompat_duration = '7d'", "compat_duration"),
        (
            "layout = 'hash'\ncompat = 'rrss-0.2'\ncompat_duration = '0s'",
            "compat_duration",
        ),
        ("max_fields = 10", "max_fields"),
        ("layout = 'string'\nmax_bytes = 10", "max_bytes"),
    ] {
        let error = Redis::check(&options(toml)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.option(), Some(option), "{toml}: {error}");
    }
    for toml in [
        "layout = 'json'",
        "layout = 'hash'\ncompat = 'rrss-0.3'",
        "layout = 'hash'\nmax_fields = 0",
        "layout = 'hash'\nmax_bytes = -1",
    ] {
        toml::from_str::<Options>(toml).unwrap_err();
    }
}

#[test]
fn each_backend_refuses_the_layout_of_the_other() {
    for error in [
        Redis::new(options("layout = 'hash'")).unwrap_err(),
        Hashes::new(options("layout = 'string'")).unwrap_err(),
    ] {
        assert_eq!(error.option(), Some("layout"));
    }
    let hashes = Hashes::new(options("layout = 'hash'")).unwrap();
    assert_eq!(format!("{hashes:?}"), "Hashes in Redis at localhost:6379");
}

#[test]
fn a_codec_or_an_index_above_hashes_is_refused_with_what_to_do() {
    for (step, hint) in [
        ("json-codec", "remove `json-codec`"),
        ("index\"\nfields = [\"user\"]\n#", "remove `index`"),
    ] {
        let toml = format!(
            "[[step]]\ntype = \"key-mapper\"\n[[step]]\ntype = \"{step}\"\n[[step]]\ntype = \"redis\"\nlayout = \"hash\"\n"
        );
        let report = Store::from_toml(&toml).unwrap_err();
        let shown = format!("{report}");
        assert!(shown.contains(hint), "{shown}");
    }
}
