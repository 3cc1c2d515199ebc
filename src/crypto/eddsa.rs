//! EdDSA on Ed25519 (RFC 8032), by the strict rules.
//!
//! jwt-compact's own Ed25519 takes a signature whose R has small order, and any encoding of the
//! key; here both are refused, so that a signature fits one message and a key has one form.

use std::borrow::Cow;
use std::convert::Infallible;

use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature, VerifyingKey};

use super::{KeyError, check};

pub(super) struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    pub(super) fn new(x: &[u8]) -> Result<Self, KeyError> {
        let x: &[u8; PUBLIC_KEY_LENGTH] =
            x.try_into().map_err(|_| KeyError::Ed25519Size { octets: x.len() })?;
        let key = VerifyingKey::from_bytes(x).map_err(|_| KeyError::Ed25519Point)?;
        if key.is_weak() {
            return Err(KeyError::Ed25519SmallOrder);
        }
        // RFC 8032, 5.1.3: y is less than p. Decoding reduces it; encoding again shows that.
        if key.to_edwards().compress().as_bytes() != x {
            return Err(KeyError::Ed25519Point);
        }
        Ok(Self(key))
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        check(&StrictEd25519, &self.0, message, signature)
    }
}

struct StrictEd25519;

impl jwt_compact::Algorithm for StrictEd25519 {
    /// Nothing is signed here.
    type SigningKey = Infallible;
    type VerifyingKey = VerifyingKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, key: &Infallible, _: &[u8]) -> Signature {
        match *key {}
    }

    fn verify_signature(&self, signature: &Signature, key: &VerifyingKey, message: &[u8]) -> bool {
        key.verify_strict(message, signature).is_ok()
    }
}
