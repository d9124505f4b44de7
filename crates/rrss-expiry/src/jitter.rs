//! A part of a duration that is a session's own.

use std::time::Duration;

use rrss_core::StorageKey;

/// Less than `most`, in whole milliseconds: always the same for one key, and spread evenly over many.
pub(crate) fn share(key: &StorageKey, most: Duration) -> Duration {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    let share = (u128::from(hash(key.as_str())) * u128::from(most)) >> u64::BITS;
    Duration::from_millis(u64::try_from(share).unwrap_or(u64::MAX))
}

/// FNV-1a, whose upper bits are then mixed as SplitMix64 does, since those decide.
fn hash(key: &str) -> u64 {
    let mut hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str, most: Duration) -> Duration {
        share(&key.to_owned().into(), most)
    }

    #[test]
    fn a_key_has_one_share_and_it_stays_from_version_to_version() {
        let most = Duration::from_secs(1_000_000);
        assert_eq!(of("sessions:1", most), of("sessions:1", most));
        assert_eq!(hash(""), 0xf52a_15e9_a9b5_e89b);
    }

    #[test]
    fn shares_are_spread_evenly_over_the_whole_and_are_less_than_it() {
        let mut tenths = [0_u32; 10];
        for n in 0..10_000 {
            let share = of(&format!("sessions:{n}"), Duration::from_millis(1_000));
            assert!(share < Duration::from_millis(1_000));
            tenths[usize::try_from(share.as_millis() / 100).unwrap_or(10)] += 1;
        }
        assert!(
            tenths.iter().all(|count| (850..1150).contains(count)),
            "{tenths:?}"
        );
    }

    #[test]
    fn the_shortest_and_the_longest_have_shares_too() {
        assert_eq!(of("a", Duration::from_nanos(1)), Duration::ZERO);
        assert!(of("a", Duration::MAX) < Duration::MAX);
    }
}
