//! The mark of a key whose session was rotated away, and the place of one that is being rotated on a Cluster.
//!
//! Both have names of their own, so neither is a session to listings and counts. Their names begin as those of the sessions
//! do, for servers that grant a user the keys of one prefix. They have the session's key as their hash tag, so that a Cluster
//! keeps them in the session's slot.

use rrss_core::{KeySpace, Operation};

/// The key of the mark: `rotated:{KEY}` behind the prefix of the store's keys. `None` where keys have no known prefix, or
/// cannot be a hash tag.
pub(super) fn mark(key: &str, space: &KeySpace) -> Option<String> {
    companion("rotated", key, space)
}

/// Where a session that is being rotated waits on a Cluster until the old one is gone: `half:{KEY}` behind the prefix.
pub(super) fn half(key: &str, space: &KeySpace) -> Option<String> {
    companion("half", key, space)
}

/// The mark that the rotation `op` is to leave, where it is to leave one.
pub(super) fn mark_of(op: &Operation) -> Option<String> {
    let (replaced, space) = (op.replaces.as_ref()?, op.key_space.as_ref()?);
    if replaced.known_for.is_zero() {
        return None;
    }
    mark(replaced.key.as_ref()?.as_str(), space)
}

/// Whether `key`, of a listing, is none of a session but one of these.
pub(super) fn is_companion(key: &str, space: &KeySpace) -> bool {
    let rest = key.strip_prefix(space.prefix()).unwrap_or_default();
    rest.starts_with("rotated:{") || rest.starts_with("half:{")
}

fn companion(name: &str, key: &str, space: &KeySpace) -> Option<String> {
    // A key with a hash tag of its own would be in the slot of that.
    let is_plain = !key.contains(['{', '}']) && !space.prefix().contains('{');
    is_plain.then(|| format!("{}{name}:{{{key}}}", space.prefix()))
}

#[cfg(test)]
mod tests {
    use super::super::slots;
    use super::*;

    #[test]
    fn a_mark_is_in_the_slot_of_its_session_and_no_session_itself() {
        let space = KeySpace::new("sessions:", ":data").with_middle_of(2);
        let key = "sessions:42:data";
        for companion in [mark(key, &space), half(key, &space)] {
            let companion = companion.unwrap();
            assert_eq!(slots::of(companion.as_bytes()), slots::of(key.as_bytes()));
            assert!(companion.starts_with(space.prefix()), "{companion}");
            assert!(is_companion(&companion, &space) && space.middle(&companion).is_none());
        }
        assert!(!is_companion(key, &space));
    }

    #[test]
    fn a_key_with_a_hash_tag_has_no_mark() {
        let space = KeySpace::new("{app}:", "");
        assert_eq!(mark("{app}:42", &space), None);
    }
}
