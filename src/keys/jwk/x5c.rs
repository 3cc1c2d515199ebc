//! The certificate of a JWK (RFC 7517, sections 4.7 to 4.9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{JwkError, octets, string, strings};
use crate::json::{Object, Value};
use crate::keys::public::PublicKey;

/// The key of the first certificate of `x5c`, if there is one; thumbprints beside it must be its.
///
/// The others of the list are not looked at: the set vouches for the key, no authority does.
pub(super) fn certified(jwk: &Object) -> Result<Option<PublicKey>, JwkError> {
    let certificates = match jwk.get("x5c") {
        None | Some(Value::Null) => return Ok(None),
        Some(list) => strings("x5c", list)?,
    };
    let Some(first) = certificates.first() else { return Ok(None) };
    let der = STANDARD.decode(first).map_err(|_| JwkError::CertificateBase64)?;
    check_thumbprint(jwk, "x5t", &Sha1::digest(&der))?;
    check_thumbprint(jwk, "x5t#S256", &Sha256::digest(&der))?;
    Ok(Some(PublicKey::from_certificate(&der)?))
}

/// Some tenants of Auth0 publish the thumbprint's hexadecimal digits in base64url, in place of
/// its octets. Both are understood; a text of that length is no digest.
fn check_thumbprint(jwk: &Object, member: &'static str, digest: &[u8]) -> Result<(), JwkError> {
    if string(jwk, member)?.is_none() {
        return Ok(());
    }
    let thumbprint = octets(jwk, member)?;
    let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    if *thumbprint == *digest || thumbprint.eq_ignore_ascii_case(digits.as_bytes()) {
        Ok(())
    } else {
        Err(JwkError::Thumbprint { member })
    }
}
