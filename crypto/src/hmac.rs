//! HMAC with SHA-2, by jwt-compact: whole tags only, compared in constant time.
//!
//! WebAssembly promises nothing about time; the engine below may undo what the source arranges.

use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};

use super::{Algorithm, KeyError, check};

/// One secret, for each hash that is no longer than it (RFC 7518, section 3.2).
pub(super) struct HmacKey {
    hs256: Hs256Key,
    hs384: Option<Hs384Key>,
    hs512: Option<Hs512Key>,
    octets: usize,
}

impl HmacKey {
    pub(super) fn new(secret: &[u8]) -> Result<Self, KeyError> {
        let octets = secret.len();
        if octets < 32 {
            return Err(KeyError::Secret { octets });
        }
        Ok(Self {
            hs256: Hs256Key::new(secret),
            hs384: (octets >= 48).then(|| Hs384Key::new(secret)),
            hs512: (octets >= 64).then(|| Hs512Key::new(secret)),
            octets,
        })
    }

    pub(super) const fn octets(&self) -> usize {
        self.octets
    }

    pub(super) const fn serves(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Hs256 => true,
            Algorithm::Hs384 => self.hs384.is_some(),
            Algorithm::Hs512 => self.hs512.is_some(),
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::Es256
            | Algorithm::Es384
            | Algorithm::Es512
            | Algorithm::EdDsa => false,
        }
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], tag: &[u8]) -> bool {
        match algorithm {
            Algorithm::Hs256 => check(&Hs256, &self.hs256, message, tag),
            Algorithm::Hs384 => {
                self.hs384.as_ref().is_some_and(|key| check(&Hs384, key, message, tag))
            }
            Algorithm::Hs512 => {
                self.hs512.as_ref().is_some_and(|key| check(&Hs512, key, message, tag))
            }
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::Es256
            | Algorithm::Es384
            | Algorithm::Es512
            | Algorithm::EdDsa => false,
        }
    }
}
