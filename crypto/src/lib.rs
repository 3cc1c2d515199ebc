//! Signatures: what a key is, what it may verify, and whether a signature is its own.
//!
//! The front is jwt-compact's [`Algorithm`](jwt_compact::Algorithm) trait: its own algorithms where
//! they are right, ours where it has none (ES384, ES512) or a laxer one (Ed25519, the range of RSA
//! signatures). Its token parsing is not used. A key is checked once, when it is loaded; what is
//! left for each token is the length of the signature, its range and the mathematics.

use std::fmt;
use std::sync::Arc;

use jwt_compact::AlgorithmSignature;

mod algorithm;
pub mod der;
mod ecdsa;
mod eddsa;
mod hmac;
mod host;
#[cfg(not(feature = "reference-crypto"))]
mod multiples;
pub mod probe;
mod rsa;

pub use algorithm::Algorithm;
pub use ecdsa::Curve;
pub use host::{Hash, HostCrypto, NoHostCrypto, Question, Scheme};

/// A key prepared for verification. A clone shares it; `Debug` shows the kind and size only.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Kind>);

enum Kind {
    Rsa(rsa::RsaKey),
    Ec(ecdsa::EcKey),
    Ed25519(eddsa::Ed25519Key),
    Hmac(hmac::HmacKey),
}

/// Why octets are no key that we would use. Tells sizes, never octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// An integer of an RSA key does not have its shortest form (RFC 7518, section 2).
    #[error("`{member}` starts with a zero octet")]
    NotMinimal {
        /// `n` or `e`.
        member: &'static str,
    },
    /// The RSA modulus is too short to be safe, or too long to be cheap.
    #[error("a modulus of {bits} bits (2048 to 4096 are accepted)")]
    ModulusSize {
        /// Its length.
        bits: usize,
    },
    /// The RSA modulus is even.
    #[error("an even modulus")]
    ModulusEven,
    /// The RSA exponent is not odd, less than 3 or longer than 33 bits.
    #[error("a public exponent that is even, less than 3 or longer than 33 bits")]
    Exponent,
    /// A coordinate does not have the length of the curve's field.
    #[error("a coordinate of {octets} octets (on {curve} it has {})", curve.octets())]
    Coordinate {
        /// The curve.
        curve: Curve,
        /// The coordinate's length.
        octets: usize,
    },
    /// The coordinates are no point of the curve.
    #[error("a point that is not on {curve}")]
    NotOnCurve {
        /// The curve.
        curve: Curve,
    },
    /// An Ed25519 key does not have 32 octets.
    #[error("an Ed25519 key of {octets} octets (it has 32)")]
    Ed25519Size {
        /// Its length.
        octets: usize,
    },
    /// An Ed25519 key is no point, or not in its only allowed encoding.
    #[error("an Ed25519 key that is no canonical point")]
    Ed25519Point,
    /// An Ed25519 key of small order: there are signatures that fit any message.
    #[error("an Ed25519 key of small order")]
    Ed25519SmallOrder,
    /// The secret is shorter than the shortest hash (RFC 7518, section 3.2).
    #[error("a secret of {octets} octets (HS256 needs 32, HS384 48, HS512 64)")]
    Secret {
        /// Its length.
        octets: usize,
    },
}

impl VerifyingKey {
    /// An RSA key: modulus and public exponent, big-endian, without leading zeros.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::of(Kind::Rsa(rsa::RsaKey::new(n, e)?)))
    }

    /// A point of a curve; both coordinates in their full length, big-endian.
    pub fn ec(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::of(Kind::Ec(ecdsa::EcKey::new(curve, x, y)?)))
    }

    /// An Ed25519 key in its encoding (RFC 8032, section 5.1.2).
    pub fn ed25519(x: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::of(Kind::Ed25519(eddsa::Ed25519Key::new(x)?)))
    }

    /// A shared secret.
    pub fn hmac(secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::of(Kind::Hmac(hmac::HmacKey::new(secret)?)))
    }

    /// Makes a key that nobody shares yet do without a table of its multiples, which has up to 370
    /// KiB and is for keys of a curve alone: its signatures then cost twice the time.
    pub fn forgo_table(&mut self) {
        match Arc::get_mut(&mut self.0) {
            Some(Kind::Ed25519(key)) => key.forgo_table(),
            Some(Kind::Ec(key)) => key.forgo_table(),
            Some(Kind::Rsa(_) | Kind::Hmac(_)) | None => {}
        }
    }

    fn of(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }

    /// Whether a key of this kind and size is one for `algorithm`.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        match &*self.0 {
            Kind::Rsa(key) => key.serves(algorithm),
            Kind::Ec(key) => key.serves(algorithm),
            Kind::Ed25519(_) => algorithm == Algorithm::EdDsa,
            Kind::Hmac(key) => key.serves(algorithm),
        }
    }

    /// Whether `signature` over `message` is this key's, by `algorithm`; false when the key does
    /// not serve it. The host is asked first where it may know.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        host: &dyn HostCrypto,
    ) -> bool {
        self.serves(algorithm)
            && match &*self.0 {
                Kind::Rsa(key) => key.verify(algorithm, message, signature, host),
                Kind::Ec(key) => key.verify(message, signature, host),
                Kind::Ed25519(key) => key.verify(message, signature),
                Kind::Hmac(key) => key.verify(algorithm, message, signature),
            }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Rsa(key) => write!(f, "VerifyingKey(RSA, {} bits)", key.bits()),
            Kind::Ec(key) => write!(f, "VerifyingKey(EC, {})", key.curve()),
            Kind::Ed25519(_) => f.write_str("VerifyingKey(Ed25519)"),
            Kind::Hmac(key) => write!(f, "VerifyingKey(HMAC, {} octets)", key.octets()),
        }
    }
}

/// Hands `signature` to an algorithm of jwt-compact's kind.
fn check<A: jwt_compact::Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    // The trait promises this check to `try_from_slice`, whose HMAC form panics without it.
    if A::Signature::LENGTH.is_some_and(|length| length.get() != signature.len()) {
        return false;
    }
    A::Signature::try_from_slice(signature)
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}

#[cfg(test)]
mod tests;
