//! The sessions that all contenders store: their keys, and two forms of each to write in turn.

use std::time::Duration;

use bytes::Bytes;
use oorandom::Rand64;
use rrss::{Clock as _, SystemClock, Timestamp};

use crate::corpus::{self, BEGIN, CHANGED_FIELD, Size};

const SEED: u64 = 3;

/// How long a session lives after a save, as by the default of the `expiry` step.
const LIVES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub struct Sessions {
    keys: Vec<String>,
    forms: Vec<[Bytes; 2]>,
}

impl Sessions {
    pub fn new(size: Size, count: usize) -> Self {
        let mut random = Rand64::new(SEED.into());
        let keys = (0..count).map(|_| {
            let (high, low) = (random.rand_u64(), random.rand_u64());
            let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
            let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
            format!("sessions:{id}")
        });
        let texts = corpus::sessions(SEED, size, count);
        Self {
            keys: keys.collect(),
            forms: texts.into_iter().map(forms).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// What a session is stored under.
    pub fn key(&self, at: usize) -> &str {
        &self.keys[at]
    }

    /// The bytes to store: one of two forms, in turns.
    pub fn form(&self, at: usize, count: u64) -> &Bytes {
        &self.forms[at][(count % 2) as usize]
    }

    /// Whether `bytes` are one of the forms of this session.
    pub fn is_form(&self, at: usize, bytes: &[u8]) -> bool {
        self.forms[at].iter().any(|form| form == bytes)
    }
}

/// A session, and the same with one field changed.
fn forms(text: String) -> [Bytes; 2] {
    let mut map: serde_json::Map<_, _> = serde_json::from_str(&text).expect("the corpus is JSON");
    map[CHANGED_FIELD] = BEGIN.into();
    let changed = serde_json::to_vec(&map).expect("what was read is written");
    [text.into(), changed.into()]
}

/// Now, and the deadline of what is saved now.
pub fn times() -> (Timestamp, Timestamp) {
    let now = SystemClock.now();
    (now, now + LIVES)
}
