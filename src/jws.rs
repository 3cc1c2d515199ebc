//! The token: from bytes that nobody vouches for to claims that a key vouches for.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::claims::Claims;
use crate::crypto::{Algorithm, HostCrypto};
use crate::json::{self, Object, Value};
use crate::keys::set::KeySet;
use crate::rejection::{Malformed, Rejection};

/// What stands in a token, whoever wrote it: good for refusing, never for letting through.
pub struct Stated {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
    claims: Claims,
}

impl Stated {
    /// The claims.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The header's `alg`.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The header's `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The header's `typ`.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }
}

impl fmt::Debug for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stated({})", self.algorithm.name())
    }
}

/// A token in compact form (RFC 7515, section 7.1), parsed; nothing of it is trusted yet.
pub struct Jws<'t> {
    stated: Stated,
    compact: &'t str,
    payload: Range<usize>,
    signature: Vec<u8>,
}

/// Bounds on a token.
#[derive(Clone, Copy, Debug)]
pub struct TokenLimits {
    /// Size of the compact form in bytes.
    pub max_bytes: usize,
    /// Nesting of its JSON.
    pub max_depth: usize,
}

impl<'t> Jws<'t> {
    /// Parses a token, strictly: three parts of canonical unpadded base64url, two JSON objects
    /// without repeated members, registered members of their own types, nothing critical.
    /// Its cost is linear in the token's size, which is looked at first.
    pub fn parse(token: &'t [u8], limits: TokenLimits) -> Result<Self, Malformed> {
        if token.len() > limits.max_bytes {
            return Err(Malformed::TooLarge);
        }
        let [header, payload, signature] = parts(token).ok_or(Malformed::Sections)?;
        let octets = base64url(header).ok_or(Malformed::HeaderBase64)?;
        let Header { algorithm, kid, typ } = Header::parse(&octets, limits.max_depth)?;
        let octets = base64url(payload).ok_or(Malformed::PayloadBase64)?;
        let claims = Claims::parse(&octets, limits.max_depth)?;
        let signature = base64url(signature).ok_or(Malformed::SignatureBase64)?;
        // All of it is base64url and dots.
        let compact = str::from_utf8(token).map_err(|_| Malformed::Sections)?;
        let start = header.len().saturating_add(1);
        let payload = start..start.saturating_add(payload.len());
        let stated = Stated { algorithm, kid, typ, claims };
        Ok(Self { stated, compact, payload, signature })
    }

    /// What stands in it.
    pub const fn stated(&self) -> &Stated {
        &self.stated
    }

    /// Verifies the signature: some key of `keys` that fits `kid` and `alg` must have made it.
    /// The only way to a [`VerifiedToken`].
    pub fn verify(self, keys: &KeySet, host: &dyn HostCrypto) -> Result<VerifiedToken, Rejection> {
        let Self { stated, compact, payload, signature } = self;
        let signed = compact.get(..payload.end).unwrap_or_default().as_bytes();
        let mut refused = Rejection::UnknownKey;
        let mut by = None;
        for key in keys.candidates(stated.kid(), stated.algorithm) {
            if key.verify(stated.algorithm, signed, &signature, host) {
                by = Some(key);
                break;
            }
            refused = if stated.algorithm == Algorithm::EdDsa && signature.len() != 64 {
                Rejection::Malformed(Malformed::Ed25519Length)
            } else {
                Rejection::BadSignature
            };
        }
        let key = by.ok_or(refused)?;
        // A token that names no key is by that key all the same.
        let kid = key.kid().or(stated.kid()).map(Box::from);
        Ok(VerifiedToken(Arc::new(Verified { stated, compact: compact.into(), payload, kid })))
    }
}

/// Says what kind of token it is and nothing that stands in it.
impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jws({}, {} bytes)", self.stated.algorithm.name(), self.compact.len())
    }
}

/// A token whose signature a key of its provider has made. There is no other way to get one than
/// [`Jws::verify`]. A clone shares it.
#[derive(Clone)]
pub struct VerifiedToken(Arc<Verified>);

struct Verified {
    stated: Stated,
    compact: Box<str>,
    payload: Range<usize>,
    kid: Option<Box<str>>,
}

impl VerifiedToken {
    /// What stands in it, for what is asked of any token.
    pub fn stated(&self) -> &Stated {
        &self.0.stated
    }

    /// What the issuer says.
    pub fn claims(&self) -> &Claims {
        &self.0.stated.claims
    }

    /// The header's `typ`.
    pub fn typ(&self) -> Option<&str> {
        self.0.stated.typ()
    }

    /// Name of the key that made the signature; the header's `kid` when the key has none.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The payload in base64url without padding, as it came.
    pub fn payload(&self) -> &str {
        self.0.compact.get(self.0.payload.clone()).unwrap_or_default()
    }

    /// The JOSE header in base64url without padding, as it came.
    pub fn header(&self) -> &str {
        self.0.compact.split_once('.').map_or("", |(header, _)| header)
    }

    /// The compact form, as it came.
    pub(crate) fn compact(&self) -> &[u8] {
        self.0.compact.as_bytes()
    }

    /// Bytes of memory that it takes, about.
    pub(crate) fn size(&self) -> usize {
        let Stated { kid, typ, claims, .. } = &self.0.stated;
        let texts =
            [kid, typ, &self.0.kid].into_iter().flatten().map(|text| text.len()).sum::<usize>();
        size_of::<Verified>()
            .saturating_add(self.0.compact.len())
            .saturating_add(texts)
            .saturating_add(claims.size())
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedToken({} bytes of payload)", self.0.payload.len())
    }
}

