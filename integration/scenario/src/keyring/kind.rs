//! Kinds of keys, and which algorithms each signs with.

/// Kind of a key, as its name says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `rsa-*`: 2048 bits.
    Rsa2048,
    /// `rsa3072-*`.
    Rsa3072,
    /// `rsa1024-*`: one fixed public key, for being refused.
    Rsa1024,
    /// `p256-*`.
    P256,
    /// `p384-*`.
    P384,
    /// `p521-*`.
    P521,
    /// `ed25519-*`.
    Ed25519,
    /// `hmac-*`: 64 random bytes.
    Hmac,
    /// `hmac16-*`: 16 random bytes.
    Hmac16,
}

/// A signature algorithm of RFC 7518, RFC 8037 and RFC 9864.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// ECDSA over P-384 with SHA-384.
    Es384,
    /// ECDSA over P-521 with SHA-512.
    Es512,
    /// Ed25519 under its older name.
    EdDsa,
    /// Ed25519 under its own name.
    Ed25519,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Kind {
    pub(super) const PREFIXES: &str =
        "rsa-, rsa3072-, rsa1024-, p256-, p384-, p521-, ed25519-, hmac-, hmac16-";

    /// The kind that a key's name says.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let (prefix, rest) = name.split_once('-')?;
        if rest.is_empty() {
            return None;
        }
        match prefix {
            "rsa" => Some(Self::Rsa2048),
            "rsa3072" => Some(Self::Rsa3072),
            "rsa1024" => Some(Self::Rsa1024),
            "p256" => Some(Self::P256),
            "p384" => Some(Self::P384),
            "p521" => Some(Self::P521),
            "ed25519" => Some(Self::Ed25519),
            "hmac" => Some(Self::Hmac),
            "hmac16" => Some(Self::Hmac16),
            _ => None,
        }
    }

    /// The algorithm that a key of this kind signs with unless told otherwise.
    #[must_use]
    pub const fn default_algorithm(self) -> Algorithm {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa1024 => Algorithm::Rs256,
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Ed25519 => Algorithm::EdDsa,
            Self::Hmac | Self::Hmac16 => Algorithm::Hs256,
        }
    }

    /// Whether a key of this kind signs with the algorithm.
    #[must_use]
    pub const fn signs(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa2048 | Self::Rsa3072 => algorithm.is_rsa(),
            Self::Rsa1024 => false,
            Self::P256 => matches!(algorithm, Algorithm::Es256),
            Self::P384 => matches!(algorithm, Algorithm::Es384),
            Self::P521 => matches!(algorithm, Algorithm::Es512),
            Self::Ed25519 => matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519),
            Self::Hmac | Self::Hmac16 => algorithm.is_hmac(),
        }
    }
}

impl Algorithm {
    const ALL: [Self; 14] = [
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
        Self::Ed25519,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The algorithm of this `alg`, exactly so written.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The `alg` of a token's header.
    #[must_use]
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
            Self::Ed25519 => "Ed25519",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether it is one of the HMAC algorithms.
    #[must_use]
    pub const fn is_hmac(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Whether it is one of the RSA algorithms.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512
        )
    }
}
