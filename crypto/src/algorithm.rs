//! Names of the signature algorithms.

use std::fmt;

/// A signature algorithm of JWS (RFC 7518, section 3.1; RFC 8037; RFC 9864).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt of 32 octets.
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, a salt of 48 octets.
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, a salt of 64 octets.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// EdDSA on Ed25519. Ed448 is not supported.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The algorithm of exactly this name; `none` is not among them.
    ///
    /// `Ed25519`, the name that RFC 9864 gives, is [`Self::EdDsa`] as well.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name as it stands in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether who can verify can also sign.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_leads_back_to_its_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm), "{algorithm}");
        }
        assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
    }

    #[test]
    fn only_the_exact_name_is_an_algorithm() {
        let names = [
            "", "none", "None", "NONE", "rs256", "RS256 ", " RS256", "RS256\0", "RS1", "ES256K",
            "Ed448", "eddsa", "ed25519", "EDDSA", "HS1", "RSA-OAEP", "ES521", "SHA256", "ＲS256",
        ];
        for name in names {
            assert_eq!(Algorithm::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn only_hmac_is_symmetric() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.is_symmetric(), algorithm.name().starts_with("HS"), "{algorithm}");
        }
    }
}
