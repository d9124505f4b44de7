//! Texts that must not be shown: ids, keys and values that a test plants and then looks for.

use std::error::Error;
use std::fmt::Write;

/// Texts that no error and no `Debug` may hold.
#[derive(Clone)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        assert!(
            texts.iter().all(|text| text.len() >= 8),
            "a short text may be shown by chance"
        );
        Self(texts)
    }

    /// Looks through an error as a log would show it: `Display` and `Debug` of each error of its chain.
    #[track_caller]
    pub(crate) fn are_not_in(&self, error: &(dyn Error + 'static)) {
        let mut shown = String::new();
        let mut next = Some(error);
        while let Some(error) = next {
            // Writing to a string does not fail.
            let _ = writeln!(shown, "{error}\n{error:?}\n{error:#?}");
            next = error.source();
        }
        self.are_not_shown_by(&shown);
    }

    #[track_caller]
    pub(crate) fn are_not_shown_by(&self, shown: &str) {
        for secret in &self.0 {
            assert!(!shown.contains(secret), "it shows {secret:?}: {shown}");
        }
    }
}
