//! Envoy's `verify_signature`: RSA PKCS#1 v1.5 and ECDSA in DER, nothing else.

use aws_lc_rs::signature as alg;
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm};

use super::protobuf::Message;
use crate::Status;

/// The answer for a good signature: field 1, `true`.
const VALID: [u8; 2] = [0x08, 0x01];

/// The answer for a bad one: field 2, a text.
const INVALID: &[u8] = b"\x12\x17Failed to verify digest";

type Algorithm = &'static dyn VerificationAlgorithm;

/// Takes hash, key, signature and text; answers with a message, or with the status for arguments
/// that make no sense.
pub(super) fn verify(args: &[u8]) -> Result<Vec<u8>, Status> {
    let message = Message::parse(args).ok_or(Status::BAD_ARGUMENT)?;
    let [hash, key, signature, text] = [1, 2, 3, 4].map(|f| message.bytes(f).unwrap_or_default());
    let algorithms = algorithms(hash).ok_or(Status::BAD_ARGUMENT)?;
    if !is_spki(key) {
        return Err(Status::BAD_ARGUMENT);
    }
    let mut parsed =
        algorithms.iter().filter_map(|algorithm| ParsedPublicKey::new(*algorithm, key).ok());
    let key = parsed.next().ok_or(Status::BAD_ARGUMENT)?;
    let valid = key.verify_sig(text, signature).is_ok();
    Ok(if valid { VALID.to_vec() } else { INVALID.to_vec() })
}

/// The algorithms with this hash; the first that takes the key is the key's own.
fn algorithms(hash: &[u8]) -> Option<[Algorithm; 4]> {
    match hash {
        b"sha256" => Some([
            &alg::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            &alg::ECDSA_P256_SHA256_ASN1,
            &alg::ECDSA_P384_SHA256_ASN1,
            &alg::ECDSA_P521_SHA256_ASN1,
        ]),
        b"sha384" => Some([
            &alg::RSA_PKCS1_2048_8192_SHA384,
            &alg::ECDSA_P256_SHA384_ASN1,
            &alg::ECDSA_P384_SHA384_ASN1,
            &alg::ECDSA_P521_SHA384_ASN1,
        ]),
        b"sha512" => Some([
            &alg::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            &alg::ECDSA_P256_SHA512_ASN1,
            &alg::ECDSA_P384_SHA512_ASN1,
            &alg::ECDSA_P521_SHA512_ASN1,
        ]),
        _ => None,
    }
}

/// A `SubjectPublicKeyInfo` is a sequence that starts with a sequence; a bare RSA key starts with a
/// number, a bare point with another byte, and the library would take both.
fn is_spki(der: &[u8]) -> bool {
    let Some((&0x30, rest)) = der.split_first() else { return false };
    let content = match rest.split_first() {
        Some((length, rest)) if *length < 0x80 => Some(rest),
        Some((length, rest)) => rest.get(usize::from(length & 0x7F)..),
        None => None,
    };
    content.is_some_and(|content| content.first() == Some(&0x30))
}
