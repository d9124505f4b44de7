//! Hash slots: which part of a cluster has a key.
//!
//! See the [specification](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/), "Key
//! distribution model".

use std::fmt;
use std::ops::RangeInclusive;

use redis::{Arg, Cmd};

/// How many there are.
pub(super) const COUNT: u16 = 16_384;

/// The slot of a key.
pub(super) fn of(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) % COUNT
}

/// The key of a command; `None` where it has none. Of those that rrss sends, the ones that run a script say their
/// keys, which are of one slot, after the number of keys, and the others say it first.
pub(super) fn key(command: &Cmd) -> Option<&[u8]> {
    let mut words = command.args_iter().map(|word| match word {
        Arg::Simple(word) => word,
        _ => b"",
    });
    match words.next()? {
        b"PING" | b"SCAN" | b"ROLE" | b"CLUSTER" | b"SENTINEL" => None,
        b"EVALSHA" | b"EVAL" => words.nth(2),
        _ => words.next(),
    }
}

/// What is between the first `{` and the next `}`, if that is something.
fn hash_tag(key: &[u8]) -> &[u8] {
    let position = |bytes: &[u8], byte| bytes.iter().position(|other| *other == byte);
    let Some(open) = position(key, b'{') else {
        return key;
    };
    let rest = &key[open + 1..];
    match position(rest, b'}') {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    })
}

/// A set of slots. It prints, and is read, as ranges: `0-5460,9000`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Slots(
    /// Each after the one before it, with a gap in between.
    Vec<RangeInclusive<u16>>,
);

impl Slots {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn all() -> Self {
        Self(vec![0..=COUNT - 1])
    }

    pub(super) fn add(&mut self, range: RangeInclusive<u16>) {
        self.0.push(range);
        self.0.sort_unstable_by_key(|range| *range.start());
        let mut ranges = Vec::with_capacity(self.0.len());
        for range in self.0.drain(..) {
            push(&mut ranges, range);
        }
        self.0 = ranges;
    }

    pub(super) fn has(&self, slot: u16) -> bool {
        let behind = self.0.partition_point(|range| *range.end() < slot);
        self.0
            .get(behind)
            .is_some_and(|range| range.contains(&slot))
    }

    pub(super) fn first(&self) -> Option<u16> {
        self.0.first().map(|range| *range.start())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        self.0.iter().cloned().flatten()
    }

    /// Those of them that are as `wanted`.
    pub(super) fn only(&self, wanted: impl Fn(u16) -> bool) -> Self {
        let mut ranges = Vec::new();
        for slot in self.iter().filter(|slot| wanted(*slot)) {
            push(&mut ranges, slot..=slot);
        }
        Self(ranges)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut slots = Self::none();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let range = parse_range(range)?;
            match slots.0.last() {
                Some(last) if *range.start() <= *last.end() => slots.add(range),
                _ => push(&mut slots.0, range),
            }
        }
        Some(slots)
    }
}

/// Puts `range` behind the others, of which none begins after it.
fn push(ranges: &mut Vec<RangeInclusive<u16>>, range: RangeInclusive<u16>) {
    match ranges.last_mut() {
        _ if range.is_empty() => {}
        Some(last) if *range.start() <= last.end().saturating_add(1) => {
            *last = *last.start()..=*last.end().max(range.end());
        }
        _ => ranges.push(range),
    }
}

/// `0-5460`, or `9000` for one alone.
pub(super) fn parse_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let slot = |text: &str| text.parse().ok().filter(|slot| *slot < COUNT);
    Some(slot(first)?..=slot(last)?)
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}-{}", range.start(), range.end())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-16/XMODEM is that of the specification, and the slots are what Redis 7.0 answers to
    /// `CLUSTER KEYSLOT`.
    #[test]
    fn a_key_has_the_slot_that_redis_says() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        for (key, slot) in [
            ("", 0),
            ("foo", 12182),
            ("{foo}.bar", 12182),
            ("foo{}{bar}", 8363),
            ("sessions:{foo}", 12182),
        ] {
            assert_eq!(of(key.as_bytes()), slot, "{key}");
        }
    }

    #[test]
    fn a_script_says_its_key_behind_their_number() {
        let command = |words: &[&str]| {
            let mut command = Cmd::new();
            command.arg(words);
            command
        };
        for (words, expected) in [
            (&["GET", "k"][..], Some("k")),
            (&["SET", "k", "v", "NX"], Some("k")),
            (&["EVALSHA", "hash", "1", "k", "v"], Some("k")),
            (&["EVAL", "script", "1", "k"], Some("k")),
            (&["PING"], None),
            (&["SCAN", "0", "MATCH", "*"], None),
        ] {
            assert_eq!(key(&command(words)), expected.map(str::as_bytes));
        }
    }

    #[test]
    fn sets_of_slots_print_as_ranges_and_are_read_again() {
        for text in ["", "0-16383", "0-0,2-3,9-9,16383-16383"] {
            assert_eq!(Slots::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Slots::all().to_string(), "0-16383");
        for (text, whole) in [("5-9,0-4", "0-9"), ("3-7,1-4,9", "1-7,9-9"), ("2-1", "")] {
            assert_eq!(Slots::parse(text).unwrap().to_string(), whole);
        }
        assert_eq!(Slots::parse("7").unwrap().to_string(), "7-7");
        for text in ["16384", "0-16384", "a", "1-2-3", "-1"] {
            assert_eq!(Slots::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_set_is_narrowed() {
        let slots = Slots::parse("0-9").unwrap().only(|slot| slot % 5 == 0);
        assert_eq!(slots.to_string(), "0-0,5-5");
        assert_eq!((slots.first(), Slots::none().first()), (Some(0), None));
        assert_eq!(
            [0, 1, 5, 6].map(|slot| slots.has(slot)),
            [true, false, true, false]
        );
    }
}
