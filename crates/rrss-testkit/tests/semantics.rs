//! The page on semantics shows the table that the backends are held to.

use expect_test::expect_file;

const PAGE: &str = include_str!("../../../docs/semantics.md");
const MARK: &str = "-->\n\n";

#[test]
fn the_page_on_semantics_shows_the_table_that_backends_are_held_to() {
    let (head, _) = PAGE
        .split_once(MARK)
        .expect("a comment ends what is written by hand");
    let table = rrss_testkit::interleavings::markdown();
    let exceptions = rrss_testkit::exceptions::markdown();
    let page = format!("{head}{MARK}{table}\n{exceptions}");
    expect_file!["../../../docs/semantics.md"].assert_eq(&page);
}
