//! A JSON object as it came, with a table of where each field's raw value lies.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::scan;
use crate::error::{Error, ErrorKind, Result};

/// Tables longer than this are given back to the allocator after a scan instead of being kept for the next.
const KEPT_SLOTS: usize = 1024;

/// Up to this many fields, comparing each name with those before it is cheaper than sorting them.
const FEW: usize = 24;

/// Places in the names without escapes come behind those in the text, and are to fit into 32 bits too.
const LONGEST: usize = i32::MAX as usize;

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
    /// `None` where no name has escapes.
    unescaped: Option<Arc<str>>,
}

#[derive(Clone, Copy)]
struct Slot {
    name: Place,
    value: Place,
}

/// A part of the text or, from the end of the text on, of the names that are written with escapes there.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u32,
    end: u32,
}

impl Place {
    /// Lengths are checked to fit before a scan begins.
    fn of(range: Range<usize>) -> Self {
        Self {
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// What the places of slots are in.
#[derive(Clone, Copy)]
struct Texts<'t> {
    json: &'t str,
    /// The names that are written with escapes, as `"na\u006de"`, and what they are: rare enough to keep beside the text.
    unescaped: &'t str,
}

impl<'t> Texts<'t> {
    fn name(self, slot: Slot) -> &'t str {
        let name = slot.name.range();
        match name.start.checked_sub(self.json.len()) {
            None => &self.json[name],
            Some(start) => &self.unescaped[start..start + name.len()],
        }
    }

    /// The bytes of a name: that it begins and ends between characters is known, and costs where all names are compared.
    fn bytes_of_name(self, slot: Slot) -> &'t [u8] {
        let name = slot.name.range();
        match name.start.checked_sub(self.json.len()) {
            None => &self.json.as_bytes()[name],
            Some(start) => &self.unescaped.as_bytes()[start..start + name.len()],
        }
    }

    fn is_name(self, slot: Slot, name: &[u8]) -> bool {
        slot.name.len() == name.len() && self.bytes_of_name(slot) == name
    }
}

