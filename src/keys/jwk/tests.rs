use super::*;
use crate::crypto::NoHostCrypto;
use crate::json;

const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
const OKP: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
const OCT: &str = r#""kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8""#;
const RSA: &str = r#""kty":"RSA","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB""#;

/// A signature of that RSA key over `message 1`.
const RS256: &str = "YCc--sjMCSgtXC1v8T2aGA0FAVn50ow6wQYzecPYH77yxdZtyuVK-VFHnPEDAKXTgygC1CdcW7xYHIO8T3Rdbejgzh8DmyXdb5_Wupr-uCWEagN4s5by6P-o92gsnpXDqmM_opIjEk2Rc0Yn5WOuE-ou7C2lWxrKZJq5M90LWIUbCQxqg62Kk1ljKJHf6jnDC14NPOpWhlZek4DyL_2AwLw8yHUdqAYjTpbrnHs7hry7lA5iNJuTo2KfZoOlGosbfS38ugX4iEEsCA-N8bPpwP7NVsVrDaDA2bz6UN7WMyBHX4pq1V4wcw9DBBtcZyAPsZt4FT5wCPeSxyWj2jsJFg";

fn read(members: &str) -> Result<Key, JwkError> {
    Key::from_jwk(&json::parse(format!("{{{members}}}").as_bytes(), 8).unwrap(), true)
}

fn refusal(members: &str) -> String {
    read(members).map_or_else(|error| error.to_string(), |key| format!("accepted: {key:?}"))
}

#[test]
fn each_kind_of_key_is_read() {
    for (members, expected) in
        [(RSA, "RSA, 2048 bits"), (EC, "EC, P-256"), (OKP, "Ed25519"), (OCT, "HMAC, 32 octets")]
    {
        let key = read(members).unwrap();
        assert_eq!(format!("{:?}", key.verifying), format!("VerifyingKey({expected})"));
        assert_eq!((key.kid(), key.algorithm()), (None, None), "{expected}");
    }
}

#[test]
fn members_that_do_not_matter_are_ignored() {
    for more in [
        r#""use":"sig""#,
        r#""key_ops":["verify"]"#,
        r#""key_ops":["sign","verify"],"use":"sig""#,
        r#""key_ops":["verify","encrypt"]"#,
        r#""key_ops":["verify","an extension"],"use":"sig""#,
        r#""x5c":[],"x5t":7,"x5u":null,"ext":true,"unknown":{}"#,
        r#""x5c":null"#,
        r#""Use":"enc","ALG":"none""#,
    ] {
        assert!(read(&format!("{EC},{more}")).is_ok(), "{more}");
    }
}

