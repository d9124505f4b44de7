use super::*;

fn scan(json: &str) -> Result<Vec<(String, String)>> {
    let (object, _) = RawObject::scan(Bytes::copy_from_slice(json.as_bytes()), None)?;
    Ok(object
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn values_are_the_bytes_of_the_text() {
    let fields = scan(r#" {"a" : [1, 2.50] , "b":{"c":"\u00e9"},"d":null} "#).unwrap();
    assert_eq!(
        fields,
        [
            pair("a", "[1, 2.50]"),
            pair("b", r#"{"c":"\u00e9"}"#),
            pair("d", "null")
        ]
    );
}

#[test]
fn names_with_escapes_are_read_unescaped() {
    assert_eq!(
        scan(r#"{"na\u006de":1,"\u0000":2}"#).unwrap(),
        [pair("name", "1"), pair("\0", "2")]
    );
}

#[test]
fn the_last_of_two_values_of_one_name_counts() {
    assert_eq!(
        scan(r#"{"a":1,"b":2,"\u0061":3}"#).unwrap(),
        [pair("a", "3"), pair("b", "2")]
    );
    let mut many: String = (0..100).map(|n| format!("\"f{n}\":{n},")).collect();
    many.insert(0, '{');
    many.push_str(r#""f7":"x","f7":"y","f99":"z"}"#);
    let fields = scan(&many).unwrap();
    assert_eq!(fields.len(), 100);
    assert_eq!(fields[7], pair("f7", "\"y\""));
    assert_eq!(fields[99], pair("f99", "\"z\""));
}

#[test]
fn the_reserved_field_is_given_apart() {
    let text = Bytes::from_static(br#"{"$":{"v":1},"a":2}"#);
    let (object, apart) = RawObject::scan(text, Some("$")).unwrap();
    assert_eq!(apart.unwrap(), br#"{"v":1}"#.as_slice());
    assert_eq!(object.len(), 1);
    assert_eq!(object.get("$"), None);
}

#[test]
fn what_is_no_object_is_corrupt_and_is_not_quoted() {
    for json in [
        "",
        "[]",
        "1",
        "{",
        r#"{"secret":1"#,
        r#"{"a":1}x"#,
        r#"{"a"}"#,
        r#"{a:1}"#,
        "{\"a\":\"\n\"}",
    ] {
        let error = scan(json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{json}");
        assert!(!error.to_string().contains("secret"));
    }
    let error = RawObject::scan(Bytes::from_static(b"{\"a\":\"\xff\"}"), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

proptest::proptest! {
    #[test]
    fn scanning_accepts_what_serde_json_accepts_and_finds_the_same_values(text in r#"\{("[ab]{0,2}":(1|"x"|\[\]|\{"a":1\}|tru|nul),?){0,4}\}?"#) {
        type Map = serde_json::Map<String, serde_json::Value>;
        let oracle: std::result::Result<Map, _> = serde_json::from_str(&text);
        match (oracle, scan(&text)) {
            (Ok(map), Ok(fields)) => {
                proptest::prop_assert_eq!(map.len(), fields.len());
                for (name, raw) in fields {
                    let value: serde_json::Value = serde_json::from_str(&raw).unwrap();
                    proptest::prop_assert_eq!(&map[&name], &value);
                }
            }
            (Err(_), Err(_)) => {}
            (oracle, ours) => proptest::prop_assert!(false, "{text}: {oracle:?} against {ours:?}"),
        }
    }
}
