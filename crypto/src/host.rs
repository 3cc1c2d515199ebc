//! The host's own cryptography: much faster than ours, where there is one.

use std::fmt;

/// What a host can verify for us. It is asked after our own checks of lengths and ranges, and its
/// answer is final; what it cannot tell is decided here, so that a host changes no verdict.
pub trait HostCrypto: fmt::Debug {
    /// Whether the signature is the key's; `None` if the host cannot tell.
    fn verify(&self, question: &Question<'_>) -> Option<bool>;
}

/// A signature to verify.
pub struct Question<'a> {
    /// The kind of signature.
    pub scheme: Scheme,
    /// The key: a DER-encoded `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    pub key: &'a [u8],
    /// What was signed.
    pub message: &'a [u8],
    /// The signature as JWS has it; of ECDSA r and s side by side, each between 1 and n - 1.
    pub signature: &'a [u8],
}

/// Kinds of signature that a host may know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// ECDSA on the key's curve.
    Ecdsa(Hash),
}

/// A hash of SHA-2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Where there is no such host.
#[derive(Clone, Copy, Debug)]
pub struct NoHostCrypto;

impl HostCrypto for NoHostCrypto {
    fn verify(&self, _: &Question<'_>) -> Option<bool> {
        None
    }
}

/// As JWS names it, which ties a hash to a curve.
impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, hash) = match self {
            Self::RsaPkcs1(hash) => ("RS", hash),
            Self::Ecdsa(hash) => ("ES", hash),
        };
        let bits = match hash {
            Hash::Sha256 => 256,
            Hash::Sha384 => 384,
            Hash::Sha512 => 512,
        };
        write!(f, "{family}{bits}")
    }
}

/// Says how long the parts are and nothing that stands in them.
impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({:?}, {} bytes signed)", self.scheme, self.message.len())
    }
}
