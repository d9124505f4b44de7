//! Where the value of an option came from, and how it is kept out of sight.

use std::fmt;

use crate::source::Span;
use crate::suggest::quote;

/// A value of an option that came from elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) span: Span,
    pub(crate) from: From,
    /// What came; it must not be shown.
    pub(crate) value: String,
}

/// Where a value came from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    Variable(String),
    /// The default of a variable that is not set; it stands in the file.
    Default(String),
    File(String),
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) | Self::Default(name) => {
                write!(f, "the environment variable {}", quote(name))
            }
            Self::File(path) => write!(f, "the file {}", quote(path)),
        }
    }
}

impl Origin {
    /// Whether the value is one that the file itself does not show.
    pub(crate) fn is_hidden(&self) -> bool {
        !matches!(self.from, From::Default(_))
    }

    /// Whether a text gives away part of the value: three characters of it are enough.
    pub(crate) fn is_given_away_by(&self, text: &str) -> bool {
        let (text, value) = (text.to_lowercase(), self.value.to_lowercase());
        let value: Vec<char> = value.chars().collect();
        let parts = value.windows(value.len().clamp(1, 3));
        parts
            .into_iter()
            .any(|part| text.contains(&part.iter().collect::<String>()))
    }

    /// A text in which the name of the variable or file stands for the value.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        if self.is_hidden() && self.value.len() > 3 {
            text.replace(&self.value, &format!("[the value of {}]", self.from))
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_characters_of_a_value_give_it_away() {
        let origin = Origin {
            path: "url".to_owned(),
            span: 0..0,
            from: From::Variable("URL".to_owned()),
            value: "Hunter2".to_owned(),
        };
        assert!(origin.is_given_away_by("not valid: HUNTER2"));
        assert!(origin.is_given_away_by("not valid: hun…"));
        assert!(!origin.is_given_away_by("it must start with redis://"));
        assert_eq!(
            origin.hide_in("opening Hunter2 failed"),
            "opening [the value of the environment variable `URL`] failed"
        );
    }
}