#[test]
fn an_empty_kid_is_none() {
    for (kid, expected) in [("", None), (" ", Some(" ")), ("k1", Some("k1"))] {
        assert_eq!(read(&format!(r#"{EC},"kid":"{kid}""#)).unwrap().kid(), expected, "{kid:?}");
    }
}

#[test]
fn a_declared_algorithm_is_the_only_one() {
    for (members, alg, served) in [
        (RSA, "RS256", &["RS256"][..]),
        (RSA, "PS512", &["PS512"]),
        (EC, "ES256", &["ES256"]),
        (OKP, "EdDSA", &["EdDSA"]),
        (OKP, "Ed25519", &["EdDSA"]),
        (OCT, "HS256", &["HS256"]),
    ] {
        let key = read(&format!(r#"{members},"alg":"{alg}""#)).unwrap();
        let serves: Vec<_> = Algorithm::ALL.into_iter().filter(|a| key.serves(*a)).collect();
        assert_eq!(serves.iter().map(|a| a.name()).collect::<Vec<_>>(), served, "{alg}");
    }
    let signature = URL_SAFE_NO_PAD.decode(RS256).unwrap();
    for (alg, verified) in [("RS256", true), ("RS384", false), ("PS256", false)] {
        let key = read(&format!(r#"{RSA},"alg":"{alg}""#)).unwrap();
        assert_eq!(
            key.verify(Algorithm::Rs256, b"message 1", &signature, &NoHostCrypto),
            verified,
            "{alg}"
        );
    }
}

#[test]
fn a_key_for_something_else_is_refused() {
    for (more, reason) in [
        (r#""use":"enc""#, "`use` is `enc`, not `sig`"),
        (r#""use":"SIG""#, "`use` is `SIG`, not `sig`"),
        (r#""use":"""#, "`use` is ``, not `sig`"),
        (r#""use":["sig"]"#, "`use` must be a string, not a list"),
        (r#""key_ops":[]"#, "`key_ops` does not hold `verify`"),
        (r#""key_ops":["sign"]"#, "`key_ops` does not hold `verify`"),
        (r#""key_ops":["Verify"]"#, "`key_ops` does not hold `verify`"),
        (r#""key_ops":["encrypt"],"use":"sig""#, "`key_ops` does not hold `verify`"),
        (r#""key_ops":"verify""#, "`key_ops` must be a list of strings, not a string"),
        (
            r#""key_ops":["verify",1]"#,
            "`key_ops` must be a list of strings, not a list with others",
        ),
        (r#""key_ops":["verify","verify"]"#, "`key_ops` holds `verify` twice"),
        (
            r#""key_ops":["verify","wrapKey"],"use":"sig""#,
            "`use` is `sig`, but `key_ops` holds `wrapKey`",
        ),
        (r#""kid":7"#, "`kid` must be a string, not a number"),
        (r#""kid":null"#, "`kid` must be a string, not null"),
        (r#""alg":null"#, "`alg` must be a string, not null"),
        (r#""alg":"""#, "`alg` `` is not supported"),
        (r#""alg":"none""#, "`alg` `none` is not supported"),
        (r#""alg":"es256""#, "`alg` `es256` is not supported"),
        (r#""alg":"ECDH-ES""#, "`alg` `ECDH-ES` is not supported"),
        (r#""alg":"ES384""#, "`alg` `ES384` is not one for this key"),
        (r#""alg":"HS256""#, "`alg` `HS256` is not one for this key"),
    ] {
        assert_eq!(refusal(&format!("{EC},{more}")), reason, "{more}");
    }
    assert_eq!(
        refusal(&format!(r#"{OCT},"alg":"HS384""#)),
        "`alg` `HS384` is not one for this key"
    );
}

#[test]
fn what_is_no_usable_key_is_refused() {
    for (members, reason) in [
        ("", "`kty` is missing"),
        (r#""kty":1"#, "`kty` must be a string, not a number"),
        (r#""kty":"rsa""#, "`kty` `rsa` is not supported"),
        (r#""kty":"RSA","n":"AA","d":"AA""#, "a private key (`d` is there)"),
        (r#""kty":"AKP","priv":"AA""#, "a private key (`priv` is there)"),
        (r#""kty":"AKP","alg":"ES256""#, "`kty` `AKP` is not supported"),
        (r#""kty":"RSA","e":"AQAB""#, "`n` is missing"),
        (r#""kty":"RSA","n":5,"e":"AQAB""#, "`n` must be a string, not a number"),
        (r#""kty":"RSA","x5c":["MIIB"]"#, "`x5c`: not an X.509 certificate in DER"),
        (r#""kty":"RSA","n":"_w","e":"AQAB""#, "a modulus of 8 bits (2048 to 4096 are accepted)"),
        (r#""kty":"RSA","n":"AP8","e":"AQAB""#, "`n` starts with a zero octet"),
        (r#""kty":"EC","x":"AA","y":"AA""#, "`crv` is missing"),
        (r#""kty":"EC","crv":"p-256","x":"AA","y":"AA""#, "`crv` `p-256` is not supported"),
        (r#""kty":"EC","crv":"secp256k1","x":"AA","y":"AA""#, "`crv` `secp256k1` is not supported"),
        (r#""kty":"EC","crv":"Ed25519","x":"AA","y":"AA""#, "`crv` `Ed25519` is not supported"),
        (
            r#""kty":"EC","crv":"P-256","x":"AA","y":"AA""#,
            "a coordinate of 1 octets (on P-256 it has 32)",
        ),
        (r#""kty":"OKP","crv":"Ed448","x":"AA""#, "`crv` `Ed448` is not supported"),
        (r#""kty":"OKP","crv":"X25519","x":"AA""#, "`crv` `X25519` is not supported"),
        (r#""kty":"OKP","crv":"Ed25519","x":"AA""#, "an Ed25519 key of 1 octets (it has 32)"),
        (r#""kty":"oct""#, "`k` is missing"),
        (
            r#""kty":"oct","k":"c2hvcnQ""#,
            "a secret of 5 octets (HS256 needs 32, HS384 48, HS512 64)",
        ),
    ] {
        assert_eq!(refusal(members), reason, "{members}");
    }
    let list = json::parse(b"[]", 1).unwrap();
    let error = Key::from_jwk(&list, true).unwrap_err();
    assert_eq!(error.to_string(), "an object is expected, not a list");
}

#[test]
fn a_secret_is_read_only_where_it_is_allowed() {
    let jwk = json::parse(format!("{{{OCT}}}").as_bytes(), 8).unwrap();
    assert_eq!(Key::from_jwk(&jwk, false).unwrap_err(), JwkError::Symmetric);
}

#[test]
fn base64url_is_strict_but_for_complete_padding() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    for text in [key.to_owned(), format!("{key}="), format!("{key}gICA")] {
        assert!(read(&format!(r#""kty":"oct","k":"{text}""#)).is_ok(), "{text}");
    }
    for text in [
        format!("{key}=="),
        format!("{key}AA"),
        format!("{key}gA="),
        format!("={key}"),
        format!(" {key}"),
        format!("{key}\\n"),
        key.replace('h', "+"),
        key.replace("8", "9"),
        key.replace('A', "%41"),
    ] {
        assert_eq!(
            refusal(&format!(r#""kty":"oct","k":"{text}""#)),
            "`k` is not base64url",
            "{text}"
        );
    }
}

#[test]
fn a_label_is_fit_for_a_log_line() {
    for (text, expected) in [
        ("ES256", "ES256".to_owned()),
        ("a\nb\u{1b}[2J\u{202e}é", "a?b?[2J??".to_owned()),
        (&"x".repeat(1000), "x".repeat(64)),
    ] {
        assert_eq!(Label::new(text).to_string(), expected, "{text:?}");
    }
}

#[test]
fn debug_and_errors_show_no_key_material() {
    let key = read(&format!(r#"{OCT},"kid":"k1""#)).unwrap();
    assert_eq!(
        format!("{key:?}"),
        "Key { kid: Some(\"k1\"), algorithm: None, verifying: VerifyingKey(HMAC, 32 octets) }"
    );
    for members in [r#""kty":"oct","k":"c2VjcmV0""#, r#""kty":"oct","k":"c2VjcmV0*""#] {
        let error = read(members).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("c2Vj"), "{error:?}");
    }
}
