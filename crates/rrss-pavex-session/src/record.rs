//! Between pavex's record, values of JSON by name, and a session's fields, which are JSON text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use pavex_session::store::{SessionRecord, SessionRecordRef};
use rrss::{Result, Session, Timestamp};
use serde_json::Value;

/// The field of a session that pavex keeps without values: rrss stores no session without fields.
const EMPTY: &str = "$pavex";

/// Gives `session` the values of `record`, and its life as a deadline.
pub(crate) fn fill(
    session: &mut Session,
    record: &SessionRecordRef<'_>,
    now: Timestamp,
) -> Result<()> {
    for (name, value) in record.state.iter() {
        session.insert(name, value)?;
    }
    if record.state.is_empty() {
        session.insert(EMPTY, &true)?;
    }
    session.set_expires_at(now + record.ttl);
    Ok(())
}

/// What pavex gets back; a session that never ends has the longest life that there is.
///
/// pavex extends a life that has become short. One that the `expiry` step bounds cannot be extended: what pavex itself gave
/// it counts then, or every reading would write.
pub(crate) fn record(session: &Session, now: Timestamp) -> serde_json::Result<SessionRecord> {
    let state: HashMap<Cow<'static, str>, Value> = session
        .iter_raw()
        .filter(|(name, _)| *name != EMPTY)
        .map(|(name, json)| Ok((Cow::Owned(name.to_owned()), serde_json::from_str(json)?)))
        .collect::<serde_json::Result<_>>()?;
    let ends = session.expires_at().max(session.own_deadline());
    let ttl = ends.map_or(Duration::MAX, |ends| ends.since(now));
    Ok(SessionRecord { state, ttl })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn there_and_back(state: HashMap<Cow<'static, str>, Value>) -> (Session, SessionRecord) {
        let mut session = Session::new();
        let given = SessionRecordRef {
            state: Cow::Owned(state),
            ttl: Duration::from_secs(60),
        };
        fill(&mut session, &given, NOW).unwrap();
        let back = record(&session, NOW).unwrap();
        (session, back)
    }

    #[test]
    fn values_come_back() {
        let state: HashMap<Cow<'static, str>, Value> = HashMap::from([
            ("text".into(), json!("tea \u{0} 🍵")),
            ("large".into(), json!(u64::MAX)),
            ("fraction".into(), json!(0.1)),
            ("nested".into(), json!({ "a": [1, { "b": null }] })),
        ]);
        let (_, back) = there_and_back(state.clone());
        assert_eq!(back.state, state);
        assert_eq!(back.ttl, Duration::from_secs(60));
    }

    #[test]
    fn a_session_without_values_is_one_that_can_be_stored() {
        let (session, back) = there_and_back(HashMap::new());
        assert!(!session.is_empty());
        assert!(back.state.is_empty());
    }

    #[test]
    fn a_session_that_never_ends_has_the_longest_life() {
        let back = record(&Session::new(), NOW).unwrap();
        assert_eq!(back.ttl, Duration::MAX);
    }
}
