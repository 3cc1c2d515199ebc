use super::*;

fn read(text: &str) -> Result<RevocationList, ListError> {
    RevocationList::from_json(text.as_bytes(), 4096, 8)
}

#[test]
fn what_is_no_list_of_entries_is_refused_as_a_whole() {
    let good = r#"{"sub": "alice"}"#;
    let list = "an object with the list `revoked` is expected";
    let time = "`issued_before` must be Unix seconds or a time such as \"2026-01-31T12:00:00Z\"";
    let unknown = "is unknown; jti, sub, sid, kid, iss and issued_before are known";
    let lacking = "one of jti, sub, sid, kid and issued_before is required";
    let entry = |entry: &str| format!(r#"{{"revoked": [{good}, {entry}]}}"#);
    let rows = [
        (String::new(), "the document ends too early at line 1, column 0".to_owned()),
        ("[]".to_owned(), list.to_owned()),
        ("{}".to_owned(), list.to_owned()),
        (r#"{"revoked": {}}"#.to_owned(), list.to_owned()),
        (r#"{"revoked": null}"#.to_owned(), list.to_owned()),
        (entry("7"), "revoked[1]: an object is expected, not a number".to_owned()),
        (entry("{}"), format!("revoked[1]: {lacking}")),
        (entry(r#"{"iss": "a"}"#), format!("revoked[1]: {lacking}")),
        (
            entry(r#"{"jti": ""}"#),
            "revoked[1]: `jti` must be a string that is not empty".to_owned(),
        ),
        (entry(r#"{"jti": 5}"#), "revoked[1]: `jti` must be a string that is not empty".to_owned()),
        (
            entry(r#"{"jti": null}"#),
            "revoked[1]: `jti` must be a string that is not empty".to_owned(),
        ),
        (entry(r#"{"sub": "a", "aud": "b"}"#), format!("revoked[1]: `aud` {unknown}")),
        (entry(r#"{"Sub\n": "a"}"#), format!("revoked[1]: `Sub?` {unknown}")),
        (entry(r#"{"issuedBefore": 5}"#), format!("revoked[1]: `issuedBefore` {unknown}")),
        (entry(r#"{"issued_before": -5}"#), format!("revoked[1]: {time}")),
        (entry(r#"{"issued_before": 5.5}"#), format!("revoked[1]: {time}")),
        (entry(r#"{"issued_before": "5"}"#), format!("revoked[1]: {time}")),
        (entry(r#"{"issued_before": "yesterday"}"#), format!("revoked[1]: {time}")),
        (entry(r#"{"issued_before": null}"#), format!("revoked[1]: {time}")),
        (" ".repeat(4097), "4097 bytes (at most 4096 are accepted)".to_owned()),
    ];
    for (text, expected) in rows {
        assert_eq!(read(&text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn entries_that_differ_in_their_time_alone_are_one() {
    for (text, entries) in [
        (r#"{"revoked": []}"#, 0),
        (r#"{"revoked": [{"jti": "a"}, {"jti": "a"}], "as_of": 5}"#, 1),
        (r#"{"revoked": [{"jti": "a"}, {"sub": "a"}, {"sid": "a"}, {"kid": "a"}]}"#, 4),
        (r#"{"revoked": [{"sub": "a"}, {"sub": "a", "issued_before": 5}]}"#, 1),
        (r#"{"revoked": [{"sub": "a", "iss": "b"}, {"sub": "a"}]}"#, 2),
        (r#"{"revoked": [{"issued_before": 5}, {"issued_before": "2026-01-31T12:00:00Z"}]}"#, 1),
    ] {
        let list = read(text).unwrap();
        assert_eq!((list.len(), list.is_empty()), (entries, entries == 0), "{text}");
    }
}

#[test]
fn lists_of_values_do_not_run_into_each_other() {
    let both = [true, true, false, false, false];
    let of = |jti, sub| key(&both, &[Some(jti), Some(sub), None, None, None]);
    assert_ne!(of("ab", "c"), of("a", "bc"));
    assert_ne!(of("", "a"), of("a", ""));
    assert_eq!(key(&both, &[Some("a"), None, None, None, None]), None);
    assert_eq!(key(&[false; 5], &[None; 5]), Some(Vec::new()));
}
