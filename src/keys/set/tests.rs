use super::*;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn okp(kid: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"{kid}"}}"#)
}

fn read(keys: &[String], limits: &KeyLimits) -> Result<(KeySet, Vec<Skipped>), KeySetError> {
    KeySet::from_json(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes(), limits)
}

fn set(kids: &[&str]) -> KeySet {
    let keys: Vec<_> = kids.iter().map(|kid| okp(kid)).collect();
    read(&keys, &KeyLimits::default()).unwrap().0
}

/// Places in the set of the keys to try.
fn tried(set: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> Vec<usize> {
    let place = |key: &Key| set.keys.iter().position(|k| std::ptr::eq(k, key)).unwrap();
    set.candidates(kid, algorithm).map(place).collect()
}

#[test]
fn keys_are_chosen_by_kid() {
    let set = set(&["a", "", "b", "a", "A"]);
    for (kid, expected) in [
        (Some("a"), &[0, 3, 1][..]),
        (Some("b"), &[2, 1]),
        (Some("A"), &[4, 1]),
        (Some("unknown"), &[1]),
        (Some("a "), &[1]),
        (Some(""), &[0, 1, 2, 3]),
        (None, &[0, 1, 2, 3]),
    ] {
        assert_eq!(tried(&set, kid, Algorithm::EdDsa), expected, "{kid:?}");
    }
}

#[test]
fn only_keys_that_serve_the_algorithm_are_tried() {
    let secret = r#"{"kty":"oct","kid":"a","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
    let limits = KeyLimits { allow_symmetric: true, ..KeyLimits::default() };
    let (set, _) = read(&[okp("a"), secret.to_owned()], &limits).unwrap();
    assert_eq!(tried(&set, Some("a"), Algorithm::EdDsa), [0]);
    assert_eq!(tried(&set, Some("a"), Algorithm::Hs256), [1]);
    assert_eq!(tried(&set, None, Algorithm::Hs256), [1]);
    assert!(tried(&set, Some("a"), Algorithm::Hs512).is_empty());
}

#[test]
fn few_keys_are_tried_whether_the_kid_chose_them_or_not() {
    let of_one_name = set(&["a"; 10]);
    assert_eq!(tried(&of_one_name, Some("a"), Algorithm::EdDsa), [0, 1, 2, 3]);
    assert_eq!(tried(&of_one_name, None, Algorithm::EdDsa), [0, 1, 2, 3]);
    let nameless = set(&[""; 10]);
    assert_eq!(tried(&nameless, Some("a"), Algorithm::EdDsa), [0, 1, 2, 3]);
}

#[test]
fn a_kid_is_known_when_a_key_has_it() {
    let set = set(&["a", ""]);
    for (kid, known) in [("a", true), ("A", false), ("", false), ("b", false)] {
        assert_eq!(set.has_kid(kid), known, "{kid:?}");
    }
}

#[test]
fn an_unusable_key_does_not_spoil_the_others() {
    let keys = [
        r#"{"kty":"AKP","kid":"new\n","alg":"ML-DSA-44","pub":"AA"}"#.to_owned(),
        okp("good"),
        r#"{"kty":"oct","kid":"s","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#.to_owned(),
        "7".to_owned(),
    ];
    let (set, skipped) = read(&keys, &KeyLimits::default()).unwrap();
    assert_eq!((set.len(), set.has_kid("good")), (1, true));
    let reasons: Vec<_> = skipped.iter().map(Skipped::to_string).collect();
    assert_eq!(
        reasons,
        [
            "keys[0] (kid `new?`): `alg` `ML-DSA-44` is not supported",
            "keys[2] (kid `s`): a shared secret is accepted only among keys of the configuration \
             itself",
            "keys[3]: an object is expected, not a number",
        ]
    );
}

#[test]
fn keys_beyond_the_limit_are_left_out() {
    let limits = KeyLimits { max_keys: 2, ..KeyLimits::default() };
    let (set, skipped) = read(&["a", "b", "c", "d"].map(okp), &limits).unwrap();
    assert_eq!((set.len(), set.has_kid("b"), set.has_kid("c")), (2, true, false));
    let reasons: Vec<_> = skipped.iter().map(Skipped::to_string).collect();
    assert_eq!(reasons, ["keys[2] (kid `c`): 2 entries beyond the first 2 are not looked at"]);
    let (set, skipped) = read(&["a", "b"].map(okp), &limits).unwrap();
    assert_eq!((set.len(), skipped), (2, Vec::new()));
}

#[test]
fn what_is_no_set_is_refused() {
    let expected = "a JWK set is expected, an object with the list `keys`";
    for (text, reason) in [
        ("", "the document ends too early at line 1, column 0".to_owned()),
        ("<html>", "not valid JSON at line 1, column 1".to_owned()),
        (r#"{"keys":[],"keys":[]}"#, "a member is there twice at line 1, column 17".to_owned()),
        ("null", format!("{expected}, not null")),
        ("[]", format!("{expected}, not a list")),
        ("{}", format!("{expected}, or an object of PEM texts; there is no `keys`")),
        (r#"{"kty":"RSA"}"#, format!("{expected}, or an object of PEM texts; there is no `keys`")),
        (r#"{"keys":{}}"#, "`keys` must be a list, not an object".to_owned()),
        (r#"{"keys":null}"#, "`keys` must be a list, not null".to_owned()),
        (r#"{"keys":[]}"#, "`keys` is empty".to_owned()),
        (r#"{"keys":[{}]}"#, "no usable key; keys[0]: `kty` is missing".to_owned()),
    ] {
        let error = KeySet::from_json(text.as_bytes(), &KeyLimits::default()).unwrap_err();
        assert_eq!(error.to_string(), reason, "{text}");
    }
}

#[test]
fn size_and_nesting_are_bounded() {
    let keys = [okp("a")];
    let length = format!(r#"{{"keys":[{}]}}"#, keys[0]).len();
    let limits = KeyLimits { max_bytes: length, max_depth: 3, ..KeyLimits::default() };
    assert!(read(&keys, &limits).is_ok());
    let error = read(&keys, &KeyLimits { max_bytes: length - 1, ..limits }).unwrap_err();
    assert_eq!(error, KeySetError::TooLarge { bytes: length, max: length - 1 });
    let error = read(&keys, &KeyLimits { max_depth: 2, ..limits }).unwrap_err();
    assert!(error.to_string().starts_with("nested too deeply"), "{error}");
}
