//! What an endpoint publishes as keys.

use jwt_gate::crypto::{Algorithm, NoHostCrypto};
use jwt_gate::keys::set::{KeyLimits, KeySet};
use serde_json::Value;

const LIMITS: KeyLimits = KeyLimits {
    max_bytes: 64 * 1024,
    max_keys: 20,
    max_depth: 16,
    max_tried: 4,
    allow_symmetric: false,
};

/// The bytes are the document.
pub(crate) fn run(document: &[u8]) {
    let read = KeySet::from_json(document, &LIMITS);
    let again = KeySet::from_json(document, &LIMITS);
    assert_eq!(format!("{read:?}"), format!("{again:?}"), "a document is read in one way");
    let (set, skipped) = match read {
        Ok(read) => read,
        Err(why) => return fit_for_a_log(&why.to_string()),
    };
    skipped.iter().for_each(|entry| fit_for_a_log(&entry.to_string()));
    assert!(set.len() >= 1 && set.len() <= LIMITS.max_keys, "{} keys", set.len());
    for key in set.keys() {
        let served = Algorithm::ALL.into_iter().filter(|algorithm| key.serves(*algorithm));
        let served: Vec<_> = served.collect();
        assert!(!served.iter().any(|algorithm| algorithm.is_symmetric()), "a secret that all know");
        // One of them, which the document chooses: an RSA key serves six, and each takes its time.
        let Some(algorithm) = served.get(document.len() % served.len().max(1)) else { continue };
        for length in [0, 64, 96, 132, 256, 384, 512] {
            let nothing = vec![0; length];
            assert!(
                !key.verify(*algorithm, b"message", &nothing, &NoHostCrypto),
                "zeros are a signature"
            );
        }
    }
    for kid in [None, Some("k"), Some("rsa-1")] {
        let tried = Algorithm::ALL.map(|algorithm| set.candidates(kid, algorithm).count());
        assert!(tried.iter().all(|tried| *tried <= 2 * LIMITS.max_tried), "{tried:?}");
    }
    one_more_unknown_key(document, set.len());
}

/// A key of an unknown kind does no harm to the others.
fn one_more_unknown_key(document: &[u8], keys: usize) {
    let Ok(mut value) = serde_json::from_slice::<Value>(document) else { return };
    let Some(entries) = value.get_mut("keys").and_then(Value::as_array_mut) else { return };
    if entries.len() >= LIMITS.max_keys {
        return;
    }
    entries.push(serde_json::json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }));
    let text = value.to_string();
    if text.len() <= LIMITS.max_bytes {
        let (set, _) = KeySet::from_json(text.as_bytes(), &LIMITS).expect("the others are good");
        assert_eq!(set.len(), keys);
    }
}

/// One line, without controls, of a bounded length.
fn fit_for_a_log(line: &str) {
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert!(line.len() < 600, "{} bytes of reason", line.len());
}
