use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::value::RawValue;

use super::*;
use crate::Session;

#[track_caller]
fn refused<T: Serialize + ?Sized>(value: &T, why: &str) {
    let mut session = Session::new();
    let error = session.insert("pin", value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.to_string().contains("`pin`"));
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let told = format!("{error}: {source:?}");
    assert!(told.contains(why), "{told}");
    assert!(!session.is_modified());
}

#[derive(Serialize)]
enum Shape {
    Newtype(f64),
    Tuple(f64, f64),
    Struct { side: f64 },
}

#[derive(Serialize)]
struct Named {
    value: Option<f64>,
}

#[derive(Serialize)]
struct Pair(f32, f32);

#[derive(Serialize)]
#[serde(transparent)]
struct Wrapped(f64);

#[test]
fn a_number_that_is_not_finite_is_refused_wherever_it_stands() {
    let why = "NaN and infinite";
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        refused(&bad, why);
        refused(&(bad as f32), why);
        refused(&[1.0, bad], why);
        refused(&vec![vec![bad]], why);
        refused(&(1, bad), why);
        refused(&BTreeMap::from([("a", bad)]), why);
        refused(&Named { value: Some(bad) }, why);
        refused(&Pair(0.0, bad as f32), why);
        refused(&Wrapped(bad), why);
        refused(&Shape::Newtype(bad), why);
        refused(&Shape::Tuple(0.0, bad), why);
        refused(&Shape::Struct { side: bad }, why);
    }
}

#[test]
fn a_map_whose_keys_are_no_text_is_refused() {
    refused(&BTreeMap::from([(vec![1], 1)]), "key must be a string");
}

/// A list of lists, so deep, around nothing or around a struct.
#[derive(Clone, Copy)]
struct Deep(usize);

impl Serialize for Deep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_unit(),
            1 => serializer.collect_seq::<[(); 0]>([]),
            deep if deep % 2 == 0 => serializer.collect_map([("a", Self(deep - 1))]),
            deep => serializer.collect_seq([Self(deep - 1)]),
        }
    }
}

#[test]
fn one_depth_is_the_deepest_that_is_accepted_and_it_is_read_again() {
    let mut session = Session::new();
    session.insert("typed", &Deep(MAX_DEPTH)).unwrap();
    let text = session.get_raw("typed").unwrap().to_owned();
    session.insert_raw("raw", &text).unwrap();
    for name in ["typed", "raw"] {
        let read: serde_json::Value = session.get(name).unwrap().unwrap();
        assert_eq!(read.to_string(), text);
    }
    refused(&Deep(MAX_DEPTH + 1), "nested deeper than 127");
    // Deeper than a stack that is serialised recursively could hold.
    refused(&Deep(10_000_000), "nested deeper than 127");
    let deeper = format!("[{text}]");
    assert!(session.insert_raw("raw", &deeper).is_err());
}

#[test]
fn variants_count_as_the_objects_and_lists_that_they_are_written_as() {
    #[derive(Serialize, serde::Deserialize, PartialEq, Debug)]
    enum Tree {
        Leaf,
        Newtype(Box<Tree>),
        Tuple(Box<Tree>, u8),
        Struct { inner: Box<Tree> },
    }
    type Around = fn(Box<Tree>) -> Tree;
    let nested = |times: usize, around: Around| {
        (0..times).fold(Tree::Leaf, |tree, _| around(Box::new(tree)))
    };
    let cases: [(usize, Around); 3] = [
        (127, Tree::Newtype),
        (63, |tree| Tree::Tuple(tree, 0)),
        (63, |inner| Tree::Struct { inner }),
    ];
    for (deepest, around) in cases {
        let mut session = Session::new();
        let tree = nested(deepest, around);
        session.insert("tree", &tree).unwrap();
        assert_eq!(session.get("tree").unwrap(), Some(tree));
        refused(&nested(deepest + 1, around), "nested deeper");
    }
}

#[test]
fn raw_json_within_a_value_is_checked_as_raw_json() {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
    let mut session = Session::new();
    session.insert("raw", &[raw("[1]"), raw("\"a\"")]).unwrap();
    assert_eq!(session.get_raw("raw"), Some("[[1],\"a\"]"));
    let deep = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
    session.insert("raw", &raw(&deep)).unwrap();
    for bad in [&*deep, r#"{"a":1,"a":2}"#, r#""\ud800""#, "1e999"] {
        let value = [raw(bad)];
        assert!(session.insert("raw", &value).is_err(), "{bad}");
    }
}

