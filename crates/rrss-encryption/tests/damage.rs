//! Stored bytes that something has damaged, or that somebody has made: none of them is a session.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use bytes::Bytes;
use proptest::prelude::*;
use rrss_core::{Error, ErrorKind, InstantOption, Result, Timestamp};
use rrss_encryption::{Encryption, Options};
use support::{options, read, read_at, step, store};

const KEY: &str = "sessions:one";
const OTHER: &str = "sessions:two";
const TEXT: &str = r#"{"user_id":42,"pin":"hunter2"}"#;

#[track_caller]
fn assert_corrupt(result: Result<Bytes>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let said = format!("{error} {error:?}");
    assert!(
        !said.contains("hunter2") && !said.contains("sessions:"),
        "{said}"
    );
    error
}

#[test]
fn every_changed_byte_is_refused_whatever_it_becomes() {
    let step = step(&["2026-11"]);
    let stored = store(&step, KEY, TEXT);
    for at in 0..stored.len() {
        for change in 1..=255 {
            let mut bytes = stored.to_vec();
            bytes[at] ^= change;
            assert_corrupt(read(&step, KEY, bytes));
        }
    }
    assert_eq!(read(&step, KEY, stored).unwrap(), TEXT);
}

#[test]
fn what_is_cut_anywhere_or_goes_on_is_refused() {
    let step = step(&["2026-11"]);
    let stored = store(&step, KEY, TEXT);
    for at in 0..stored.len() {
        assert_corrupt(read(&step, KEY, stored.slice(..at)));
        assert_corrupt(read(&step, KEY, stored.slice(at + 1..)));
        let without = [&stored[..at], &stored[at + 1..]].concat();
        assert_corrupt(read(&step, KEY, without));
    }
    for more in [&b"\0"[..], b"{}", &stored.clone()] {
        assert_corrupt(read(&step, KEY, [&stored, more].concat()));
    }
}

#[test]
fn every_two_bytes_swapped_are_refused() {
    let step = step(&["2026-11"]);
    let stored = store(&step, KEY, TEXT);
    for one in 0..stored.len() {
        for other in one + 1..stored.len() {
            let mut bytes = stored.to_vec();
            bytes.swap(one, other);
            if bytes != stored {
                assert_corrupt(read(&step, KEY, bytes));
            }
        }
    }
}

#[test]
fn parts_of_two_sessions_make_no_third() {
    let step = step(&["2026-11"]);
    let [one, two] = ["42", "43"].map(|user| store(&step, KEY, TEXT.replace("42", user)));
    for at in 1..one.len() {
        let mixed = [&one[..at], &two[at..]].concat();
        if mixed != one && mixed != two {
            assert_corrupt(read(&step, KEY, mixed));
        }
    }
}

#[test]
fn a_session_is_read_under_its_own_key_alone() {
    let step = step(&["2026-11"]);
    let stored = store(&step, KEY, TEXT);
    let error = assert_corrupt(read(&step, OTHER, stored));
    assert!(error.message().contains("`2026-11`"), "{error}");
}

#[test]
fn a_session_is_read_in_its_own_store_alone() {
    let in_store = |name| Encryption::new(&options(&["2026-11"]), name).unwrap();
    let stored = store(&in_store("shop"), KEY, TEXT);
    for other in ["", "sho", "shop2", "admin"] {
        assert_corrupt(read(&in_store(other), KEY, stored.clone()));
    }
    let renamed = Options {
        namespace: Some("shop".to_owned()),
        ..options(&["2026-11"])
    };
    let renamed = Encryption::new(&renamed, "another").unwrap();
    assert_eq!(read(&renamed, KEY, stored).unwrap(), TEXT);
}

#[test]
fn a_session_does_not_change_its_key_id() {
    // Both ids have one first byte, and so the two steps one key.
    let (one, two) = (step(&["a-1"]), step(&["a-2"]));
    let mut stored = store(&one, KEY, TEXT).to_vec();
    assert_eq!(&stored[2..5], b"a-1");
    stored[4] = b'2';
    assert_corrupt(read(&two, KEY, stored));
}

#[test]
fn the_first_key_encrypts_and_all_decrypt() {
    let old = store(&step(&["2026-05"]), KEY, TEXT);
    let both = step(&["new", "2026-05"]);
    assert_eq!(read(&both, KEY, old.clone()).unwrap(), TEXT);
    let new = store(&both, KEY, TEXT);
    assert_eq!(rrss_encryption::key_id_of(&new), Some("new"));
    assert_eq!(read(&step(&["new"]), KEY, new).unwrap(), TEXT);
    let error = assert_corrupt(read(&step(&["new"]), KEY, old));
    assert!(
        error
            .message()
            .contains("under the key `2026-05`, which is not configured"),
        "{error}"
    );
}

