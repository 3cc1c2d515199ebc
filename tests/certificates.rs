//! Keys from certificates and PEM: what OpenSSL makes is read, everything else has a reason.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use jwt_gate::keys::set::{KeyLimits, KeySet, KeySetError};

/// One of the files that `make.sh` makes.
macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/", $name, ".pem"))
    };
}

#[path = "certificates/jwk.rs"]
mod jwk;
#[path = "certificates/mutated.rs"]
mod mutated;

/// A certificate of each kind that is used, and the public key of the same pair.
const GOOD: [(&str, &str, &str); 5] = [
    ("RSA, 2048 bits", pem!("rsa"), pem!("rsa.pub")),
    ("EC, P-256", pem!("p256"), pem!("p256.pub")),
    ("EC, P-384", pem!("p384"), pem!("p384.pub")),
    ("EC, P-521", pem!("p521"), pem!("p521.pub")),
    ("Ed25519", pem!("ed25519"), pem!("ed25519.pub")),
];

/// What is read of a document: kids and kinds of the keys; what is not, in words.
fn told(read: Result<(KeySet, Vec<impl ToString>), KeySetError>) -> Vec<String> {
    match read {
        Ok((set, skipped)) => {
            let kind = |key| format!("{key:?}").rsplit_once("verifying: ").unwrap().1.to_owned();
            let keys = set.keys().iter();
            let keys = keys.map(|k| format!("{} {}", k.kid().unwrap_or("-"), kind(k)));
            keys.chain(skipped.iter().map(ToString::to_string)).collect()
        }
        Err(error) => vec![error.to_string()],
    }
}

fn configured(text: &str) -> Vec<String> {
    told(KeySet::from_configuration(text.as_bytes(), &KeyLimits::default()))
}

fn fetched(text: &str) -> Vec<String> {
    told(KeySet::from_json(text.as_bytes(), &KeyLimits::default()))
}

/// The octets in a block of PEM.
fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