#[test]
fn raw_json_that_does_not_decode_is_refused_and_not_quoted() {
    let mut session = Session::new();
    for bad in [
        "",
        "1 2",
        "{",
        r#"{"a":{"hunter2":1,"b":2,"hunter2":3}}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"["hunter2\ud800"]"#,
        r#"{"hunter2\udfff":1}"#,
        "1e999",
        "[-1e999]",
        "\u{a0}1",
    ] {
        let error = session.insert_raw("pin", bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{bad}");
        let told = format!("{error} {error:?}");
        assert!(
            told.contains("`pin`") && !told.contains("hunter2"),
            "{told}"
        );
    }
    assert!(!session.is_modified());
    session
        .insert_raw("spaced", "\r\n\t {\"a\": [1]} \n")
        .unwrap();
    assert_eq!(session.get_raw("spaced"), Some("{\"a\": [1]}"));
}

#[test]
fn numbers_of_every_size_come_back() {
    let mut session = Session::new();
    session.insert("big", &u128::MAX).unwrap();
    session.insert("small", &i128::MIN).unwrap();
    session.insert("least", &f64::MIN_POSITIVE).unwrap();
    session.insert("zero", &-0.0_f64).unwrap();
    session.insert("short", &f32::MAX).unwrap();
    session.insert("bytes", &Bytes(&[0, 255])).unwrap();
    assert_eq!(session.get("big").unwrap(), Some(u128::MAX));
    assert_eq!(session.get("small").unwrap(), Some(i128::MIN));
    assert_eq!(session.get("least").unwrap(), Some(f64::MIN_POSITIVE));
    let zero: f64 = session.get("zero").unwrap().unwrap();
    assert!(zero == 0.0 && zero.is_sign_negative());
    assert_eq!(session.get("short").unwrap(), Some(f32::MAX));
    assert_eq!(session.get::<Vec<u8>>("bytes").unwrap().unwrap(), [0, 255]);
    session.insert("null", &None::<u8>).unwrap();
    assert_eq!(session.get("null").unwrap(), Some(None::<u8>));
}

/// What types such as `serde_bytes::Bytes` serialise as.
struct Bytes<'b>(&'b [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[derive(Serialize, serde::Deserialize, PartialEq, Debug, Clone)]
enum Any {
    Unit,
    Text(String),
    Small(f32),
    Large(f64),
    Huge(u128, i128),
    Named { truth: bool, letter: char },
    Maybe(Option<Box<Any>>),
    List(Vec<Any>),
    Map(BTreeMap<String, Any>),
    Counted(BTreeMap<i64, Any>),
}

fn any_value() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        Just(Any::Unit),
        any::<String>().prop_map(Any::Text),
        any::<f32>().prop_map(Any::Small),
        any::<f64>().prop_map(Any::Large),
        Just(Any::Large(f64::NAN)),
        any::<(u128, i128)>().prop_map(|(one, other)| Any::Huge(one, other)),
        any::<(bool, char)>().prop_map(|(truth, letter)| Any::Named { truth, letter }),
    ];
    leaf.prop_recursive(70, 90, 3, |inner| {
        prop_oneof![
            prop::option::of(inner.clone()).prop_map(|some| Any::Maybe(some.map(Box::new))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Any::List),
            prop::collection::btree_map(any::<String>(), inner.clone(), 0..3).prop_map(Any::Map),
            prop::collection::btree_map(any::<i64>(), inner, 0..3).prop_map(Any::Counted),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_insert_accepts_get_gives_back_equal(value in any_value()) {
        let mut session = Session::new();
        if session.insert("value", &value).is_ok() {
            prop_assert_eq!(session.get("value").unwrap(), Some(value));
            let text = session.get_raw("value").unwrap().to_owned();
            session.insert_raw("raw", &text).unwrap();
            prop_assert_eq!(session.get_raw("raw"), Some(&*text));
        } else {
            prop_assert_eq!(session.len(), 0);
        }
    }
}
