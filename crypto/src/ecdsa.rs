//! ECDSA: jwt-compact's trait over `p256`, `p384` and `p521`.

#[cfg(not(feature = "reference-crypto"))]
mod portable;
#[cfg(feature = "reference-crypto")]
mod reference;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

#[cfg(not(feature = "reference-crypto"))]
use portable::{Known, Tabled};
#[cfg(feature = "reference-crypto")]
use reference::{Known, Tabled};

use ecdsa::Signature;
use ecdsa::elliptic_curve::point::AffineCoordinates;
use jwt_compact::{Algorithm as _, AlgorithmSignature};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Algorithm, Hash, HostCrypto, KeyError, Question, Scheme, der};

/// A curve of RFC 7518, section 6.2.1.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Curve {
    /// P-256, also known as secp256r1.
    P256,
    /// P-384, also known as secp384r1.
    P384,
    /// P-521, also known as secp521r1.
    P521,
}

impl Curve {
    /// The curve of exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }

    /// The name as it stands in `crv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Octets of a coordinate.
    pub const fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(super) struct EcKey {
    point: Point,
    /// The key as a host is told it.
    der: Box<[u8]>,
}

enum Point {
    P256(Known<p256::NistP256>),
    P384(Known<p384::NistP384>),
    P521(Known<p521::NistP521>),
}

impl Point {
    fn new(curve: Curve, x: &[u8], y: &[u8]) -> Option<Self> {
        Some(match curve {
            Curve::P256 => Self::P256(Known::new(affine(x, y)?)),
            Curve::P384 => Self::P384(Known::new(affine(x, y)?)),
            Curve::P521 => Self::P521(Known::new(affine(x, y)?)),
        })
    }
}

impl EcKey {
    pub(super) fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        for coordinate in [x, y] {
            if coordinate.len() != curve.octets() {
                return Err(KeyError::Coordinate { curve, octets: coordinate.len() });
            }
        }
        let point = Point::new(curve, x, y).ok_or(KeyError::NotOnCurve { curve })?;
        // SEC 1, 2.3.3: 4 marks a point with both coordinates; infinity has no such form.
        let encoded = [&[4], x, y].concat();
        Ok(Self { point, der: der::ec_key(curve, &encoded) })
    }

    pub(super) const fn curve(&self) -> Curve {
        match self.point {
            Point::P256(_) => Curve::P256,
            Point::P384(_) => Curve::P384,
            Point::P521(_) => Curve::P521,
        }
    }

    pub(super) fn forgo_table(&mut self) {
        match &mut self.point {
            Point::P256(key) => key.forgo_table(),
            Point::P384(key) => key.forgo_table(),
            Point::P521(key) => key.forgo_table(),
        }
    }

    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        algorithm
            == match self.point {
                Point::P256(_) => Algorithm::Es256,
                Point::P384(_) => Algorithm::Es384,
                Point::P521(_) => Algorithm::Es512,
            }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8], host: &dyn HostCrypto) -> bool {
        let question =
            |hash| Question { scheme: Scheme::Ecdsa(hash), key: &self.der, message, signature };
        match &self.point {
            Point::P256(key) => ES256.verify(key, &question(Hash::Sha256), host),
            Point::P384(key) => ES384.verify(key, &question(Hash::Sha384), host),
            Point::P521(key) => ES512.verify(key, &question(Hash::Sha512), host),
        }
    }
}

/// The point of coordinates in their full length, if it is one of the curve. They are taken as they
/// are: reading SEC 1 would bring along how compressed points are read, which nothing here takes.
fn affine<P: AffineCoordinates>(x: &[u8], y: &[u8]) -> Option<P>
where
    P::FieldRepr: for<'a> TryFrom<&'a [u8]>,
{
    let [x, y] = [x, y].map(|octets| P::FieldRepr::try_from(octets).ok());
    P::from_coordinates(&x?, &y?).into_option()
}

const ES256: Ecdsa<p256::NistP256, Sha256> = Ecdsa::new("ES256");
const ES384: Ecdsa<p384::NistP384, Sha384> = Ecdsa::new("ES384");
const ES512: Ecdsa<p521::NistP521, Sha512> = Ecdsa::new("ES512");

/// ECDSA on one curve, with the hash that JWS ties to it.
struct Ecdsa<C, D> {
    name: &'static str,
    curve: PhantomData<fn(C, D)>,
}

impl<C, D> Ecdsa<C, D> {
    const fn new(name: &'static str) -> Self {
        Self { name, curve: PhantomData }
    }
}

impl<C: Tabled, D: Digest> Ecdsa<C, D> {
    /// Looks at the ranges of r and s, then asks the host, then the curve's crate.
    fn verify(&self, key: &Known<C>, question: &Question<'_>, host: &dyn HostCrypto) -> bool {
        let Ok(signature) = Raw::try_from_slice(question.signature) else { return false };
        host.verify(question)
            .unwrap_or_else(|| self.verify_signature(&signature, key, question.message))
    }
}

impl<C: Tabled, D: Digest> jwt_compact::Algorithm for Ecdsa<C, D> {
    /// Nothing is signed here.
    type SigningKey = Infallible;
    type VerifyingKey = Known<C>;
    type Signature = Raw<C>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.name)
    }

    fn sign(&self, key: &Infallible, _: &[u8]) -> Raw<C> {
        match *key {}
    }

    fn verify_signature(&self, signature: &Raw<C>, key: &Known<C>, message: &[u8]) -> bool {
        key.verify(&D::digest(message), &signature.0)
    }
}

/// r and s side by side, each in its full length and between 1 and n - 1 (RFC 7518, 3.4).
struct Raw<C: Tabled>(Signature<C>);

impl<C: Tabled> AlgorithmSignature for Raw<C> {
    // `LENGTH` stays open: the conversion takes exactly the curve's length.
    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        let signature = Signature::from_slice(octets);
        signature.map(Self).map_err(|_| anyhow::Error::msg("r or s is out of range"))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        let (r, s) = self.0.split_bytes();
        Cow::Owned([r, s].concat())
    }
}
