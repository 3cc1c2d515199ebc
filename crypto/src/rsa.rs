//! RSA: RS256 to RS512 and PS256 to PS512 (RFC 7518, sections 3.3 and 3.5).
//!
//! The exponentiation is `crypto-bigint`'s, and what depends on the key alone is done when the key
//! is loaded. The feature `reference-crypto` puts the `rsa` crate in its place.

#[cfg(not(feature = "reference-crypto"))]
mod portable;
#[cfg(feature = "reference-crypto")]
mod reference;

use std::borrow::Cow;
use std::convert::Infallible;

#[cfg(not(feature = "reference-crypto"))]
use portable::PublicKey;
#[cfg(feature = "reference-crypto")]
use reference::PublicKey;

use jwt_compact::AlgorithmSignature;

use super::{Algorithm, Hash, HostCrypto, KeyError, Question, Scheme, check, der};

/// Shortest modulus, in bits (RFC 7518, sections 3.3 and 3.5).
const MIN_BITS: usize = 2048;

/// Longest modulus, in bits: a bound on what one verification costs.
const MAX_BITS: usize = 4096;

/// Longest public exponent, in octets and in bits: a bound likewise.
const MAX_EXPONENT: (usize, u32) = (5, 33);

pub(super) struct RsaKey {
    key: PublicKey,
    /// The modulus, big-endian and without leading zeros.
    modulus: Box<[u8]>,
    bits: usize,
    /// The key as a host is told it.
    der: Box<[u8]>,
}

impl RsaKey {
    pub(super) fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        for (member, octets) in [("n", n), ("e", e)] {
            if octets.first() == Some(&0) {
                return Err(KeyError::NotMinimal { member });
            }
        }
        let bits = bits(n);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(KeyError::ModulusSize { bits });
        }
        if n.last().is_none_or(|octet| octet.is_multiple_of(2)) {
            return Err(KeyError::ModulusEven);
        }
        let exponent = exponent(e).ok_or(KeyError::Exponent)?;
        let key = PublicKey::new(n, exponent).ok_or(KeyError::Exponent)?;
        Ok(Self { key, modulus: n.into(), bits, der: der::rsa_key(n, e) })
    }

    pub(super) const fn bits(&self) -> usize {
        self.bits
    }

    /// PS* of a modulus of 8k + 1 bits would have an encoding one octet shorter than the modulus,
    /// of which nobody has vectors; no such key is known to be in use.
    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        Rsa::of(algorithm).is_some_and(|rsa| rsa.hash_of_pkcs1().is_some() || self.bits % 8 != 1)
    }

    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        host: &dyn HostCrypto,
    ) -> bool {
        let Some(rsa) = Rsa::of(algorithm) else { return false };
        // RFC 8017, 5.2.2: a representative of n or more is no signature. Both have the same
        // length, hence the octets compare as the integers do.
        if signature.len() != self.modulus.len() || *signature >= *self.modulus {
            return false;
        }
        let told = rsa.hash_of_pkcs1().and_then(|hash| {
            let scheme = Scheme::RsaPkcs1(hash);
            host.verify(&Question { scheme, key: &self.der, message, signature })
        });
        told.unwrap_or_else(|| check(&rsa, &self.key, message, signature))
    }
}

/// The algorithms of this family.
#[derive(Clone, Copy)]
enum Rsa {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Rsa {
    const fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Rs256 => Some(Self::Rs256),
            Algorithm::Rs384 => Some(Self::Rs384),
            Algorithm::Rs512 => Some(Self::Rs512),
            Algorithm::Ps256 => Some(Self::Ps256),
            Algorithm::Ps384 => Some(Self::Ps384),
            Algorithm::Ps512 => Some(Self::Ps512),
            Algorithm::Es256
            | Algorithm::Es384
            | Algorithm::Es512
            | Algorithm::EdDsa
            | Algorithm::Hs256
            | Algorithm::Hs384
            | Algorithm::Hs512 => None,
        }
    }

    const fn hash_of_pkcs1(self) -> Option<Hash> {
        match self {
            Self::Rs256 => Some(Hash::Sha256),
            Self::Rs384 => Some(Hash::Sha384),
            Self::Rs512 => Some(Hash::Sha512),
            Self::Ps256 | Self::Ps384 | Self::Ps512 => None,
        }
    }
}

impl jwt_compact::Algorithm for Rsa {
    /// Nothing is signed here.
    type SigningKey = Infallible;
    type VerifyingKey = PublicKey;
    type Signature = Octets;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        })
    }

    fn sign(&self, key: &Infallible, _: &[u8]) -> Octets {
        match *key {}
    }

    fn verify_signature(&self, signature: &Octets, key: &PublicKey, message: &[u8]) -> bool {
        key.verify(*self, message, &signature.0)
    }
}

/// A representative of the modulus's length, below it.
struct Octets(Box<[u8]>);

impl AlgorithmSignature for Octets {
    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(octets.into()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// An exponent with which not everybody could sign (1), nor nobody (even ones).
fn exponent(octets: &[u8]) -> Option<u64> {
    if octets.len() > MAX_EXPONENT.0 {
        return None;
    }
    let exponent = octets.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
    let bits = u64::BITS.saturating_sub(exponent.leading_zeros());
    (exponent >= 3 && !exponent.is_multiple_of(2) && bits <= MAX_EXPONENT.1).then_some(exponent)
}

/// Length in bits of a big-endian integer without leading zeros.
fn bits(octets: &[u8]) -> usize {
    let unused = octets.first().map_or(0, |octet| octet.leading_zeros());
    octets.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}
