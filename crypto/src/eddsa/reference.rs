//! Ed25519 by `ed25519-dalek` as a whole.

use ed25519_dalek::VerifyingKey;

use super::{KeyError, Signature};

pub(crate) struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    pub(crate) fn new(x: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(super::point(x)?.into()))
    }

    pub(crate) fn forgo_table(&mut self) {
        // There is none.
    }

    pub(super) fn is_strictly(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_components(signature.r, signature.s);
        self.0.verify_strict(message, &signature).is_ok()
    }
}