impl RawObject {
    /// Scans `text`. The value of the field called `reserved` is given apart and is not among the fields.
    pub(crate) fn scan(text: Bytes, reserved: Option<&str>) -> Result<(Self, Option<Bytes>)> {
        if text.len() > LONGEST {
            return Err(corrupt("a session of 2 GiB or more cannot be read"));
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
        let slots: Arc<[Slot]> = match &scanned {
            Some(Scanned { unescaped, .. }) => {
                keep_last_values(Texts { json, unescaped }, &mut scratch);
                scratch.slots.as_slice().into()
            }
            None => Arc::default(),
        };
        if scratch.slots.capacity() <= KEPT_SLOTS {
            SCRATCH.set(scratch);
        }
        let Scanned { apart, unescaped } = scanned.ok_or_else(|| no_object(json))?;
        let apart = apart.map(|place| text.as_bytes().slice(place.range()));
        let unescaped = (!unescaped.is_empty()).then(|| unescaped.into());
        let object = Self {
            text,
            slots,
            unescaped,
        };
        Ok((object, apart))
    }

    pub(crate) fn empty() -> Self {
        Self {
            text: ByteString::new(),
            slots: Arc::default(),
            unescaped: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The raw JSON of a field's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let texts = self.texts();
        let mut slots = self.slots.iter();
        slots
            .find(|slot| texts.is_name(**slot, name.as_bytes()))
            .map(|slot| &self.text[slot.value.range()])
    }

    /// The fields in the order of the text: name and raw JSON.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.texts();
        self.slots
            .iter()
            .map(move |slot| (texts.name(*slot), &texts.json[slot.value.range()]))
    }

    fn texts(&self) -> Texts<'_> {
        Texts {
            json: &self.text,
            unescaped: self.unescaped.as_deref().unwrap_or_default(),
        }
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

struct Scanned {
    /// The value of the reserved field.
    apart: Option<Place>,
    unescaped: String,
}

fn scan_into(json: &str, reserved: Option<&str>, slots: &mut Vec<Slot>) -> Option<Scanned> {
    let mut apart = None;
    let mut unescaped = String::new();
    scan::members(json, |member| {
        let mut name = member.name;
        if member.has_escapes {
            let start = json.len() + unescaped.len();
            unescaped.push_str(&without_escapes(json, name)?);
            name = start..json.len() + unescaped.len();
        }
        let slot = Slot {
            name: Place::of(name),
            value: Place::of(member.value),
        };
        let texts = Texts {
            json,
            unescaped: &unescaped,
        };
        if reserved.is_some_and(|reserved| texts.is_name(slot, reserved.as_bytes())) {
            apart = Some(slot.value);
        } else {
            slots.push(slot);
        }
        Some(())
    })?;
    Some(Scanned { apart, unescaped })
}

/// `None` where an escape is half of a surrogate pair, so that the name is no text.
#[cold]
fn without_escapes(json: &str, name: Range<usize>) -> Option<String> {
    let quoted = &json[name.start - 1..name.end + 1];
    serde_json::from_str(quoted).ok()
}

/// Where a name occurs more than once, its first place gets its last value and the others go.
fn keep_last_values(texts: Texts<'_>, Scratch { slots, by_name }: &mut Scratch) {
    if slots.len() <= FEW && !have_twins(texts, slots) {
        return;
    }
    by_name.clear();
    by_name.extend(0..slots.len() as u32);
    by_name.sort_unstable_by(|one, other| {
        let (this, that) = (slots[*one as usize], slots[*other as usize]);
        let by_text = texts.bytes_of_name(this).cmp(texts.bytes_of_name(that));
        by_text.then(one.cmp(other))
    });
    let mut has_twins = false;
    // Backwards, so that the last value of a name moves up to its first place.
    for pair in (1..by_name.len()).rev() {
        let (first, later) = (by_name[pair - 1] as usize, by_name[pair] as usize);
        if texts.bytes_of_name(slots[first]) == texts.bytes_of_name(slots[later]) {
            // No value is empty, so an empty one marks a slot that goes.
            slots[first].value = std::mem::take(&mut slots[later].value);
            has_twins = true;
        }
    }
    if has_twins {
        slots.retain(|slot| slot.value.len() > 0);
    }
}

/// Whether a name occurs twice; each is compared only with those before it that it may be the same as.
fn have_twins(texts: Texts<'_>, slots: &[Slot]) -> bool {
    let mut seen = 0_u64;
    slots.iter().enumerate().any(|(at, slot)| {
        let name = texts.bytes_of_name(*slot);
        let (first, last) = match name {
            [] => (0, 0),
            [first, .., last] => (*first, *last),
            [only] => (*only, *only),
        };
        // Names of one application differ in their lengths and in where they begin and end.
        let kind = name.len() ^ (usize::from(first) * 3) ^ (usize::from(last) * 7);
        let bit = 1 << (kind % 64);
        let may_be_twin = seen & bit != 0;
        seen |= bit;
        may_be_twin && slots[..at].iter().any(|above| texts.is_name(*above, name))
    })
}

/// Where the text of a session that has no fields to scan stops to be an object.
///
/// The scan keeps no places, for what they would cost it; `serde_json` finds the fault again. Its own message may quote what
/// it met, which is a value of the session: only the place is told.
#[cold]
fn no_object(json: &str) -> Error {
    match serde_json::from_str::<Members>(json) {
        Ok(_) => corrupt("the stored session is not a JSON object"),
        Err(error) => Error::new(
            ErrorKind::Corrupt,
            format!(
                "the stored session is not a JSON object (line {}, column {})",
                error.line(),
                error.column()
            ),
        ),
    }
}

/// An object whose values are passed over.
struct Members;

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<String, IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
