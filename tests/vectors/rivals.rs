//! Others that verify: a host's library behind its question, and crates that do all in one.
#![expect(clippy::panic, reason = "test code")]

use aws_lc_rs::signature::{self as aws, ParsedPublicKey, VerificationAlgorithm};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use jwt_gate::crypto::{Algorithm, Hash, HostCrypto, Question, Scheme, der};

/// AWS-LC, close kin of the BoringSSL in Envoy, asked as Envoy's function is.
#[derive(Debug)]
pub(crate) struct AwsLc;

impl HostCrypto for AwsLc {
    fn verify(&self, question: &Question<'_>) -> Option<bool> {
        let algorithm: &'static dyn VerificationAlgorithm = match question.scheme {
            Scheme::RsaPkcs1(Hash::Sha256) => &aws::RSA_PKCS1_2048_8192_SHA256,
            Scheme::RsaPkcs1(Hash::Sha384) => &aws::RSA_PKCS1_2048_8192_SHA384,
            Scheme::RsaPkcs1(Hash::Sha512) => &aws::RSA_PKCS1_2048_8192_SHA512,
            Scheme::Ecdsa(Hash::Sha256) => &aws::ECDSA_P256_SHA256_ASN1,
            Scheme::Ecdsa(Hash::Sha384) => &aws::ECDSA_P384_SHA384_ASN1,
            Scheme::Ecdsa(Hash::Sha512) => &aws::ECDSA_P521_SHA512_ASN1,
        };
        let mut signature = Vec::new();
        match question.scheme {
            Scheme::RsaPkcs1(_) => signature.extend_from_slice(question.signature),
            Scheme::Ecdsa(_) => der::ecdsa_signature(question.signature, &mut signature),
        }
        let key = ParsedPublicKey::new(algorithm, question.key);
        // It must read every key that we take.
        let key = key.unwrap_or_else(|_| panic!("unreadable: {:02x?}", question.key));
        Some(key.verify_sig(question.message, &signature).is_ok())
    }
}

/// What the `rsa` crate says, and what it forgets: the representative is below the modulus.
pub(crate) fn rsa(
    n: &[u8],
    e: &[u8],
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let n = BigUint::from_bytes_be(n);
    let key = RsaPublicKey::new(n.clone(), BigUint::from_bytes_be(e)).unwrap();
    let pkcs1 = |scheme: Pkcs1v15Sign, hash: &[u8]| key.verify(scheme, hash, signature).is_ok();
    let pss = |scheme: Pss, hash: &[u8]| key.verify(scheme, hash, signature).is_ok();
    let verified = match algorithm {
        Algorithm::Rs256 => pkcs1(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
        Algorithm::Rs384 => pkcs1(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
        Algorithm::Rs512 => pkcs1(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
        Algorithm::Ps256 => pss(Pss::new::<Sha256>(), &Sha256::digest(message)),
        Algorithm::Ps384 => pss(Pss::new::<Sha384>(), &Sha384::digest(message)),
        Algorithm::Ps512 => pss(Pss::new::<Sha512>(), &Sha512::digest(message)),
        other => panic!("{other}"),
    };
    verified && BigUint::from_bytes_be(signature) < n
}

/// What `ed25519-dalek` says by its strict rules.
pub(crate) fn ed25519(x: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = ed25519_dalek::VerifyingKey::try_from(x).unwrap();
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}
