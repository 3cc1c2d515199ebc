//! One JSON Web Key (RFC 7517, section 4) becomes a key that verifies, or the reason why not.
//!
//! Only what verification needs is read. A key that brings its private part is refused: who reads
//! the set could sign with it.

mod x5c;

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use crate::crypto::{Algorithm, Curve, HostCrypto, KeyError, VerifyingKey};
use crate::json::{Object, Value};
use crate::keys::public::{DerError, PublicKey};

/// A key of a set.
#[derive(Clone, Debug)]
pub struct Key {
    kid: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    verifying: VerifyingKey,
}

/// Why a JWK is not used. Names members, never shows key material.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwkError {
    /// The entry is no object.
    #[error("an object is expected, not {found}")]
    NotAnObject {
        /// What stands there.
        found: &'static str,
    },
    /// A member that this kind of key must have is not there.
    #[error("`{member}` is missing")]
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member has another type than it must have.
    #[error("`{member}` must be {expected}, not {found}")]
    WrongType {
        /// Its name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The kind of key is unknown (`kty` is case-sensitive).
    #[error("`kty` `{kty}` is not supported")]
    KeyType {
        /// What `kty` says.
        kty: Label,
    },
    /// The curve is unknown (`crv` is case-sensitive).
    #[error("`crv` `{crv}` is not supported")]
    Curve {
        /// What `crv` says.
        crv: Label,
    },
    /// The key is not for signatures.
    #[error("`use` is `{usage}`, not `sig`")]
    Use {
        /// What `use` says.
        usage: Label,
    },
    /// The key is not for verification.
    #[error("`key_ops` does not hold `verify`")]
    NotForVerification,
    /// `key_ops` holds something twice (RFC 7517, section 4.3).
    #[error("`key_ops` holds `{operation}` twice")]
    DuplicateOperation {
        /// What it holds twice.
        operation: Label,
    },
    /// `use` says that the key is for signatures, `key_ops` that it is for something else as well.
    #[error("`use` is `sig`, but `key_ops` holds `{operation}`")]
    Contradiction {
        /// What a key for signatures does not do.
        operation: Label,
    },
    /// The algorithm is unknown, or none of signatures (`alg` is case-sensitive).
    #[error("`alg` `{alg}` is not supported")]
    Algorithm {
        /// What `alg` says.
        alg: Label,
    },
    /// The algorithm is not one for this kind and size of key.
    #[error("`alg` `{algorithm}` is not one for this key")]
    AlgorithmMismatch {
        /// What `alg` says.
        algorithm: Algorithm,
    },
    /// A member is not base64url.
    #[error("`{member}` is not base64url")]
    Base64 {
        /// Its name.
        member: &'static str,
    },
    /// The key comes with its private part.
    #[error("a private key (`{member}` is there)")]
    Private {
        /// A member of the private part.
        member: &'static str,
    },
    /// The first text of `x5c` is not base64.
    #[error("`x5c` does not begin with a certificate in standard base64")]
    CertificateBase64,
    /// The certificate holds no key that we know.
    #[error("`x5c`: {0}")]
    Certificate(#[from] DerError),
    /// The certificate's key is not the one that the other members say (RFC 7517, section 4.7).
    #[error("`x5c` holds another key than the other members say")]
    CertificateMismatch,
    /// A thumbprint is not that of the certificate (RFC 7517, sections 4.8 and 4.9).
    #[error("`{member}` is not the thumbprint of the certificate in `x5c`")]
    Thumbprint {
        /// The member that holds it.
        member: &'static str,
    },
    /// A shared secret in a set that others can read.
    #[error("a shared secret is accepted only among keys of the configuration itself")]
    Symmetric,
    /// The members are there, but what they hold is no key that we would use.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A word of a document, made fit for one log line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label(Box<str>);

impl Key {
    /// Reads a JWK; `oct` keys only if `allow_symmetric`.
    pub fn from_jwk(jwk: &Value, allow_symmetric: bool) -> Result<Self, JwkError> {
        let jwk = jwk.as_object().ok_or_else(|| JwkError::NotAnObject { found: jwk.kind() })?;
        check_public(jwk)?;
        let kid = string(jwk, "kid")?;
        check_purpose(jwk)?;
        let algorithm = match string(jwk, "alg")? {
            Some(alg) => Some(
                Algorithm::parse(alg)
                    .ok_or_else(|| JwkError::Algorithm { alg: Label::new(alg) })?,
            ),
            None => None,
        };
        let verifying = verifying_key(jwk, allow_symmetric)?;
        if let Some(algorithm) = algorithm
            && !verifying.serves(algorithm)
        {
            return Err(JwkError::AlgorithmMismatch { algorithm });
        }
        Ok(Self { algorithm, ..Self::named(kid.unwrap_or_default(), verifying) })
    }

    /// A key that is published under a name and with nothing else; an empty name is none.
    pub(super) fn named(kid: &str, verifying: VerifyingKey) -> Self {
        let kid = (!kid.is_empty()).then(|| kid.into());
        Self { kid, algorithm: None, verifying }
    }

    /// The key's name; an empty `kid` is none.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only algorithm that the key is for, where the JWK says so.
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Whether the key may verify by `algorithm`: it fits the key, and the JWK allows it.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|declared| declared == algorithm)
            && self.verifying.serves(algorithm)
    }

    /// Makes the key do without a table; see [`VerifyingKey::forgo_table`].
    pub(crate) fn forgo_table(&mut self) {
        self.verifying.forgo_table();
    }

    /// Whether `signature` over `message` is this key's, by `algorithm`; false when the key does
    /// not serve it.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        host: &dyn HostCrypto,
    ) -> bool {
        // Whether the key itself is one for the algorithm, its `verify` looks at.
        self.algorithm.is_none_or(|declared| declared == algorithm)
            && self.verifying.verify(algorithm, message, signature, host)
    }
}

