//! Sessions of every kind, and bytes that are none.

use bytes::Bytes;
use rrss::Session;
use serde_json::{Value, json};

/// Sessions to try a step on: without fields, with one, with a hundred; long, short and deeply nested values; text of
/// every script; numbers at their limits; and some made by chance, the same in every run.
///
/// # Examples
///
/// ```
/// let sessions = rrss_testkit::transform::sessions();
/// assert!(sessions[0].is_empty());
/// assert!(sessions.iter().any(|session| session.len() == 100));
/// ```
#[must_use]
pub fn sessions() -> Vec<Session> {
    let deep = (0..40).fold(json!(["deep"]), |inner, n| match n % 2 {
        0 => json!([n, inner]),
        _ => json!({ "in": inner, "n": n }),
    });
    let hundred: Value = (0..100)
        .map(|n| {
            (
                format!("field-{n}"),
                json!({ "number": n, "text": "value" }),
            )
        })
        .collect();
    let mut values = vec![
        json!({}),
        json!({ "a": 1 }),
        json!({ "a": "" }),
        hundred,
        json!({ "long": "lorem ipsum dolor sit amet ".repeat(4_000) }),
        json!({ "repeats": "\0".repeat(100_000) }),
        json!({ "list": (0..5_000).collect::<Vec<_>>() }),
        json!({ "deep": deep }),
        json!({ "null": null, "true": true, "false": false, "list": [], "object": {} }),
        json!({ "most": u64::MAX, "least": i64::MIN, "exact": 9_007_199_254_740_993_u64 }),
        json!({ "zero": 0, "minus": -0.0, "half": 0.5, "huge": 1.5e300, "tiny": -2.5e-300 }),
        json!({ "": 1, " ": 2, "é☃": 3, "a\"b\\c": 4, "nul\0": 5, "a.b": 6, "\u{1}\u{7f}": 7 }),
        json!({ "scripts": "Ω ж א ع ह 中 한 🦀 👩‍👩‍👧 \u{202e}right\u{2028}\u{feff}\u{fffd}" }),
        json!({ "escapes": "\"\\/\u{8}\u{c}\n\r\t\0</script>" }),
        json!({ "like a frame": "\u{28}\u{b5}\u{2f}\u{fd}" }),
        json!({ "user": { "name": "ann", "roles": ["admin", "editor"] }, "cart": [{ "id": 7, "n": 2 }] }),
    ];
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    values.extend((0..40).map(|_| {
        let fields =
            (0..chance.below(12)).map(|n| (format!("{n}{}", chance.text()), chance.value(3)));
        fields.collect()
    }));
    values.iter().map(session).collect()
}

/// A small session.
pub(crate) fn ann() -> Session {
    session(&json!({ "user": "ann", "visits": 1 }))
}

fn session(fields: &Value) -> Session {
    let mut session = Session::new();
    for (name, value) in fields.as_object().expect("fields are an object") {
        session.insert(name, value).expect("JSON serialises");
    }
    session
}

/// Bytes that are no session, nor what a step makes of one: nothing, noise, cut text, other formats, magic numbers with
/// nothing behind them.
pub(crate) fn garbage() -> Vec<Bytes> {
    let mut chance = Chance(0xd1b5_4a32_d192_ed03);
    let noise = |chance: &mut Chance, length| -> Vec<u8> {
        // The first byte is one that nothing known begins with.
        let rest = (1..length).map(|_| chance.below(256) as u8);
        std::iter::once(0xff).chain(rest).collect()
    };
    let mut all: Vec<Vec<u8>> = [
        &b""[..],
        b" ",
        b"\0",
        b"null",
        b"[]",
        b"1",
        b"\"text\"",
        b"{",
        b"{\"user\":",
        b"{\"user\":\"ann\"",
        b"{\"user\":\"ann\"}}",
        b"{\"user\":\"\xff\"}",
        b"{user:1}",
        b"<session/>",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x04\x22\x4d\x18",
        b"\x04\x22\x4d\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x50\x2a\x4d\x18\x04\0\0\0null",
        b"\x1f\x8b\x08\0\0\0\0\0\0\0",
        b"\x80\x04\x95",
        b"\xa1\x64user\x63ann",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    all.extend([1, 2, 16, 64, 4_096].map(|length| noise(&mut chance, length)));
    all.into_iter().map(Bytes::from).collect()
}

/// Numbers that look like chance and are the same in every run: xorshift, by Marsaglia.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn text(&mut self) -> String {
        let letters = [
            'a', 'Z', '0', ' ', '"', '\\', '\0', '\n', 'é', '☃', '🦀', '{', '}', '$', '.',
        ];
        (0..self.below(20))
            .map(|_| letters[self.below(letters.len() as u64) as usize])
            .collect()
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(u64::MAX)),
            3 => json!(-(self.below(1 << 62) as i64)),
            4 => json!(self.below(1 << 50) as f64 / 1024.0),
            5 => json!(self.text()),
            6 => (0..self.below(6)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let fields = (0..self.below(6))
                    .map(|n| (format!("{n}{}", self.text()), self.value(depth - 1)));
                fields.collect()
            }
        }
    }
}
