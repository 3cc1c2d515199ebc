//! RSA over `crypto-bigint`: the exponentiation is the crate's, the encodings are ours.

mod encoding;
mod power;

use sha2::{Sha256, Sha384, Sha512};

use super::Rsa;
use power::Modulus;

pub(crate) struct PublicKey {
    modulus: Modulus,
    exponent: u64,
    /// Bits of the highest octet that lie above the encoding of PSS.
    unused: u32,
}

/// DER of `DigestInfo` (RFC 8017, section 9.2, note 1) up to the hash, with the parameters NULL.
const SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512: &[u8] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

impl PublicKey {
    /// A modulus and an exponent that have been looked at.
    pub(crate) fn new(n: &[u8], exponent: u64) -> Option<Self> {
        // The encoding of PSS has a bit less than the modulus.
        let unused = n.first()?.leading_zeros().saturating_add(1);
        Some(Self { modulus: Modulus::new(n)?, exponent, unused })
    }

    /// `signature` has the length of the modulus and is less.
    pub(crate) fn verify(&self, rsa: Rsa, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.modulus.power(signature, self.exponent) else { return false };
        match rsa {
            Rsa::Rs256 => encoding::is_pkcs1::<Sha256>(SHA256, message, &encoded),
            Rsa::Rs384 => encoding::is_pkcs1::<Sha384>(SHA384, message, &encoded),
            Rsa::Rs512 => encoding::is_pkcs1::<Sha512>(SHA512, message, &encoded),
            Rsa::Ps256 => encoding::is_pss::<Sha256>(self.unused, message, &encoded),
            Rsa::Ps384 => encoding::is_pss::<Sha384>(self.unused, message, &encoded),
            Rsa::Ps512 => encoding::is_pss::<Sha512>(self.unused, message, &encoded),
        }
    }
}