fn block(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

#[test]
fn pem_of_each_kind_is_a_key() {
    for (kind, certificate, public) in GOOD {
        let expected = [format!("- VerifyingKey({kind}) }}")];
        assert_eq!(configured(certificate), expected);
        assert_eq!(configured(public), expected);
    }
    assert_eq!(configured(pem!("rsa.pkcs1")), ["- VerifyingKey(RSA, 2048 bits) }"]);
}

#[test]
fn several_blocks_are_several_keys_and_the_unusable_are_skipped() {
    let text = [
        "some words before\n",
        pem!("p256"),
        pem!("rsa-1024.pub"),
        "and between\n",
        pem!("ed25519.pub"),
        &block("X509 CRL", b"x"),
    ]
    .concat();
    assert_eq!(
        configured(&text),
        [
            "- VerifyingKey(EC, P-256) }",
            "- VerifyingKey(Ed25519) }",
            "PEM block 2: a modulus of 1024 bits (2048 to 4096 are accepted)",
            "PEM block 4: `X509 CRL` is not read; `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE` are",
        ]
    );
}

#[test]
fn a_key_that_is_not_used_has_its_reason() {
    let rsa_spki = der(pem!("rsa.pub"));
    let modulus_end = rsa_spki.len() - 6;
    let altered = |at: usize, octet: u8| {
        let mut der = rsa_spki.clone();
        der[at] = octet;
        block("PUBLIC KEY", &der)
    };
    let strict = "not PEM: a line `-----BEGIN …-----`, lines of base64, a line `-----END …-----` \
                  with the same words";
    let rows = [
        (pem!("rsa-1024").to_owned(), "a modulus of 1024 bits (2048 to 4096 are accepted)"),
        (altered(modulus_end, rsa_spki[modulus_end] & 0xfe), "an even modulus"),
        (
            altered(rsa_spki.len() - 1, 0),
            "a public exponent that is even, less than 3 or longer than 33 bits",
        ),
        (
            pem!("rsa-pss").to_owned(),
            "a key of the algorithm 1.2.840.113549.1.1.10; RSA, EC and Ed25519 are supported",
        ),
        (
            pem!("ed448.pub").to_owned(),
            "a key of the algorithm 1.3.101.113; RSA, EC and Ed25519 are supported",
        ),
        (pem!("secp256k1").to_owned(), "a curve other than P-256, P-384 and P-521 by name"),
        (pem!("p256.explicit").to_owned(), "a curve other than P-256, P-384 and P-521 by name"),
        (pem!("p256.compressed").to_owned(), "a point that is not uncompressed"),
        (block("CERTIFICATE", &der(pem!("rsa.pub"))), "not an X.509 certificate in DER"),
        (block("PUBLIC KEY", &der(pem!("rsa"))), "not a public key in DER"),
        (block("RSA PUBLIC KEY", &der(pem!("rsa.pub"))), "not an RSA public key in DER"),
        (block("PUBLIC KEY", &[der(pem!("rsa.pub")), vec![0]].concat()), "not a public key in DER"),
        (block("CERTIFICATE", b""), "not an X.509 certificate in DER"),
        (pem!("rsa.pub").replace("END PUBLIC", "END RSA PUBLIC"), strict),
        (pem!("rsa.pub").replace("-----END", ""), strict),
        (pem!("rsa.pub").replacen('A', "*", 1), strict),
        (pem!("rsa.pub").replacen('A', " ", 1), strict),
        (pem!("rsa.pub").replace("KEY-----\n", "KEY-----"), strict),
    ];
    for (text, reason) in rows {
        assert_eq!(configured(&text), [format!("no usable key; PEM block 1: {reason}")], "{text}");
    }
}

#[test]
fn a_block_may_have_lines_of_any_one_length_and_any_line_ends() {
    let text = pem!("p256.pub");
    for text in [
        block("PUBLIC KEY", &der(text)),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        format!("\n\n  {text}\n\n"),
    ] {
        assert_eq!(configured(&text), ["- VerifyingKey(EC, P-256) }"], "{text:?}");
    }
}

#[test]
fn a_map_of_pem_texts_has_a_key_for_each_name() {
    let two = [pem!("rsa"), pem!("rsa-other")].concat();
    let map = serde_json::json!({
        "a": pem!("rsa"),
        "b": pem!("p384"),
        "c": pem!("ed25519.pub"),
        "d\n": pem!("rsa-1024"),
        "e": 5,
        "f": "no PEM",
        "g": two,
    });
    let expected = [
        "a VerifyingKey(RSA, 2048 bits) }",
        "b VerifyingKey(EC, P-384) }",
        "c VerifyingKey(Ed25519) }",
        "key `d?`: a modulus of 1024 bits (2048 to 4096 are accepted)",
        "key `e`: a certificate or a public key in PEM is expected, not a number",
        "key `f`: one block of PEM is expected, found 0",
        "key `g`: one block of PEM is expected, found 2",
    ];
    assert_eq!(fetched(&map.to_string()), expected);
    assert_eq!(configured(&map.to_string()), expected);
}

#[test]
fn entries_beyond_the_limit_are_not_looked_at_in_any_form() {
    let limits = KeyLimits { max_keys: 2, ..KeyLimits::default() };
    let read = |text: &str| told(KeySet::from_configuration(text.as_bytes(), &limits));
    let key = "VerifyingKey(EC, P-256) }";
    assert_eq!(
        read(&pem!("p256").repeat(4)),
        [
            format!("- {key}"),
            format!("- {key}"),
            "PEM block 3: 2 entries beyond the first 2 are not looked at".to_owned()
        ]
    );
    let p256 = pem!("p256");
    let map = serde_json::json!({ "a": p256, "b": p256, "c": p256 });
    assert_eq!(
        read(&map.to_string()),
        [
            format!("a {key}"),
            format!("b {key}"),
            "key `c`: 1 entries beyond the first 2 are not looked at".to_owned()
        ]
    );
}

#[test]
fn an_endpoint_publishes_json_and_not_pem() {
    assert_eq!(fetched(pem!("rsa")), ["not valid JSON at line 1, column 2"]);
}

#[test]
fn a_private_key_is_refused_where_it_is_configured_and_never_shown() {
    let secret = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let private = |label| format!("-----BEGIN {label}-----\n{secret}\n-----END {label}-----\n");
    let jwk = |more: &str| {
        format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"{more}}}]}}"#
        )
    };
    let advice = "is a private key, which must not leave its owner; give the public one: `openssl \
                  pkey -in key.pem -pubout`, or the JWK without `d`, `p`, `q`, `dp`, `dq` and `qi`";
    let rows = [
        (private("PRIVATE KEY"), "PEM block 1"),
        (private("RSA PRIVATE KEY"), "PEM block 1"),
        (private("ENCRYPTED PRIVATE KEY"), "PEM block 1"),
        (private("OPENSSH PRIVATE KEY"), "PEM block 1"),
        // Spoilt ones, too.
        (private("EC PRIVATE KEY").replace("END", "EN"), "PEM block 1"),
        ([pem!("rsa"), &private("PRIVATE KEY")].concat(), "PEM block 2"),
        (serde_json::json!({ "a": private("PRIVATE KEY") }).to_string(), "key `a`"),
        (jwk(&format!(r#","d":"{secret}""#)), "keys[0] (kid `k`)"),
        (jwk(&format!(r#","alg":"none","d":"{secret}""#)), "keys[0] (kid `k`)"),
        (jwk(&format!(r#","qi":"{secret}""#)), "keys[0] (kid `k`)"),
    ];
    for (text, place) in rows {
        assert_eq!(configured(&text), [format!("{place} {advice}")]);
    }
    // Who publishes one gets no further with it, and the others serve on.
    let text = serde_json::json!({ "a": pem!("p256"), "b": private("PRIVATE KEY") });
    assert_eq!(
        fetched(&text.to_string()),
        ["a VerifyingKey(EC, P-256) }", "key `b`: a private key"]
    );
    assert_eq!(
        fetched(&jwk(r#","d":"x""#)),
        ["no usable key; keys[0] (kid `k`): a private key (`d` is there)"]
    );
}
