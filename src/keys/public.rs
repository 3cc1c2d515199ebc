//! A public key as the octets that it is made of, whatever form it was published in.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use crate::crypto::{Curve, KeyError, VerifyingKey};

/// What a public key is made of. Two of them are equal when they are the same key.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum PublicKey {
    /// Modulus and public exponent, big-endian.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
    /// Coordinates of a point, big-endian.
    Ec { curve: Curve, x: Box<[u8]>, y: Box<[u8]> },
    /// A point in its encoding (RFC 8032, section 5.1.2).
    Ed25519 { x: Box<[u8]> },
}

/// Why DER holds no public key that we know.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DerError {
    /// It is no certificate.
    #[error("not an X.509 certificate in DER")]
    Certificate,
    /// It is no `SubjectPublicKeyInfo`.
    #[error("not a public key in DER")]
    PublicKeyInfo,
    /// It is no `RSAPublicKey`.
    #[error("not an RSA public key in DER")]
    RsaPublicKey,
    /// The kind of key is unknown.
    #[error("a key of the algorithm {oid}; RSA, EC and Ed25519 are supported")]
    Algorithm {
        /// Which one.
        oid: ObjectIdentifier,
    },
    /// The parameters are not those of the algorithm.
    #[error("parameters that do not belong to the algorithm {oid}")]
    Parameters {
        /// Which one.
        oid: ObjectIdentifier,
    },
    /// The curve is unknown, or spelled out.
    #[error("a curve other than P-256, P-384 and P-521 by name")]
    Curve,
    /// The point is compressed, or none.
    #[error("a point that is not uncompressed")]
    Point,
}

/// RFC 8017, appendix A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 5480, section 2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 8410, section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RFC 5480, section 2.1.1.1.
const CURVES: [(ObjectIdentifier, Curve); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), Curve::P256),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), Curve::P384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), Curve::P521),
];

impl PublicKey {
    /// Reads `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, DerError> {
        let integers = integers(der).map_err(|_| DerError::RsaPublicKey)?;
        let [n, e] = integers.map(|integer| integer.as_bytes().into());
        Ok(Self::Rsa { n, e })
    }

    /// Reads `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, DerError> {
        let Info { algorithm: oid, parameters, key } =
            Info::from_der(der).map_err(|_| DerError::PublicKeyInfo)?;
        let key = key.as_bytes().ok_or(DerError::PublicKeyInfo)?;
        match oid {
            RSA_ENCRYPTION if parameters.is_some_and(AnyRef::is_null) => Self::from_pkcs1(key),
            EC_PUBLIC_KEY => {
                let named = parameters.and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
                let curve = CURVES.into_iter().find(|(oid, _)| named == Some(*oid));
                let (_, curve) = curve.ok_or(DerError::Curve)?;
                // SEC 1, 2.3.3: 4 marks a point with both coordinates.
                let point = key.strip_prefix(&[4]).ok_or(DerError::Point)?;
                let (x, y) = point.split_at_checked(curve.octets()).ok_or(DerError::Point)?;
                Ok(Self::Ec { curve, x: x.into(), y: y.into() })
            }
            ED25519 if parameters.is_none() => Ok(Self::Ed25519 { x: key.into() }),
            RSA_ENCRYPTION | ED25519 => Err(DerError::Parameters { oid }),
            oid => Err(DerError::Algorithm { oid }),
        }
    }

    /// Reads the key of a certificate (RFC 5280, section 4.1).
    ///
    /// Nothing else of it is looked at: neither names nor dates, extensions or signature. Who
    /// published the certificate is trusted with the key, and no authority vouches for it.
    pub(super) fn from_certificate(der: &[u8]) -> Result<Self, DerError> {
        Self::from_spki(certified(der).map_err(|_| DerError::Certificate)?)
    }

    /// The kind of key, as `kty` names it.
    pub(super) const fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } => "OKP",
        }
    }

    /// The curve, as `crv` names it.
    pub(super) const fn crv(&self) -> Option<&'static str> {
        match self {
            Self::Rsa { .. } => None,
            Self::Ec { curve, .. } => Some(curve.name()),
            Self::Ed25519 { .. } => Some("Ed25519"),
        }
    }

    /// The key prepared for verification, or why it is none that we would use.
    pub(super) fn verifying(&self) -> Result<VerifyingKey, KeyError> {
        match self {
            Self::Rsa { n, e } => VerifyingKey::rsa(n, e),
            Self::Ec { curve, x, y } => VerifyingKey::ec(*curve, x, y),
            Self::Ed25519 { x } => VerifyingKey::ed25519(x),
        }
    }
}

/// What is in a `SEQUENCE`, and nothing comes behind it. Each level has a reader of its own, so
/// that there is one kind of reader to compile, and nothing is entered that is not asked for.
fn sequence(der: &[u8]) -> der::Result<SliceReader<'_>> {
    let any = AnyRef::from_der(der)?;
    any.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(any.value())
}

/// A `SubjectPublicKeyInfo`.
struct Info<'d> {
    algorithm: ObjectIdentifier,
    parameters: Option<AnyRef<'d>>,
    key: BitStringRef<'d>,
}

impl<'d> Info<'d> {
    fn from_der(der: &'d [u8]) -> der::Result<Self> {
        let mut info = sequence(der)?;
        let mut identifier = sequence(info.tlv_bytes()?)?;
        let algorithm = identifier.decode()?;
        let parameters = if identifier.is_finished() { None } else { Some(identifier.decode()?) };
        let key = info.decode()?;
        identifier.finish()?;
        info.finish()?;
        Ok(Self { algorithm, parameters, key })
    }
}

/// The `SubjectPublicKeyInfo` of a certificate, in DER.
fn certified(der: &[u8]) -> der::Result<&[u8]> {
    let mut certificate = sequence(der)?;
    let mut tbs = sequence(certificate.tlv_bytes()?)?;
    let mut next = AnyRef::decode(&mut tbs)?;
    let version = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if next.tag() == version {
        next = tbs.decode()?;
    }
    // An integer that may be negative or too long: authorities have issued such numbers.
    next.tag().assert_eq(Tag::Integer)?;
    // Algorithm, issuer, validity, subject.
    for _ in 0..4 {
        AnyRef::decode(&mut tbs)?.tag().assert_eq(Tag::Sequence)?;
    }
    let info = tbs.tlv_bytes()?;
    while !tbs.is_finished() {
        AnyRef::decode(&mut tbs)?;
    }
    AnyRef::decode(&mut certificate)?.tag().assert_eq(Tag::Sequence)?;
    AnyRef::decode(&mut certificate)?.tag().assert_eq(Tag::BitString)?;
    certificate.finish()?;
    Ok(info)
}

/// Modulus and exponent of an `RSAPublicKey`.
fn integers(der: &[u8]) -> der::Result<[UintRef<'_>; 2]> {
    let mut key = sequence(der)?;
    let integers = [key.decode()?, key.decode()?];
    key.finish()?;
    Ok(integers)
}