/// Whether `typ` names the media type `wanted` (RFC 7515, 4.1.9): letters have no case, and
/// `application/` is understood where there is no slash.
pub fn is_type(typ: &str, wanted: &str) -> bool {
    let short = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.strip_prefix("application/").map_or(name.clone(), str::to_owned)
    };
    short(typ) == short(wanted)
}

struct Header {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
}

impl Header {
    fn parse(text: &[u8], max_depth: usize) -> Result<Self, Malformed> {
        let Ok(Value::Object(members)) = json::parse(text, max_depth) else {
            return Err(Malformed::HeaderJson);
        };
        let algorithm = members.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.ok_or(Malformed::AlgorithmType)?;
        let algorithm = Algorithm::parse(algorithm).ok_or(Malformed::Algorithm)?;
        let kid = text_member(&members, "kid").map_err(|()| Malformed::KeyId)?;
        let typ = text_member(&members, "typ").map_err(|()| Malformed::Type)?;
        // No extension is implemented, so each critical one is an unknown one. A payload that is
        // not base64url (`b64`) is no JWT, whether `crit` says so or not.
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(Malformed::Critical);
        }
        // `zip` and `enc` belong to encrypted tokens, `cty: JWT` to one that holds another.
        let nested =
            members.get("cty").is_some_and(|cty| cty.as_str().is_none_or(|c| is_type(c, "jwt")));
        if nested || members.contains_key("enc") || members.contains_key("zip") {
            return Err(Malformed::Nested);
        }
        Ok(Self { algorithm, kid: kid.filter(|kid| !kid.is_empty()), typ })
    }
}

fn text_member(members: &Object, name: &str) -> Result<Option<Box<str>>, ()> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(|text| Some(text.into())).ok_or(()),
    }
}

/// The three parts of a token, none of them empty.
fn parts(token: &[u8]) -> Option<[&[u8]; 3]> {
    let (header, rest) = part(token)?;
    let (payload, signature) = part(rest)?;
    let whole = !(header.is_empty() || payload.is_empty() || signature.is_empty());
    (whole && memchr::memchr(b'.', signature).is_none()).then_some([header, payload, signature])
}

fn part(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (part, rest) = text.split_at_checked(memchr::memchr(b'.', text)?)?;
    Some((part, rest.get(1..)?))
}

/// The octets of unpadded, canonical base64url.
pub(crate) fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TokenLimits = TokenLimits { max_bytes: 8192, max_depth: 64 };

    fn parse(header: &str, payload: &str) -> Result<(), Malformed> {
        let token = [header, payload, "sig"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        Jws::parse(token.as_bytes(), LIMITS).map(|_| ())
    }

    #[test]
    fn only_three_parts_are_a_token() {
        for token in ["", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c.d.e", "..", "...."]
        {
            assert_eq!(
                Jws::parse(token.as_bytes(), LIMITS).unwrap_err(),
                Malformed::Sections,
                "{token:?}"
            );
        }
        let dots = ".".repeat(8193);
        assert_eq!(Jws::parse(dots.as_bytes(), LIMITS).unwrap_err(), Malformed::TooLarge);
    }

    #[test]
    fn the_header_is_read_strictly() {
        let cases = [
            ("x", Malformed::HeaderJson),
            ("[]", Malformed::HeaderJson),
            (r#"{"alg":"RS256","alg":"RS256"}"#, Malformed::HeaderJson),
            ("{}", Malformed::AlgorithmType),
            (r#"{"alg":1}"#, Malformed::AlgorithmType),
            (r#"{"alg":"none"}"#, Malformed::Algorithm),
            (r#"{"alg":"rs256"}"#, Malformed::Algorithm),
            (r#"{"alg":"RS256","kid":1}"#, Malformed::KeyId),
            (r#"{"alg":"RS256","kid":null}"#, Malformed::KeyId),
            (r#"{"alg":"RS256","typ":1}"#, Malformed::Type),
            (r#"{"alg":"RS256","crit":["x"],"x":1}"#, Malformed::Critical),
            (r#"{"alg":"RS256","crit":[]}"#, Malformed::Critical),
            (r#"{"alg":"RS256","b64":false}"#, Malformed::Critical),
            (r#"{"alg":"RS256","cty":"JWT"}"#, Malformed::Nested),
            (r#"{"alg":"RS256","enc":"A128GCM"}"#, Malformed::Nested),
        ];
        for (header, expected) in cases {
            assert_eq!(parse(header, "{}"), Err(expected), "{header}");
        }
        assert_eq!(
            parse(r#"{"alg":"RS256","kid":"","typ":"JWT","jku":"x","y":[1]}"#, "{}"),
            Ok(())
        );
    }

    #[test]
    fn base64url_is_canonical_and_without_padding() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let cases = [
            (format!("{header}=.e30.c2ln"), Malformed::HeaderBase64),
            (format!("{header}.e30=.c2ln"), Malformed::PayloadBase64),
            (format!("{header}.e31.c2ln"), Malformed::PayloadBase64),
            (format!("{header}.e30.c2l+"), Malformed::SignatureBase64),
            (format!("{header}.e30.c2 ln"), Malformed::SignatureBase64),
            (format!("{header}.e30.c2ln=="), Malformed::SignatureBase64),
        ];
        for (token, expected) in cases {
            assert_eq!(Jws::parse(token.as_bytes(), LIMITS).unwrap_err(), expected, "{token}");
        }
    }

    #[test]
    fn a_type_is_compared_as_a_media_type() {
        let cases = [
            ("at+jwt", "at+jwt", true),
            ("application/AT+JWT", "at+jwt", true),
            ("at+jwt", "application/at+jwt", true),
            ("JWT", "at+jwt", false),
            ("text/at+jwt", "at+jwt", false),
        ];
        for (typ, wanted, expected) in cases {
            assert_eq!(is_type(typ, wanted), expected, "{typ} {wanted}");
        }
    }
}
