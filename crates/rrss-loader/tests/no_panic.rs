//! No text makes the loader panic, and every report can be shown.

mod steps;

use proptest::prelude::*;
use rrss_loader::Loader;

const GOOD: [&str; 4] = [
    include_str!("good/every-option.toml"),
    include_str!("good/values-from-elsewhere.toml"),
    include_str!("good/tables-of-other-forms.toml"),
    include_str!("reports/everything-at-once.toml"),
];

/// Reads a text, shows everything that there is to show, and holds the promises that every report makes.
fn read(text: &str) -> Result<(), TestCaseError> {
    let loader = Loader::new(steps::registry()).with_env(|name| match name.len() % 3 {
        0 => None,
        1 => Some(String::new()),
        _ => Some("secret value".to_owned()),
    });
    let report = match loader.read_text(text) {
        Ok(plan) => {
            plan.explain().lines().try_for_each(|line| {
                prop_assert!(
                    unicode_width::UnicodeWidthStr::width(line) <= 100,
                    "{}",
                    line
                );
                Ok(())
            })?;
            match plan.build() {
                Ok(_) => return Ok(()),
                Err(report) => report,
            }
        }
        Err(report) => report,
    };
    prop_assert!(!report.problems().is_empty());
    let lines = text.split('\n').count();
    for problem in report.problems() {
        prop_assert!(
            problem
                .line()
                .is_none_or(|line| (1..=lines).contains(&line))
        );
        prop_assert!(!problem.message().contains('\n'));
    }
    for shown in [report.render(false), report.render(true)] {
        prop_assert!(!shown.contains("secret value"), "{}", shown);
        prop_assert!(
            shown
                .lines()
                .last()
                .is_some_and(|last| last.contains("problem"))
        );
    }
    Ok(())
}

/// A piece of a file: what TOML is made of, what rrss reads in it, and what neither knows.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[[step]]\n".to_owned()),
        Just("[step]\n".to_owned()),
        Just("[store]\n".to_owned()),
        Just("[step.tls]\n".to_owned()),
        Just("{ env = \"ABC\" }".to_owned()),
        Just("{ env = \"AB\", default = \"x\" }".to_owned()),
        Just("{ file = \"Cargo.toml\" }".to_owned()),
        Just("\"\"\"".to_owned()),
        "(type|url|keys|key|id|template|name|tls|nodes|duration|min_bytes|password) = ",
        "\"(key-mapper|redis|encryption|compression|expiry|memory|json-codec|uuid)\"\n",
        "[\\[\\]{}=.,'\"\n\r\t #0-9a-zé日\u{202e}\u{0}]{0,6}",
        "\\PC{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_reported(text in "(?s).{0,300}") {
        read(&text)?;
    }

    #[test]
    fn any_heap_of_pieces_is_read_or_reported(pieces in prop::collection::vec(piece(), 0..40)) {
        read(&pieces.concat())?;
    }

    #[test]
    fn any_good_file_with_a_piece_in_a_wrong_place_is_read_or_reported(
        file in 0..GOOD.len(),
        from in any::<prop::sample::Index>(),
        removed in 0_usize..40,
        piece in piece(),
    ) {
        let chars: Vec<char> = GOOD[file].chars().collect();
        let from = from.index(chars.len());
        let to = (from + removed).min(chars.len());
        let text: String = chars[..from].iter().copied().chain(piece.chars()).chain(chars[to..].iter().copied()).collect();
        read(&text)?;
    }
}
