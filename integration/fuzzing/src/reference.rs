//! Another opinion on a token: jsonwebtoken's signatures, serde_json's values, and the plain words
//! of RFC 7519. It may be laxer than the gate and never stricter.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::Value;

use crate::gate::NOW;

/// The secret of the local key, and its `kid`.
const SECRET: &[u8; 64] = b"sixty-four octets that are a secret to nobody, for a fuzzer only";
const KID: &str = "h";

/// Seconds that clocks may differ.
const LEEWAY: f64 = 60.0;

/// The secret, as a JWK set.
pub(crate) fn secret() -> String {
    format!(r#"{{"keys":[{}]}}"#, secret_jwk())
}

fn secret_jwk() -> String {
    format!(r#"{{"kty":"oct","kid":"{KID}","k":"{}"}}"#, URL_SAFE_NO_PAD.encode(SECRET))
}

/// The keys as a JWK set: the secret, and public keys whose private ones are nobody's here.
pub(crate) fn jwks() -> String {
    let secret = secret_jwk();
    // RFC 8037, appendix A.2; RFC 7515, appendix A.3.
    format!(
        r#"{{"keys":[{secret},{{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},{{"kty":"EC","crv":"P-256","kid":"c","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}]}}"#
    )
}

/// A token of this header and payload, by the secret.
pub(crate) fn signed(header: &[u8], payload: &[u8], algorithm: Algorithm) -> Vec<u8> {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = EncodingKey::from_secret(SECRET);
    let signature = crypto::sign(input.as_bytes(), &key, algorithm).unwrap();
    format!("{input}.{signature}").into_bytes()
}

/// Whether the token is good by that opinion.
pub(crate) fn accepts(token: &[u8]) -> Option<()> {
    let token = str::from_utf8(token).ok()?;
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let [header, claims] = [header, payload]
        .map(|part| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok());
    let (header, claims) = (header?, claims?);
    if header.get("crit").is_some() || header.get("b64") == Some(&Value::Bool(false)) {
        return None;
    }
    let algorithm = Algorithm::from_str(header.get("alg")?.as_str()?).ok()?;
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => DecodingKey::from_secret(SECRET),
        Algorithm::ES256 => DecodingKey::from_ec_components(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        )
        .ok()?,
        _ => return None,
    };
    let verified = crypto::verify(signature, input.as_bytes(), &key, algorithm).ok()?;
    let audience = |aud: &Value| match aud {
        Value::String(one) => is_api(one),
        Value::Array(list) => list.iter().any(|one| one.as_str().is_some_and(is_api)),
        _ => false,
    };
    let issuer = claims.get("iss")?.as_str()? == "https://idp.example";
    let now = f64::from(u32::try_from(NOW).unwrap());
    let is_alive = claims.get("exp")?.as_f64()? + LEEWAY >= now;
    let has_begun =
        claims.get("nbf").is_none_or(|nbf| nbf.as_f64().is_some_and(|nbf| nbf <= now + LEEWAY));
    (verified
        && claims.is_object()
        && issuer
        && audience(claims.get("aud")?)
        && is_alive
        && has_begun)
        .then_some(())
}

/// As jwt_authn compares audiences: without a scheme, and without one slash at the end.
fn is_api(audience: &str) -> bool {
    let audience =
        audience.strip_prefix("https://").or(audience.strip_prefix("http://")).unwrap_or(audience);
    audience.strip_suffix('/').unwrap_or(audience) == "api"
}
