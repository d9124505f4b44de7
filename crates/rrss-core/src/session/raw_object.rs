//! A JSON object as it came, with a table of where each field's raw value lies.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};

/// Tables longer than this are given back to the allocator after a scan instead of being kept for the next.
const KEPT_SLOTS: usize = 1024;

/// Up to this many fields, comparing each name with those before it is cheaper than sorting them.
const FEW: usize = 24;

/// The shortest field that is not the first: `,"":1`.
const SHORTEST_FIELD: usize = 5;

thread_local! {
    /// The table grows here and is then copied once at its exact length: one allocation for any number of fields.
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch { slots: Vec::new(), by_name: Vec::new() }) };
}

#[derive(Default)]
struct Scratch {
    slots: Vec<Slot>,
    /// The places of the slots, in the order of their names.
    by_name: Vec<u32>,
}

/// The text of one JSON object and the place of each field's value in it.
///
/// Scanning checks that the text is JSON (RFC 8259) and notes where values begin and end; it builds no values.
/// Where a name occurs twice the last value counts, as `serde_json` has it.
#[derive(Clone)]
pub(crate) struct RawObject {
    text: ByteString,
    slots: Arc<[Slot]>,
}

#[derive(Clone)]
struct Slot {
    name: Name,
    value: Range<u32>,
}

#[derive(Clone)]
enum Name {
    At(Range<u32>),
    /// A name written with escapes, as `"na\u006de"`; rare enough to keep beside the text.
    Unescaped(Box<str>),
}

impl Name {
    fn len(&self) -> usize {
        match self {
            Self::At(range) => range.len(),
            Self::Unescaped(name) => name.len(),
        }
    }
}

impl RawObject {
    /// Scans `text`. The value of the field called `reserved` is given apart and is not among the fields.
    pub(crate) fn scan(text: Bytes, reserved: Option<&str>) -> Result<(Self, Option<Bytes>)> {
        if u32::try_from(text.len()).is_err() {
            return Err(corrupt("a session of 4 GiB or more cannot be read"));
        }
        let text = ByteString::try_from(text).map_err(|error| {
            corrupt("the stored session is not UTF-8, so it is not JSON").with_source(error)
        })?;
        let json = &*text;
        let mut scratch = SCRATCH.take();
        scratch.slots.clear();
        if json.len() > KEPT_SLOTS * SHORTEST_FIELD {
            // Each field has a colon, so a large table is made at once and not by doubling.
            let colons = json.bytes().filter(|byte| *byte == b':').count();
            scratch
                .slots
                .reserve(colons.min(json.len() / SHORTEST_FIELD + 1));
        }
        let scanned = scan_into(json, reserved, &mut scratch.slots);
        let slots: Arc<[Slot]> = if scanned.is_ok() {
            keep_last_values(json, &mut scratch);
            scratch.slots.drain(..).collect()
        } else {
            Arc::default()
        };
        if scratch.slots.capacity() <= KEPT_SLOTS {
            SCRATCH.set(scratch);
        }
        let bytes = text.as_bytes();
        let apart = scanned?.map(|range| bytes.slice(range.start as usize..range.end as usize));
        Ok((Self { text, slots }, apart))
    }

    pub(crate) fn empty() -> Self {
        Self {
            text: ByteString::new(),
            slots: Arc::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The raw JSON of a field's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.slots
            .iter()
            .find(|slot| self.name(slot) == name)
            .map(|slot| self.value(slot))
    }

    /// The fields in the order of the text: name and raw JSON.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.slots
            .iter()
            .map(|slot| (self.name(slot), self.value(slot)))
    }

    fn name<'a>(&'a self, slot: &'a Slot) -> &'a str {
        match &slot.name {
            Name::At(range) => self.slice(range),
            Name::Unescaped(name) => name,
        }
    }

    fn value(&self, slot: &Slot) -> &str {
        self.slice(&slot.value)
    }

    fn slice(&self, range: &Range<u32>) -> &str {
        &self.text[range.start as usize..range.end as usize]
    }
}

impl fmt::Debug for RawObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawObject({} fields)", self.slots.len())
    }
}

fn corrupt(message: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}

fn scan_into(
    json: &str,
    reserved: Option<&str>,
    slots: &mut Vec<Slot>,
) -> Result<Option<Range<u32>>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let apart = deserializer
        .deserialize_map(Scan {
            json,
            reserved,
            slots,
        })
        .and_then(|apart| deserializer.end().map(|()| apart))
        // serde_json's own message may quote what it met, which is a value of the session: only its place is told.
        .map_err(|error| {
            Error::new(
                ErrorKind::Corrupt,
                format!(
                    "the stored session is not a JSON object (line {}, column {})",
                    error.line(),
                    error.column()
                ),
            )
        })?;
    Ok(apart)
}

struct Scan<'de, 's> {
    json: &'de str,
    reserved: Option<&'s str>,
    slots: &'s mut Vec<Slot>,
}

impl<'de> Scan<'de, '_> {
    /// Where `part`, which borrows from the text, lies in it.
    fn place(json: &'de str, part: &'de str) -> Range<u32> {
        let start = part.as_ptr().addr() - json.as_ptr().addr();
        // Lengths were checked to fit before the scan began.
        (start as u32)..((start + part.len()) as u32)
    }
}

impl<'de> Visitor<'de> for Scan<'de, '_> {
    type Value = Option<Range<u32>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self {
            json,
            reserved,
            slots,
        } = self;
        let mut apart = None;
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let raw: &'de RawValue = map.next_value()?;
            let value = Self::place(json, raw.get());
            if reserved == Some(&*name) {
                apart = Some(value);
                continue;
            }
            let name = match name {
                Cow::Borrowed(name) => Name::At(Self::place(json, name)),
                Cow::Owned(name) => Name::Unescaped(name.into()),
            };
            slots.push(Slot { name, value });
        }
        Ok(apart)
    }
}

/// Where a name occurs more than once, its first place gets its last value and the others go.
fn keep_last_values(json: &str, Scratch { slots, by_name }: &mut Scratch) {
    // Most names differ in their lengths, which are at hand.
    let has_twin_above = |at: usize| {
        let (length, name) = (slots[at].name.len(), text_of(json, &slots[at]));
        let mut above = slots[..at].iter();
        above.any(|slot| slot.name.len() == length && text_of(json, slot) == name)
    };
    if slots.len() <= FEW && !(1..slots.len()).any(has_twin_above) {
        return;
    }
    by_name.clear();
    by_name.extend(0..slots.len() as u32);
    by_name.sort_unstable_by(|one, other| {
        let (this, that) = (&slots[*one as usize], &slots[*other as usize]);
        let by_text = text_of(json, this).cmp(text_of(json, that));
        by_text.then(one.cmp(other))
    });
    let mut has_twins = false;
    // Backwards, so that the last value of a name moves up to its first place.
    for pair in (1..by_name.len()).rev() {
        let (first, later) = (by_name[pair - 1] as usize, by_name[pair] as usize);
        if text_of(json, &slots[first]) == text_of(json, &slots[later]) {
            // No value is empty, so an empty one marks a slot that goes.
            slots[first].value = std::mem::take(&mut slots[later].value);
            has_twins = true;
        }
    }
    if has_twins {
        slots.retain(|slot| !slot.value.is_empty());
    }
}

fn text_of<'a>(json: &'a str, slot: &'a Slot) -> &'a str {
    match &slot.name {
        Name::At(range) => &json[range.start as usize..range.end as usize],
        Name::Unescaped(name) => name,
    }
}

struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Self::Value, E> {
        Err(E::custom("a field name is text"))
    }
}

#[cfg(test)]
mod tests;
