//! EdDSA on Ed25519 (RFC 8032), by the strict rules: a signature fits one message, and a key has one
//! form.

#[cfg(not(feature = "reference-crypto"))]
mod portable;
#[cfg(feature = "reference-crypto")]
mod reference;

use std::borrow::Cow;
use std::convert::Infallible;
use std::num::NonZeroUsize;

#[cfg(not(feature = "reference-crypto"))]
pub(super) use portable::Ed25519Key;
#[cfg(feature = "reference-crypto")]
pub(super) use reference::Ed25519Key;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use jwt_compact::AlgorithmSignature;

use super::{KeyError, check};

/// The point of a key that has the only allowed encoding, and not a small order.
fn point(x: &[u8]) -> Result<EdwardsPoint, KeyError> {
    let octets = |_| KeyError::Ed25519Size { octets: x.len() };
    let encoded = CompressedEdwardsY(x.try_into().map_err(octets)?);
    let point = encoded.decompress().ok_or(KeyError::Ed25519Point)?;
    // Of such a key there are signatures that fit any message.
    if point.is_small_order() {
        return Err(KeyError::Ed25519SmallOrder);
    }
    // RFC 8032, 5.1.3: y is less than p. Decoding reduces it; encoding again shows that.
    if point.compress() != encoded {
        return Err(KeyError::Ed25519Point);
    }
    Ok(point)
}

impl Ed25519Key {
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        check(&StrictEd25519, self, message, signature)
    }
}

struct StrictEd25519;

impl jwt_compact::Algorithm for StrictEd25519 {
    /// Nothing is signed here.
    type SigningKey = Infallible;
    type VerifyingKey = Ed25519Key;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, key: &Infallible, _: &[u8]) -> Signature {
        match *key {}
    }

    fn verify_signature(&self, signature: &Signature, key: &Ed25519Key, message: &[u8]) -> bool {
        key.is_strictly(message, signature)
    }
}

/// R and s side by side (RFC 8032, section 5.1.6), nothing of them looked at yet.
struct Signature {
    r: [u8; 32],
    s: [u8; 32],
}

impl AlgorithmSignature for Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(64);

    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        let Some((r, s)) = octets.split_first_chunk() else {
            return Err(anyhow::Error::msg("a signature has 64 octets"));
        };
        Ok(Self { r: *r, s: s.try_into()? })
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned([self.r, self.s].concat())
    }
}
