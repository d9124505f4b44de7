//! Dictionaries: what is stored with one is smaller, and stays readable as long as its file is configured.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rrss_compression::{Algorithm, Compression, Options};
use rrss_core::{
    Action, Answer, BuildContext, ErrorKind, Operation, Outcome, Payload, Step, Timestamp,
    Transform,
};
use support::{noise, read, session, store};
use tempfile::TempDir;

/// Another session of one shape for each number.
fn shop(number: usize) -> Vec<u8> {
    format!(
        "{{\"user_id\":{},\"roles\":[\"customer\"],\"csrf_token\":\"{:016x}\",\"locale\":\"en-GB\",\"cart\":[{{\"sku\":\
         \"{}\",\"quantity\":{},\"added_at\":\"2026-0{}-11T09:00:00Z\"}}],\"last_page\":\"/products/{}\"}}",
        number * 7_919,
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        number * 31,
        number % 5,
        number % 9 + 1,
        number * 17 % 1_000
    )
    .into_bytes()
}

/// Sessions of another application.
fn forum(number: usize) -> Vec<u8> {
    format!(
        "<thread nr={number}><unread>{}</unread></thread>",
        number * 13
    )
    .repeat(3)
    .into_bytes()
}

fn trained(folder: &Path, name: &str, sample: fn(usize) -> Vec<u8>) -> PathBuf {
    let samples: Vec<Vec<u8>> = (0..1_000).map(sample).collect();
    let path = folder.join(name);
    fs::write(&path, zstd::dict::from_samples(&samples, 4_096).unwrap()).unwrap();
    path
}

fn with(dictionary: impl IntoIterator<Item = PathBuf>) -> Options {
    Options {
        dictionary: dictionary.into_iter().collect(),
        min_bytes: 0,
        ..Options::default()
    }
}

fn without() -> Options {
    with([])
}

fn id_of(path: &Path) -> u32 {
    let bytes = fs::read(path).unwrap();
    u32::from_le_bytes(bytes[4..8].try_into().unwrap())
}

