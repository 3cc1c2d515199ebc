//! A larger collection, where it lies beside the checkout.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

use jwt_gate::crypto::Algorithm;
use jwt_gate::keys::jwk::JwkError;
use jwt_gate::keys::set::{KeyLimits, KeySet, KeySetError, SkipReason};

use super::cached::{Case, Played};
use super::{Expected, Tally, decode, policy, rivals, set_of, verifies};

/// Algorithms that a host is asked for.
const ASKED: [&str; 6] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/// A file of the collection beside the checkout, if it is there.
fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(name);
    let Ok(content) = fs::read(&path) else {
        println!("../shared/vectors/{name} is not there: 0 cases");
        return None;
    };
    if !name.ends_with(".gz") {
        return Some(content);
    }
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&*content).read_to_end(&mut text).unwrap();
    Some(text)
}

fn lines(text: &[u8]) -> impl Iterator<Item = Value> {
    text.split(|octet| *octet == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
}

#[test]
fn raw_signatures_beside_the_checkout() {
    let Some(text) = shared("raw_signatures.jsonl.gz") else { return };
    let mut tally = Tally::default();
    let mut keys = BTreeMap::<(String, &str), Vec<Case>>::new();
    for case in lines(&text) {
        let field = |name: &str| case[name].as_str().unwrap();
        let expected = match field("expect") {
            "valid" => Expected::Valid,
            "invalid" => Expected::Invalid,
            "either" => Expected::Either,
            other => panic!("{}: {other}", field("id")),
        };
        let (message, signature) = (decode(field("msg")), decode(field("sig")));
        let verdict = match (Algorithm::parse(field("alg")), set_of(&case["jwk"].to_string())) {
            (None, _) => Err(Some("ES256K and Ed448 are not supported")),
            (Some(algorithm), Ok(set)) if set.keys()[0].serves(algorithm) => {
                let verified = verifies(&set, algorithm, &message, &signature);
                let jwk = |member: &str| decode(case["jwk"][member].as_str().unwrap());
                let crates = match case["jwk"]["kty"].as_str() {
                    Some("RSA") => {
                        rivals::rsa(&jwk("n"), &jwk("e"), algorithm, &message, &signature)
                    }
                    Some("OKP") => rivals::ed25519(&jwk("x"), &message, &signature),
                    _ => verified,
                };
                assert_eq!(verified, crates, "{}", field("id"));
                Ok(verified)
            }
            (Some(algorithm), Ok(_)) if algorithm.is_symmetric() => {
                Err(Some("secret shorter than the hash"))
            }
            (Some(_), Ok(_)) => Err(None),
            (Some(_), Err(KeySetError::NoUsableKey { skipped })) => match &skipped[0].reason {
                SkipReason::Jwk(JwkError::Key(error)) => Err(policy(*error)),
                SkipReason::Jwk(_) | SkipReason::Pem(_) | SkipReason::Beyond { .. } => Err(None),
            },
            (Some(_), Err(_)) => Err(None),
        };
        tally.judge(field("id"), expected, verdict);
        let asked = ASKED.iter().find(|name| **name == field("alg"));
        if let (Some(name), Ok(is_good)) = (asked, verdict) {
            let cases = keys.entry((case["jwk"].to_string(), name)).or_default();
            cases.push(Case { message, signature, is_good });
        }
    }
    let mut played = Played::default();
    for ((jwk, name), cases) in &keys {
        let jwk = serde_json::from_str(jwk).unwrap();
        played.play(&jwk, Algorithm::parse(name).unwrap(), cases);
    }
    played.report("raw_signatures");
    let excused = [
        ("ES256K and Ed448 are not supported", 184),
        ("RSA above 4096 bits", 21),
        ("secret shorter than the hash", 9),
    ];
    tally.report("raw_signatures", &excused);
}

/// Sets that Envoy's jwt_authn reads with more keys than we do, and why.
const FEWER: [(&str, usize, &str); 8] = [
    ("jwks/GoodEC/0", 3, "a coordinate is one octet short"),
    ("jwks/GoodOKP/0", 0, "its Ed25519 key is no point"),
    ("jwks/JwksIgnoreUnsupportedKey/0", 0, "its Ed25519 key is no point"),
    ("jwks/JwksIgnoreUnsupportedKeyInMiddle/0", 1, "its Ed25519 key is no point"),
    ("jwks/JwksECMatchAlgES512CrvP521/0", 0, "a coordinate is one octet short"),
    ("jwks/JwksECMissingBothAlgCrvES256/0", 0, "`crv` is missing"),
    ("jwks/JwkECMissingCrv/0", 0, "`crv` is missing"),
    ("jwks/JwksECUnspecifiedCrv/0", 0, "`crv` is missing"),
];

#[test]
fn key_sets_beside_the_checkout() {
    let Some(text) = shared("jwks_cases.jsonl") else { return };
    let limits = KeyLimits { allow_symmetric: true, ..KeyLimits::default() };
    let (mut cases, mut usable) = (0, 0);
    for case in lines(&text) {
        let id = case["id"].as_str().unwrap();
        let read = KeySet::from_json(case["text"].as_str().unwrap().as_bytes(), &limits);
        let keys = read.as_ref().map_or(0, |(set, _)| set.len());
        let fewer = FEWER.iter().find(|(of, ..)| *of == id);
        let expected = match (case["status"].as_str(), case["usable_keys"].as_u64(), fewer) {
            (_, _, Some((_, keys, _))) => u64::try_from(*keys).unwrap(),
            (Some("Ok"), Some(keys), None) => keys,
            // One key where the number is not told.
            (Some("Ok"), None, None) => 1,
            (_, _, None) => 0,
        };
        assert_eq!(u64::try_from(keys).unwrap(), expected, "{id}: {read:?}");
        cases += 1;
        usable += usize::from(read.is_ok());
    }
    println!("jwks_cases: {cases} cases, {usable} with usable keys, {} with fewer", FEWER.len());
}
