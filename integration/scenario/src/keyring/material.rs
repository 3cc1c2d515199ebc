//! What a key is made of, and what it signs.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rcgen::SignatureAlgorithm;
use serde_json::{Map, Value};

use super::{Algorithm, Kind};

/// Public modulus of an RSA key of 1024 bits, which the library does not make any more. Nothing is
/// ever signed with it: it is there to be refused.
const RSA_1024_MODULUS: &str = "\
    y8i9H7Z318ft42iMYorlvmOQKV4aXqr4mHxGWj5nNxMSL8kxnOGZGwN8R7G8oYcBv4yzgvE2xjqzmriEZysXkP\
    adSs9br9qo-8VhhzITRy_3nw947PzpTCqWxsbJ6KYamHo9gMfQPxC-7ul79sA6LcQtzqi_TpRB6fW4JXp9x18";

/// The key itself.
#[derive(Debug)]
pub(super) enum Material {
    /// An RSA key pair.
    Rsa(RsaKeyPair),
    /// Only the fixed modulus.
    SmallRsa,
    /// A key pair on the curve of this name.
    Ecdsa(&'static str, EcdsaKeyPair),
    /// An Ed25519 key pair.
    Ed25519(Ed25519KeyPair),
    /// A shared secret.
    Secret(Vec<u8>),
}

impl Material {
    /// A new key.
    pub(super) fn generate(kind: Kind) -> Result<Self, Unspecified> {
        let ecdsa = |curve, algorithm| {
            EcdsaKeyPair::generate(algorithm).map(|pair| Self::Ecdsa(curve, pair))
        };
        match kind {
            Kind::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rsa),
            Kind::Rsa3072 => RsaKeyPair::generate(KeySize::Rsa3072).map(Self::Rsa),
            Kind::Rsa1024 => Ok(Self::SmallRsa),
            Kind::P256 => ecdsa("P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Kind::P384 => ecdsa("P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Kind::P521 => ecdsa("P-521", &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Kind::Ed25519 => Ed25519KeyPair::generate().map(Self::Ed25519),
            Kind::Hmac => secret::<64>(),
            Kind::Hmac16 => secret::<16>(),
        }
    }

    /// Signs; fails for an algorithm of another family.
    pub(super) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Rsa(pair) => {
                let padding = padding(algorithm).ok_or(Unspecified)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Self::SmallRsa => Err(Unspecified),
            Self::Ecdsa(_, pair) => {
                pair.sign(&SystemRandom::new(), message).map(|s| s.as_ref().to_vec())
            }
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::Secret(secret) => authenticate(algorithm, secret, message).ok_or(Unspecified),
        }
    }

    /// `kty` and the members of the public part; of a shared secret, all.
    pub(super) fn jwk(&self) -> Map<String, Value> {
        let members = match self {
            Self::Rsa(pair) => {
                let public: &rsa::PublicKey = pair.public_key();
                let n = base64url(public.modulus().big_endian_without_leading_zero());
                let e = base64url(public.exponent().big_endian_without_leading_zero());
                vec![("kty", "RSA".to_owned()), ("n", n), ("e", e)]
            }
            Self::SmallRsa => vec![
                ("kty", "RSA".to_owned()),
                ("n", RSA_1024_MODULUS.to_owned()),
                ("e", "AQAB".to_owned()),
            ],
            Self::Ecdsa(curve, pair) => {
                // Uncompressed point: a byte 4, then both coordinates.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let (x, y) = (base64url(x), base64url(y));
                vec![("kty", "EC".to_owned()), ("crv", (*curve).to_owned()), ("x", x), ("y", y)]
            }
            Self::Ed25519(pair) => {
                let x = base64url(pair.public_key().as_ref());
                vec![("kty", "OKP".to_owned()), ("crv", "Ed25519".to_owned()), ("x", x)]
            }
            Self::Secret(secret) => vec![("kty", "oct".to_owned()), ("k", base64url(secret))],
        };
        members.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }

    /// What a certificate holds of the key, and the algorithm that it names.
    pub(super) fn subject(&self) -> Option<(&[u8], &'static SignatureAlgorithm)> {
        match self {
            Self::Rsa(pair) => Some((pair.public_key().as_ref(), &rcgen::PKCS_RSA_SHA256)),
            Self::Ecdsa(curve, pair) => {
                let algorithm = match *curve {
                    "P-256" => &rcgen::PKCS_ECDSA_P256_SHA256,
                    "P-384" => &rcgen::PKCS_ECDSA_P384_SHA384,
                    _ => &rcgen::PKCS_ECDSA_P521_SHA512,
                };
                Some((pair.public_key().as_ref(), algorithm))
            }
            Self::Ed25519(pair) => Some((pair.public_key().as_ref(), &rcgen::PKCS_ED25519)),
            Self::SmallRsa | Self::Secret(_) => None,
        }
    }

    /// The public key as PEM.
    pub(super) fn pem(&self) -> Option<String> {
        let der: PublicKeyX509Der<'static> = match self {
            Self::Rsa(pair) => pair.public_key().as_der().ok()?,
            Self::Ecdsa(_, pair) => pair.public_key().as_der().ok()?,
            Self::Ed25519(pair) => pair.public_key().as_der().ok()?,
            Self::SmallRsa | Self::Secret(_) => return None,
        };
        Some(pem("PUBLIC KEY", der.as_ref()))
    }
}

/// A block of PEM (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
    let body = lines.join("\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// HMAC of `message`, if that is what the algorithm is.
pub(crate) fn authenticate(algorithm: Algorithm, secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let hash = match algorithm {
        Algorithm::Hs256 => hmac::HMAC_SHA256,
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::Es512
        | Algorithm::EdDsa
        | Algorithm::Ed25519 => return None,
    };
    Some(hmac::sign(&hmac::Key::new(hash, secret), message).as_ref().to_vec())
}

fn padding(algorithm: Algorithm) -> Option<&'static dyn signature::RsaEncoding> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_SHA512),
        Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::Es512
        | Algorithm::EdDsa
        | Algorithm::Ed25519
        | Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512 => None,
    }
}

fn secret<const N: usize>() -> Result<Material, Unspecified> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(Material::Secret(bytes.to_vec()))
}

fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
