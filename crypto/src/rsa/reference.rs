//! RSA by the `rsa` crate as a whole.
//!
//! The crate does not look at the top octet of a message representative that has one octet more
//! than its PSS encoding: no such modulus comes here.

use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Rsa;

pub(crate) struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// A modulus and an exponent that have been looked at.
    pub(crate) fn new(n: &[u8], exponent: u64) -> Option<Self> {
        let n = BigUint::from_bytes_be(n);
        RsaPublicKey::new(n, BigUint::from(exponent)).ok().map(Self)
    }

    /// `signature` has the length of the modulus and is less.
    pub(crate) fn verify(&self, rsa: Rsa, message: &[u8], signature: &[u8]) -> bool {
        match rsa {
            Rsa::Rs256 => self.pkcs1::<Sha256>(Pkcs1v15Sign::new::<Sha256>(), message, signature),
            Rsa::Rs384 => self.pkcs1::<Sha384>(Pkcs1v15Sign::new::<Sha384>(), message, signature),
            Rsa::Rs512 => self.pkcs1::<Sha512>(Pkcs1v15Sign::new::<Sha512>(), message, signature),
            Rsa::Ps256 => self.pss::<Sha256>(Pss::new::<Sha256>(), message, signature),
            Rsa::Ps384 => self.pss::<Sha384>(Pss::new::<Sha384>(), message, signature),
            Rsa::Ps512 => self.pss::<Sha512>(Pss::new::<Sha512>(), message, signature),
        }
    }

    fn pkcs1<D: Digest>(&self, scheme: Pkcs1v15Sign, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(scheme, &D::digest(message), signature).is_ok()
    }

    fn pss<D: Digest>(&self, scheme: Pss, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(scheme, &D::digest(message), signature).is_ok()
    }
}
