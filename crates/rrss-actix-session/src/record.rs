//! Between actix-session's state, JSON text by name, and a session's fields, which are JSON text too.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::cookie::time;
use rrss::{Result, Session, Timestamp};

/// What actix-session hands over and takes back: the JSON text of each value.
pub(crate) type State = HashMap<String, String>;

/// Gives `session` the values of `state`, and the deadline; each text is looked through once, and no value is built.
pub(crate) fn fill(session: &mut Session, state: &State, deadline: Timestamp) -> Result<()> {
    for (name, json) in state {
        session.insert_raw(name, json)?;
    }
    session.set_expires_at(deadline);
    Ok(())
}

pub(crate) fn state(session: &Session) -> State {
    let owned = |(name, json): (&str, &str)| (name.to_owned(), json.to_owned());
    session.iter_raw().map(owned).collect()
}

/// The end of a life that begins now; one of no or negative length has ended.
pub(crate) fn deadline(now: Timestamp, ttl: &time::Duration) -> Timestamp {
    now + Duration::try_from(*ttl).unwrap_or_default()
}

/// Whether a deadline is so near to the one asked for that moving it is not worth a write: by a minute, or a twentieth of
/// the life where that is less.
pub(crate) fn is_near(own: Timestamp, asked: Timestamp, ttl: &time::Duration) -> bool {
    let life = Duration::try_from(*ttl).unwrap_or_default();
    let slack = (life / 20).min(Duration::from_secs(60));
    own.since(asked).max(asked.since(own)) <= slack
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn texts_come_back_as_they_were_written() {
        let written: State = [
            ("spaced", r#"{ "a" : [ 1, 2 ] }"#),
            ("large", "123456789012345678901234567890"),
            ("fraction", "1.10"),
            ("text", r#""tea \u0000 \ud83c\udf75""#),
            ("nothing", "null"),
        ]
        .map(|(name, json)| (name.to_owned(), json.to_owned()))
        .into();
        let mut session = Session::new();
        fill(&mut session, &written, NOW).unwrap();
        assert_eq!(state(&session), written);
        assert_eq!(session.own_deadline(), Some(NOW));
    }

    #[test]
    fn text_that_is_not_json_is_refused_without_being_shown() {
        let written = State::from([("user".to_owned(), "secret-value}".to_owned())]);
        let error = fill(&mut Session::new(), &written, NOW).unwrap_err();
        assert_eq!(error.kind(), rrss::ErrorKind::Value);
        assert!(!format!("{error} {error:?}").contains("secret-value"));
    }

    #[test]
    fn a_life_of_no_or_negative_length_has_ended() {
        assert_eq!(deadline(NOW, &time::Duration::ZERO), NOW);
        assert_eq!(deadline(NOW, &time::Duration::days(-3)), NOW);
        assert!(deadline(NOW, &time::Duration::MAX) > NOW);
    }

    #[test]
    fn a_deadline_is_moved_by_more_than_a_twentieth_or_a_minute() {
        let near = |life: i64, by: u64| {
            let ttl = time::Duration::seconds(life);
            is_near(NOW, NOW + Duration::from_secs(by), &ttl)
        };
        assert!(near(100, 5) && !near(100, 6));
        assert!(near(86_400, 60) && !near(86_400, 61));
        assert!(!is_near(
            NOW + Duration::from_secs(6),
            NOW,
            &time::Duration::seconds(100)
        ));
    }
}
