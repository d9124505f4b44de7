//! Pages of sorted keys.

use std::ops::Bound;

use rrss_core::KeySpace;

/// How many sessions one call looks at or removes at most, since others wait for it meanwhile.
pub(super) const AT_ONCE: usize = 1_000;

/// Where the keys of `space` after `after` begin.
pub(super) fn start<'k>(space: &'k KeySpace, after: Option<&'k str>) -> Bound<&'k str> {
    match after {
        Some(after) if after >= space.prefix() => Bound::Excluded(after),
        _ => Bound::Included(space.prefix()),
    }
}

/// Of sorted keys, each with whether it is live, the live ones of `space`: at most `limit`, and after which to go on.
pub(super) fn page<'s>(
    keys: impl Iterator<Item = (&'s str, bool)>,
    space: &KeySpace,
    limit: usize,
) -> (Vec<&'s str>, Option<&'s str>) {
    let (mut named, mut last) = (Vec::new(), None);
    let ours = keys.take_while(|(key, _)| key.starts_with(space.prefix()));
    for (seen, (key, is_live)) in ours.enumerate() {
        if named.len() == limit || seen == AT_ONCE {
            return (named, last);
        }
        if is_live && space.middle(key).is_some() {
            named.push(key);
        }
        last = Some(key);
    }
    (named, None)
}