#[track_caller]
fn refused(paths: &[&Path], words: &[&str]) {
    let options = with(paths.iter().map(|path| path.to_path_buf()));
    let error = Compression::new(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some("dictionary"));
    for word in words {
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn a_dictionary_halves_what_is_stored_of_short_sessions() {
    let folder = TempDir::new().unwrap();
    let dictionary = trained(folder.path(), "shop.dict", shop);
    for number in 5_000..5_050 {
        let text = shop(number);
        let stored = store(with([dictionary.clone()]), text.clone()).unwrap();
        let plain = store(without(), text.clone()).unwrap();
        assert!(
            stored.len() * 2 < plain.len(),
            "{} {}",
            stored.len(),
            plain.len()
        );
        assert_eq!(read(with([dictionary.clone()]), stored).unwrap(), text);
    }
}

#[test]
fn sessions_of_older_dictionaries_and_of_none_stay_readable() {
    let folder = TempDir::new().unwrap();
    let old = trained(folder.path(), "old.dict", forum);
    let new = trained(folder.path(), "new.dict", shop);
    let both = with([new.clone(), old.clone()]);
    for (options, text) in [
        (with([old]), forum(9_999)),
        (with([new]), shop(9_999)),
        (without(), session(1_000)),
        (
            Options {
                algorithm: Algorithm::Lz4,
                ..without()
            },
            session(1_000),
        ),
    ] {
        let stored = store(options, text.clone()).unwrap();
        assert!(stored.len() < text.len());
        assert_eq!(read(both.clone(), stored).unwrap(), text);
    }
}

#[test]
fn a_session_whose_dictionary_is_not_configured_is_corrupt_and_its_id_is_named() {
    let folder = TempDir::new().unwrap();
    let shop_dictionary = trained(folder.path(), "shop.dict", shop);
    let other = trained(folder.path(), "forum.dict", forum);
    let stored = store(with([shop_dictionary.clone()]), shop(9_999)).unwrap();
    for options in [without(), with([other])] {
        let error = read(options, stored.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let id = format!("id {},", id_of(&shop_dictionary));
        assert!(error.message().contains(&id), "{error}");
        assert!(error.message().contains("`dictionary`"), "{error}");
    }
}

#[test]
fn a_dictionary_that_does_not_suit_makes_no_session_larger() {
    let folder = TempDir::new().unwrap();
    let dictionary = trained(folder.path(), "forum.dict", forum);
    let texts = (0..200)
        .map(shop)
        .chain([1, 10, 100, 300, 1_000, 2_000, 2_100, 4_000, 40_000].map(session))
        .chain([1, 10, 100, 1_000, 4_000].map(noise));
    for text in texts {
        let stored = store(with([dictionary.clone()]), text.clone()).unwrap();
        assert!(stored.len() <= text.len());
        let plainly = store(without(), text.clone()).unwrap().len();
        assert!(
            stored.len()
                <= plainly.max(if text.len() <= 2_048 {
                    text.len() / 3
                } else {
                    0
                }),
            "{} {plainly}",
            stored.len()
        );
        assert_eq!(read(with([dictionary.clone()]), stored).unwrap(), text);
    }
}

#[test]
fn a_damaged_frame_of_a_dictionary_never_yields_another_session() {
    let folder = TempDir::new().unwrap();
    let dictionary = trained(folder.path(), "shop.dict", shop);
    let text = shop(9_999);
    let stored = store(with([dictionary.clone()]), text.clone()).unwrap();
    let compression = |bytes: Vec<u8>| read(with([dictionary.clone()]), bytes);
    for at in 4..stored.len() {
        assert!(compression(stored[..at].to_vec()).is_err());
        let mut bytes = stored.to_vec();
        bytes[at] ^= 1;
        match compression(bytes) {
            Ok(content) => assert_eq!(content, text),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
    }
}

#[test]
fn another_dictionary_with_the_id_of_the_right_one_yields_no_session() {
    let folder = TempDir::new().unwrap();
    let right = trained(folder.path(), "right.dict", shop);
    let wrong = trained(folder.path(), "wrong.dict", forum);
    let mut bytes = fs::read(&wrong).unwrap();
    bytes[4..8].copy_from_slice(&id_of(&right).to_le_bytes());
    fs::write(&wrong, bytes).unwrap();
    let stored = store(with([right.clone()]), shop(9_999)).unwrap();
    let error = read(with([wrong.clone()]), stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    refused(&[&right, &wrong], &["wrong.dict", "right.dict", "the id"]);
    refused(&[&right, &right], &["remove one"]);
}

#[test]
fn a_file_that_is_no_dictionary_is_refused_at_its_option() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let good = trained(folder.path(), "good.dict", shop);
    let bytes = fs::read(&good).unwrap();
    let mut nameless = bytes.clone();
    nameless[4..8].fill(0);

    refused(&[&write("empty", b"")], &["empty", "is empty"]);
    refused(
        &[&write("raw", b"{\"user_id\":1}")],
        &["raw", "is no zstd dictionary"],
    );
    refused(&[&write("cut", &bytes[..3])], &["is no zstd dictionary"]);
    refused(&[&write("nameless", &nameless)], &["without an id"]);
    refused(&[&write("damaged", &bytes[..40])], &["damaged"]);
    refused(&[&good, &write("damaged", &bytes[..40])], &["damaged"]);
    refused(&[folder.path()], &["is no file"]);
    refused(
        &[&folder.path().join("gone")],
        &["gone", "could not be read"],
    );
    refused(
        &[&write("huge", &vec![0; 16 * 1024 * 1024 + 1])],
        &["16 MiB"],
    );
}

#[test]
fn lz4_with_a_dictionary_is_refused_unless_it_is_for_reading() {
    let options: Options = toml::from_str("algorithm = 'lz4'\ndictionary = 'a.dict'").unwrap();
    let error = Compression::new(options).unwrap_err();
    assert_eq!(error.option(), Some("dictionary"));
    assert!(error.message().contains("lz4 takes no dictionary"));

    let folder = TempDir::new().unwrap();
    let dictionary = trained(folder.path(), "shop.dict", shop);
    let stored = store(with([dictionary.clone()]), shop(9_999)).unwrap();
    let options = Options {
        algorithm: Algorithm::Lz4,
        write_with_dictionary: false,
        ..with([dictionary])
    };
    assert_eq!(read(options, stored).unwrap(), shop(9_999));
}

#[test]
fn a_dictionary_for_reading_reads_and_compresses_nothing() {
    let folder = TempDir::new().unwrap();
    let dictionary = trained(folder.path(), "shop.dict", shop);
    let stored = store(with([dictionary.clone()]), shop(9_999)).unwrap();
    let reading = Options {
        write_with_dictionary: false,
        ..with([dictionary])
    };
    let written = store(reading.clone(), shop(9_999)).unwrap();
    assert_eq!(written, store(without(), shop(9_999)).unwrap());
    assert_eq!(read(reading.clone(), stored).unwrap(), shop(9_999));
    assert_eq!(read(reading, written).unwrap(), shop(9_999));
}

#[test]
fn a_file_that_is_deleted_under_a_running_step_is_missed_by_the_next_one_alone() {
    let folder = TempDir::new().unwrap();
    let dictionary = trained(folder.path(), "shop.dict", shop);
    let step = Compression::new(with([dictionary.clone()])).unwrap();
    let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
    op.payload = Payload::Bytes(shop(1).into());
    step.before(&mut op).unwrap();
    let before = op.bytes().unwrap().clone();

    fs::remove_file(&dictionary).unwrap();
    let mut again = Operation::new(Action::Update, Timestamp::from_millis(0));
    again.payload = Payload::Bytes(shop(1).into());
    step.before(&mut again).unwrap();
    assert_eq!(again.bytes().unwrap(), &before);
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(before);
    step.after(&again, &mut answer).unwrap();
    assert_eq!(answer.take_bytes().unwrap(), shop(1));

    refused(&[&dictionary], &["shop.dict", "put it back"]);
}

#[test]
fn one_path_and_a_list_of_paths_are_read_and_nothing_else() {
    let parsed = |text: &str| toml::from_str::<Options>(text);
    let one = parsed("dictionary = 'a'").unwrap();
    assert_eq!(one.dictionary, [PathBuf::from("a")]);
    let two = parsed("dictionary = ['a', 'b']").unwrap();
    assert_eq!(two.dictionary, [PathBuf::from("a"), PathBuf::from("b")]);
    let json = serde_json::to_string(&two).unwrap();
    assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), two);
    for (text, words) in [
        ("dictionary = 1", "a list of paths"),
        ("dictionary = ''", "the path is empty"),
        ("dictionary = ['a', '']", "the path is empty"),
        ("dictionary = [1]", "string"),
    ] {
        let error = parsed(text).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("line 1"), "{error}");
    }
}

#[test]
fn a_path_is_relative_to_the_file_that_names_it() {
    let folder = TempDir::new().unwrap();
    trained(folder.path(), "shop.dict", shop);
    let options = || with(["shop.dict".into()]);
    assert!(Compression::build(options(), &BuildContext::in_dir(folder.path())).is_ok());
    assert!(Compression::build(options(), &BuildContext::in_dir(folder.path().join("x"))).is_err());
}

#[test]
fn steps_with_other_dictionaries_do_not_disturb_each_other_on_one_thread() {
    let folder = TempDir::new().unwrap();
    let shop_dictionary = trained(folder.path(), "shop.dict", shop);
    let forum_dictionary = trained(folder.path(), "forum.dict", forum);
    let steps = [
        Compression::new(with([shop_dictionary])).unwrap(),
        Compression::new(without()).unwrap(),
        Compression::new(with([forum_dictionary])).unwrap(),
    ];
    let written = |step: &Compression| {
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
        op.payload = Payload::Bytes(Bytes::from(shop(77)));
        step.before(&mut op).unwrap();
        op.bytes().unwrap().clone()
    };
    let first: Vec<Bytes> = steps.iter().map(written).collect();
    for _ in 0..3 {
        let again: Vec<Bytes> = steps.iter().map(written).collect();
        assert_eq!(again, first);
    }
}
