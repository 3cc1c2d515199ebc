//! The certificate of a JWK (RFC 7517, 4.7 to 4.9).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{GOOD, der, fetched};

/// A JWK set of one key with these members.
fn set_of(members: &serde_json::Value) -> String {
    serde_json::json!({ "keys": [members] }).to_string()
}

/// A JWK with nothing but `kty` and the certificate.
fn jwk_of(kty: &str, certificate: &str) -> serde_json::Value {
    serde_json::json!({ "kty": kty, "kid": "k", "x5c": [STANDARD.encode(der(certificate))] })
}

/// The same and further members.
fn with(mut jwk: serde_json::Value, more: &[(&str, &str)]) -> serde_json::Value {
    more.iter().for_each(|(name, value)| jwk[*name] = (*value).into());
    jwk
}

#[test]
fn a_key_that_is_only_in_its_certificate_is_used() {
    let kinds = ["RSA", "EC", "EC", "EC", "OKP"];
    for ((kind, certificate, _), kty) in GOOD.into_iter().zip(kinds) {
        let expected = [format!("k VerifyingKey({kind}) }}")];
        assert_eq!(fetched(&set_of(&jwk_of(kty, certificate))), expected);
        // Others of the chain are not looked at.
        let mut chain = jwk_of(kty, certificate);
        chain["x5c"].as_array_mut().unwrap().push("no certificate".into());
        assert_eq!(fetched(&set_of(&chain)), expected);
    }
}

#[test]
fn members_and_certificate_must_say_the_same() {
    let spki = der(pem!("p256.pub"));
    let point = &spki[spki.len() - 64..];
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[..32]), URL_SAFE_NO_PAD.encode(&point[32..]));
    let whole = [("crv", "P-256"), ("x", &x), ("y", &y)];
    let good = ["k VerifyingKey(EC, P-256) }"];
    assert_eq!(fetched(&set_of(&with(jwk_of("EC", pem!("p256")), &whole))), good);
    let curve = with(jwk_of("EC", pem!("p256")), &[("crv", "P-256")]);
    assert_eq!(fetched(&set_of(&curve)), good);

    let other = "`x5c` holds another key than the other members say";
    let rows = [
        (jwk_of("RSA", pem!("p256")), other),
        (jwk_of("EC", pem!("ed25519")), other),
        (with(jwk_of("EC", pem!("p256")), &[("crv", "P-384")]), other),
        (with(jwk_of("EC", pem!("p384")), &whole), other),
        (with(jwk_of("EC", pem!("p256")), &[("x", &x)]), "`crv` is missing"),
        (with(jwk_of("EC", pem!("p256")), &[("crv", "P-256"), ("x", &x)]), "`y` is missing"),
        (with(jwk_of("RSA", pem!("rsa")), &[("n", "AQAB"), ("e", "AQAB")]), other),
        (
            with(jwk_of("EC", pem!("p256")), &[("alg", "ES384")]),
            "`alg` `ES384` is not one for this key",
        ),
        (with(jwk_of("EC", pem!("p256")), &[("use", "enc")]), "`use` is `enc`, not `sig`"),
        (jwk_of("RSA", pem!("rsa-1024")), "a modulus of 1024 bits (2048 to 4096 are accepted)"),
        (
            jwk_of("EC", pem!("secp256k1")),
            "`x5c`: a curve other than P-256, P-384 and P-521 by name",
        ),
        (jwk_of("RSA", pem!("rsa.pub")), "`x5c`: not an X.509 certificate in DER"),
        (
            with(jwk_of("RSA", pem!("rsa")), &[("x5c", "MIIB")]),
            "`x5c` must be a list of strings, not a string",
        ),
        (
            serde_json::json!({ "kty": "RSA", "kid": "k", "x5c": ["MII-"] }),
            "`x5c` does not begin with a certificate in standard base64",
        ),
        (serde_json::json!({ "kty": "RSA", "kid": "k", "x5c": [] }), "`n` is missing"),
        (serde_json::json!({ "kid": "k", "x5c": ["MIIB"] }), "`kty` is missing"),
    ];
    for (jwk, reason) in rows {
        let expected = [format!("no usable key; keys[0] (kid `k`): {reason}")];
        assert_eq!(fetched(&set_of(&jwk)), expected, "{jwk}");
    }
}

#[test]
fn a_thumbprint_must_be_the_certificate_s() {
    let certificate = der(pem!("rsa"));
    let (sha1, sha256) = (Sha1::digest(&certificate), Sha256::digest(&certificate));
    let encoded = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let digits = |octets: &[u8]| octets.iter().map(|o| format!("{o:02X}")).collect::<String>();
    let jwk = |member: &str, value: &str| {
        fetched(&set_of(&with(jwk_of("RSA", pem!("rsa")), &[(member, value)])))
    };
    let good = ["k VerifyingKey(RSA, 2048 bits) }"];
    // The second of each is what some tenants of Auth0 publish.
    for (member, value) in [
        ("x5t", encoded(&sha1)),
        ("x5t", encoded(digits(&sha1).as_bytes())),
        ("x5t#S256", encoded(&sha256)),
        ("x5t#S256", encoded(digits(&sha256).to_lowercase().as_bytes())),
        ("x5u", "https://idp.example/".to_owned()),
    ] {
        assert_eq!(jwk(member, &value), good, "{member} {value}");
    }
    for (member, value, reason) in [
        ("x5t", encoded(&sha256[..20]), "is not the thumbprint of the certificate in `x5c`"),
        ("x5t", encoded(&sha256), "is not the thumbprint of the certificate in `x5c`"),
        ("x5t", digits(&sha1), "is not the thumbprint of the certificate in `x5c`"),
        ("x5t#S256", encoded(&sha1), "is not the thumbprint of the certificate in `x5c`"),
        ("x5t#S256", String::new(), "is not the thumbprint of the certificate in `x5c`"),
        ("x5t#S256", "*".to_owned(), "is not base64url"),
    ] {
        let expected = format!("no usable key; keys[0] (kid `k`): `{member}` {reason}");
        assert_eq!(jwk(member, &value), [expected], "{member} {value}");
    }
    // Without a certificate there is nothing to compare it with.
    let alone = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","x5t":"x"}]}"#;
    assert_eq!(fetched(alone), ["- VerifyingKey(Ed25519) }"]);
}
