//! RSA: RS256 to RS512 and PS256 to PS512, by jwt-compact over the `rsa` crate.
//!
//! The crate's PSS does not compare the signature with the modulus, so the comparison is here. It
//! does not look at the top octet of a message representative that has one octet more than its
//! encoding either; a modulus of 8k + 1 bits, where that happens, serves no PS* algorithm.

use ::rsa::{BigUint, RsaPublicKey};
use jwt_compact::alg::Rsa;

use super::{Algorithm, Hash, HostCrypto, KeyError, Question, Scheme, check, der};

/// Shortest modulus, in bits (RFC 7518, sections 3.3 and 3.5).
const MIN_BITS: usize = 2048;

/// Longest modulus, in bits: a bound on what one verification costs.
const MAX_BITS: usize = 4096;

pub(super) struct RsaKey {
    key: RsaPublicKey,
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
        // The crate refuses the exponent 1 (anybody could sign), even ones and those of more than
        // 33 bits.
        let key = RsaPublicKey::new(BigUint::from_bytes_be(n), BigUint::from_bytes_be(e))
            .map_err(|_| KeyError::Exponent)?;
        Ok(Self { key, modulus: n.into(), bits, der: der::rsa_key(n, e) })
    }

    pub(super) const fn bits(&self) -> usize {
        self.bits
    }

    pub(super) const fn serves(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => true,
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => self.bits % 8 != 1,
            Algorithm::Es256
            | Algorithm::Es384
            | Algorithm::Es512
            | Algorithm::EdDsa
            | Algorithm::Hs256
            | Algorithm::Hs384
            | Algorithm::Hs512 => false,
        }
    }

    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        host: &dyn HostCrypto,
    ) -> bool {
        let (rsa, of_host) = match algorithm {
            Algorithm::Rs256 => (Rsa::rs256(), Some(Hash::Sha256)),
            Algorithm::Rs384 => (Rsa::rs384(), Some(Hash::Sha384)),
            Algorithm::Rs512 => (Rsa::rs512(), Some(Hash::Sha512)),
            Algorithm::Ps256 => (Rsa::ps256(), None),
            Algorithm::Ps384 => (Rsa::ps384(), None),
            Algorithm::Ps512 => (Rsa::ps512(), None),
            Algorithm::Es256
            | Algorithm::Es384
            | Algorithm::Es512
            | Algorithm::EdDsa
            | Algorithm::Hs256
            | Algorithm::Hs384
            | Algorithm::Hs512 => return false,
        };
        // RFC 8017, 5.2.2: a representative of n or more is no signature. Both have the same
        // length, hence the octets compare as the integers do.
        if signature.len() != self.modulus.len() || *signature >= *self.modulus {
            return false;
        }
        let told = of_host.and_then(|hash| {
            let scheme = Scheme::RsaPkcs1(hash);
            host.verify(&Question { scheme, key: &self.der, message, signature })
        });
        told.unwrap_or_else(|| check(&rsa, &self.key, message, signature))
    }
}

/// Length in bits of a big-endian integer without leading zeros.
fn bits(octets: &[u8]) -> usize {
    let unused = octets.first().map_or(0, |octet| octet.leading_zeros());
    octets.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}
