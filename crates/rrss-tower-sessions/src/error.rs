//! What of tower-sessions' three errors an error of rrss becomes.

use rrss::{Error, ErrorKind};

/// The errors of tower-sessions, which both versions have, and which hold a text each.
#[derive(Debug)]
pub(crate) enum StoreError {
    Encode(String),
    Decode(String),
    Backend(String),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Value => Self::Encode(text(&error)),
            ErrorKind::Corrupt => Self::Decode(text(&error)),
            _ => Self::Backend(text(&error)),
        }
    }
}

/// The error and all that caused it: a text is all that tower-sessions keeps of it.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_place() {
        let become_of = |kind| StoreError::from(Error::new(kind, "said"));
        assert!(matches!(become_of(ErrorKind::Value), StoreError::Encode(_)));
        assert!(matches!(
            become_of(ErrorKind::Corrupt),
            StoreError::Decode(_)
        ));
        for kind in [
            ErrorKind::Unavailable,
            ErrorKind::Timeout,
            ErrorKind::Gone,
            ErrorKind::Conflict,
            ErrorKind::TooLarge,
            ErrorKind::Unsupported,
        ] {
            assert!(
                matches!(become_of(kind), StoreError::Backend(_)),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn the_causes_are_told_too() {
        let error = Error::new(ErrorKind::Unavailable, "connecting failed")
            .with_source(std::io::Error::other("connection refused"));
        let StoreError::Backend(text) = StoreError::from(error) else {
            panic!("an outage is an error of the backend");
        };
        assert_eq!(text, "connecting failed: connection refused");
    }
}