#[test]
fn another_key_of_the_same_id_does_not_decrypt() {
    let stored = store(&step(&["2026-11"]), KEY, TEXT);
    let key = rrss_encryption::Key::generate().unwrap();
    let other = rrss_encryption::KeyOption::new("2026-11".parse().unwrap(), key);
    let other = Encryption::new(&Options::new([other]), "shop").unwrap();
    let error = assert_corrupt(read(&other, KEY, stored));
    assert!(error.message().contains("`2026-11`"), "{error}");
}

#[test]
fn two_stored_forms_of_one_session_have_nothing_in_common_but_their_head() {
    let step = step(&["2026-11"]);
    let [one, two] = [(); 2].map(|()| store(&step, KEY, TEXT));
    assert_eq!(one[..9], two[..9]);
    assert_eq!(one.len(), 9 + 12 + TEXT.len() + 16);
    assert_ne!(one[9..21], two[9..21]);
    assert_ne!(one[21..51], two[21..51]);
    let shows = one
        .windows(4)
        .any(|part| TEXT.as_bytes().windows(4).any(|text| text == part));
    assert!(!shows);
}

fn accepting_until(until: u64) -> Encryption {
    let until = InstantOption::new(Timestamp::from_millis(until));
    let options = Options {
        accept_plaintext_until: Some(until),
        ..options(&["2026-11"])
    };
    Encryption::new(&options, "shop").unwrap()
}

/// CVE-2026-39324: what does not decrypt is never taken as it is.
#[test]
fn cve_2026_39324_plain_sessions_are_refused() {
    let step = step(&["2026-11"]);
    for plain in [
        &b""[..],
        b"{}",
        TEXT.as_bytes(),
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"\x81\xa1a\x01",
    ] {
        let error = assert_corrupt(read(&step, KEY, plain));
        assert!(error.message().contains("not encrypted"), "{error}");
    }
}

#[test]
fn plain_sessions_are_read_until_the_date_and_not_a_millisecond_longer() {
    let step = accepting_until(1_000);
    for (now, is_read) in [(0, true), (999, true), (1_000, false), (u64::MAX, false)] {
        let read = read_at(&step, Timestamp::from_millis(now), KEY, TEXT);
        match is_read {
            true => assert_eq!(read.unwrap(), TEXT),
            false => {
                let error = assert_corrupt(read);
                assert!(error.message().contains("has passed"), "{error}");
            }
        }
    }
}

#[test]
fn while_plain_sessions_are_read_those_that_fail_to_decrypt_are_not() {
    let step = accepting_until(u64::MAX);
    let stored = store(&step, KEY, TEXT);
    for at in 1..stored.len() {
        let mut bytes = stored.to_vec();
        bytes[at] ^= 1;
        assert_corrupt(read(&step, KEY, bytes));
        assert_corrupt(read(&step, KEY, stored.slice(..at)));
    }
    assert_corrupt(read(&step, OTHER, stored));
    let unknown = store(&support::step(&["other"]), KEY, TEXT);
    assert_corrupt(read(&step, KEY, unknown));
}

proptest! {
    #[test]
    fn what_was_stored_is_read(
        bytes in prop::collection::vec(any::<u8>(), 0..5_000),
        key in ".{0,400}",
        name in ".{0,400}",
    ) {
        let step = Encryption::new(&options(&["2026-11"]), &name).unwrap();
        let stored = store(&step, &key, bytes.clone());
        prop_assert_eq!(read(&step, &key, stored).unwrap(), bytes);
    }

    #[test]
    fn what_is_moved_between_keys_or_stores_is_refused(
        from in ("[a-c:]{0,4}", "[a-c:]{0,4}"),
        to in ("[a-c:]{0,4}", "[a-c:]{0,4}"),
    ) {
        let step = |name: &str| Encryption::new(&options(&["2026-11"]), name).unwrap();
        let stored = store(&step(&from.0), &from.1, TEXT);
        prop_assert_eq!(read(&step(&to.0), &to.1, stored).is_ok(), from == to);
    }

    #[test]
    fn overwritten_bytes_are_refused(
        at in any::<prop::sample::Index>(),
        over in prop::collection::vec(any::<u8>(), 1..32),
    ) {
        let step = step(&["2026-11"]);
        let stored = store(&step, KEY, TEXT);
        let mut bytes = stored.to_vec();
        let at = at.index(bytes.len());
        for (byte, new) in bytes[at..].iter_mut().zip(over) {
            *byte = new;
        }
        prop_assert_eq!(read(&step, KEY, bytes.clone()).is_ok(), bytes == stored);
    }

    #[test]
    fn bytes_behind_the_version_are_corrupt(rest in prop::collection::vec(any::<u8>(), 0..100)) {
        let bytes = [&[0xc1][..], &rest].concat();
        let error = read(&step(&["2026-11"]), KEY, bytes).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}
