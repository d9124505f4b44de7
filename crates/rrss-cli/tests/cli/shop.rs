//! Generated sessions of a shop, and stores full of them.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::Path;
use std::time::Duration;

use rrss::{Session, SessionId, Store};
use tokio::runtime::Builder;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// The session of a visitor: an account, tokens, a cart, messages. Another one for each number, of 300 to 1,500 bytes.
pub(crate) fn session(number: u64) -> String {
    let mut numbers = Numbers((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let cart: Vec<String> = (0..numbers.next() % 8)
        .map(|_| {
            format!(
                r#"{{"sku":"{:08X}","quantity":{},"price":"{}.{:02}","added_at":"2026-{:02}-{:02}T09:00:00Z"}}"#,
                numbers.next() as u32,
                numbers.next() % 9 + 1,
                numbers.next() % 200,
                numbers.next() % 100,
                numbers.next() % 12 + 1,
                numbers.next() % 28 + 1
            )
        })
        .collect();
    let roles = ["[\"customer\"]", "[\"customer\",\"reviewer\"]", "[]"];
    let flash = ["null", r#"{"level":"info","text":"Your order was placed"}"#];
    format!(
        r#"{{"user_id":{},"roles":{},"csrf_token":"{:016x}{:016x}","locale":"en-GB","cart":[{}],"last_page":"/products/{}","flash":{}}}"#,
        numbers.next() % 1_000_000,
        roles[numbers.next() as usize % 3],
        numbers.next(),
        numbers.next(),
        cart.join(","),
        numbers.next() % 10_000,
        flash[numbers.next() as usize % 2]
    )
}

/// So many sessions, one a line.
pub(crate) fn lines(count: u64) -> String {
    (0..count).map(|number| session(number) + "\n").collect()
}

/// Stores sessions in the store of this file, and answers their ids.
pub(crate) fn fill(config: &Path, numbers: impl IntoIterator<Item = u64>) -> Vec<SessionId> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::from_file(config).unwrap();
        let mut ids = Vec::new();
        for number in numbers {
            let (read, _) = Session::from_json(session(number).into(), None).unwrap();
            let mut session = Session::new();
            for (name, value) in read.iter_raw() {
                session.insert_raw(name, value).unwrap();
            }
            store.save(&mut session).await.unwrap();
            ids.push(session.id().unwrap().clone());
        }
        store.shutdown(Duration::from_secs(60)).await.unwrap();
        ids
    })
}