impl Label {
    const MAX_CHARS: usize = 64;

    /// The first 64 characters of `text`; what is not printable ASCII becomes `?`.
    pub fn new(text: &str) -> Self {
        let shown = text.chars().take(Self::MAX_CHARS);
        Self(shown.map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses a key that `use` or `key_ops` reserve for something else (RFC 7517, 4.2 and 4.3).
fn check_purpose(jwk: &Object) -> Result<(), JwkError> {
    let usage = string(jwk, "use")?;
    if let Some(usage) = usage
        && usage != "sig"
    {
        return Err(JwkError::Use { usage: Label::new(usage) });
    }
    let Some(operations) = jwk.get("key_ops") else { return Ok(()) };
    let operations = strings("key_ops", operations)?;
    let mut seen = BTreeSet::new();
    if let Some(operation) = operations.iter().find(|operation| !seen.insert(**operation)) {
        return Err(JwkError::DuplicateOperation { operation: Label::new(operation) });
    }
    if !operations.contains(&"verify") {
        return Err(JwkError::NotForVerification);
    }
    match operations.into_iter().find(|operation| is_of_encryption(operation)) {
        Some(operation) if usage.is_some() => {
            Err(JwkError::Contradiction { operation: Label::new(operation) })
        }
        Some(_) | None => Ok(()),
    }
}

fn is_of_encryption(operation: &str) -> bool {
    ["encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"].contains(&operation)
}

/// Refuses a key that comes with its private part (RFC 7518, section 6). A shared secret has no
/// other.
fn check_public(jwk: &Object) -> Result<(), JwkError> {
    if jwk.get("kty").and_then(Value::as_str) == Some("oct") {
        return Ok(());
    }
    let members = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];
    match members.into_iter().find(|member| jwk.contains_key(*member)) {
        Some(member) => Err(JwkError::Private { member }),
        None => Ok(()),
    }
}

fn verifying_key(jwk: &Object, allow_symmetric: bool) -> Result<VerifyingKey, JwkError> {
    let (kty, members): (_, &[_]) = match required(jwk, "kty")? {
        "oct" if allow_symmetric => return Ok(VerifyingKey::hmac(&octets(jwk, "k")?)?),
        "oct" => return Err(JwkError::Symmetric),
        kty @ "RSA" => (kty, &["n", "e"]),
        kty @ "EC" => (kty, &["x", "y"]),
        kty @ "OKP" => (kty, &["x"]),
        kty => return Err(JwkError::KeyType { kty: Label::new(kty) }),
    };
    let Some(certified) = x5c::certified(jwk)? else {
        return Ok(public_key(jwk, kty)?.verifying()?);
    };
    // RFC 7517, 4.7: what other members say of the key must be what the certificate says.
    let agrees = if members.iter().any(|member| jwk.contains_key(*member)) {
        public_key(jwk, kty)? == certified
    } else {
        let crv = string(jwk, "crv")?;
        kty == certified.kty() && crv.is_none_or(|crv| certified.crv().is_none_or(|c| c == crv))
    };
    if agrees { Ok(certified.verifying()?) } else { Err(JwkError::CertificateMismatch) }
}

/// What the members of a key say, all of which must be there.
fn public_key(jwk: &Object, kty: &str) -> Result<PublicKey, JwkError> {
    let part = |member| octets(jwk, member).map(Vec::into_boxed_slice);
    if kty == "RSA" {
        return Ok(PublicKey::Rsa { n: part("n")?, e: part("e")? });
    }
    let crv = required(jwk, "crv")?;
    match (kty, Curve::parse(crv)) {
        ("EC", Some(curve)) => Ok(PublicKey::Ec { curve, x: part("x")?, y: part("y")? }),
        ("OKP", _) if crv == "Ed25519" => Ok(PublicKey::Ed25519 { x: part("x")? }),
        (_, _) => Err(JwkError::Curve { crv: Label::new(crv) }),
    }
}

/// A member that is a string, if it is there.
fn string<'j>(jwk: &'j Object, member: &'static str) -> Result<Option<&'j str>, JwkError> {
    let Some(value) = jwk.get(member) else { return Ok(None) };
    let wrong_type = || JwkError::WrongType { member, expected: "a string", found: value.kind() };
    value.as_str().map(Some).ok_or_else(wrong_type)
}

/// The strings of a member that is a list of them.
fn strings<'j>(member: &'static str, value: &'j Value) -> Result<Vec<&'j str>, JwkError> {
    let wrong_type = |found| JwkError::WrongType { member, expected: "a list of strings", found };
    let elements = value.as_array().ok_or_else(|| wrong_type(value.kind()))?;
    elements.iter().map(|e| e.as_str().ok_or_else(|| wrong_type("a list with others"))).collect()
}

/// A string that a key of its kind must have.
fn required<'j>(jwk: &'j Object, member: &'static str) -> Result<&'j str, JwkError> {
    string(jwk, member)?.ok_or(JwkError::Missing { member })
}

/// What a member that holds base64url means.
///
/// RFC 7515, section 2, has no padding. Envoy's jwt_authn takes it, so that sets with it are
/// about: complete padding is read, a part of it is not. Nothing else is lax: stray bits at the
/// end, white space and the standard alphabet are refused.
fn octets(jwk: &Object, member: &'static str) -> Result<Vec<u8>, JwkError> {
    let text = required(jwk, member)?;
    let engine = if text.ends_with('=') { URL_SAFE } else { URL_SAFE_NO_PAD };
    engine.decode(text).map_err(|_| JwkError::Base64 { member })
}

#[cfg(test)]
mod tests;
