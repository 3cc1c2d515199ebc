//! Tokens from words: `key=rsa-1 exp=+600 scope="a b"`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::keyring::{self, Algorithm, KeyError, Keyring};
use crate::words::{Word, WordsError};

/// Why a token cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MintError {
    /// The words cannot be read.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// The key cannot be had or used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A word without `=`.
    #[error("`{0}` is not of the form `name=value`")]
    Bare(String),
    /// A word that is there twice.
    #[error("`{0}=` is there twice")]
    Twice(String),
    /// Not a JSON object.
    #[error("`{0}=` must be a JSON object")]
    NotAnObject(String),
    /// Neither an offset, `-`, nor JSON.
    #[error("`{name}={value}`: neither seconds from now (`+600`), `-`, nor JSON")]
    Time {
        /// The claim.
        name: String,
        /// What stands there.
        value: String,
    },
    /// A claim beside a raw payload.
    #[error("`payload=` stands in place of all claims, so `{0}=` cannot stand beside it")]
    BesidePayload(String),
    /// A member beside a raw header.
    #[error("`rawheader=` stands in place of the header, so `{0}=` cannot stand beside it")]
    BesideRawHeader(String),
    /// A value of `sign` that does not exist.
    #[error("`sign={0}`: must be `broken`, `none` or `pem`")]
    Sign(String),
    /// `sign=pem` without an HMAC algorithm.
    #[error("`sign=pem` needs `alg=HS256`, `HS384` or `HS512`")]
    PemAlgorithm,
}

/// How the last part comes about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Sign {
    #[default]
    Well,
    Broken,
    Nothing,
    Pem,
}

/// What the words say. `members` and `additions` come last, over all else.
#[derive(Debug)]
struct Recipe {
    key: String,
    alg: Option<String>,
    sign: Sign,
    header: Map<String, Value>,
    members: Map<String, Value>,
    raw_header: Option<String>,
    claims: Map<String, Value>,
    additions: Map<String, Value>,
    payload: Option<String>,
}

/// Makes a token. The order of the words does not matter.
pub(crate) fn mint(keyring: &Keyring, now: u64, words: &[Word]) -> Result<String, MintError> {
    Recipe::read(now, words)?.mint(keyring)
}

impl Recipe {
    fn read(now: u64, words: &[Word]) -> Result<Self, MintError> {
        let mut recipe = Self::with_defaults(now);
        let mut seen: Vec<&str> = Vec::new();
        for word in words {
            let (name, value) = match word {
                Word::Named(name, value) => (name.as_str(), value.as_str()),
                Word::Bare(bare) => return Err(MintError::Bare(bare.clone())),
            };
            if seen.contains(&name) {
                return Err(MintError::Twice(name.to_owned()));
            }
            seen.push(name);
            recipe.take(now, name, value)?;
        }
        recipe.refuse_what_has_no_effect(&seen)?;
        recipe.complete();
        Ok(recipe)
    }

    fn take(&mut self, now: u64, name: &str, value: &str) -> Result<(), MintError> {
        match name {
            "key" => value.clone_into(&mut self.key),
            "alg" => self.alg = Some(value.to_owned()),
            "sign" => self.sign = Sign::read(value)?,
            "payload" => self.payload = Some(value.to_owned()),
            "rawheader" => self.raw_header = Some(value.to_owned()),
            "header" => self.members = object(name, value)?,
            "claims" => self.additions = object(name, value)?,
            "kid" | "typ" => {
                self.header.insert(name.to_owned(), optional(value));
            }
            _ if value == "-" => {
                self.claims.remove(name);
            }
            "exp" | "nbf" | "iat" | "auth_time" => {
                self.claims.insert(name.to_owned(), time(now, name, value)?);
            }
            _ => {
                self.claims.insert(name.to_owned(), value.into());
            }
        }
        Ok(())
    }

    fn with_defaults(now: u64) -> Self {
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), "https://idp.example".into());
        claims.insert("sub".to_owned(), "alice".into());
        claims.insert("aud".to_owned(), "api".into());
        claims.insert("iat".to_owned(), now.into());
        claims.insert("exp".to_owned(), now.saturating_add(600).into());
        Self {
            key: "rsa-1".to_owned(),
            alg: None,
            sign: Sign::Well,
            header: Map::new(),
            members: Map::new(),
            raw_header: None,
            claims,
            additions: Map::new(),
            payload: None,
        }
    }

    fn refuse_what_has_no_effect(&self, seen: &[&str]) -> Result<(), MintError> {
        let neither = ["key", "alg", "sign", "payload", "rawheader"];
        let header = ["kid", "typ", "header"];
        for name in seen.iter().filter(|name| !neither.contains(name)) {
            if header.contains(name) && self.raw_header.is_some() {
                return Err(MintError::BesideRawHeader((*name).to_owned()));
            }
            if !header.contains(name) && self.payload.is_some() {
                return Err(MintError::BesidePayload((*name).to_owned()));
            }
        }
        Ok(())
    }

    /// Adds what was given as JSON; in the header, `null` stood for what is left out until here.
    fn complete(&mut self) {
        self.claims.append(&mut self.additions);
        let kid = self.key.clone();
        self.header.entry("kid").or_insert_with(|| kid.into());
        if let Some(alg) = &self.alg {
            self.header.insert("alg".to_owned(), optional(alg));
        }
        self.header.retain(|_, value| !value.is_null());
        self.header.append(&mut self.members);
    }

    fn mint(mut self, keyring: &Keyring) -> Result<String, MintError> {
        let kind = Keyring::kind(&self.key)?;
        let own = kind.default_algorithm();
        if self.alg.is_none() {
            self.header.entry("alg").or_insert_with(|| own.name().into());
        }
        let wanted = self.alg.as_deref().and_then(Algorithm::of);
        let header = self.raw_header.unwrap_or_else(|| Value::Object(self.header).to_string());
        let payload = self.payload.unwrap_or_else(|| Value::Object(self.claims).to_string());
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let sign = if self.alg.as_deref() == Some("none") { Sign::Nothing } else { self.sign };
        let signature = match sign {
            Sign::Nothing => Vec::new(),
            Sign::Pem => {
                let secret = keyring.pem(&self.key)?;
                let algorithm = wanted.ok_or(MintError::PemAlgorithm)?;
                keyring::authenticate(algorithm, secret.as_bytes(), input.as_bytes())
                    .ok_or(MintError::PemAlgorithm)?
            }
            Sign::Well | Sign::Broken => {
                let algorithm = wanted.filter(|wanted| kind.signs(*wanted)).unwrap_or(own);
                keyring.sign(&self.key, algorithm, input.as_bytes())?
            }
        };
        let signature = if sign == Sign::Broken { broken(signature) } else { signature };
        Ok(format!("{input}.{}", encode(&signature)))
    }
}

impl Sign {
    fn read(value: &str) -> Result<Self, MintError> {
        match value {
            "broken" => Ok(Self::Broken),
            "none" => Ok(Self::Nothing),
            "pem" => Ok(Self::Pem),
            _ => Err(MintError::Sign(value.to_owned())),
        }
    }
}

/// A string, or `null` for what is left out.
fn optional(value: &str) -> Value {
    if value == "-" { Value::Null } else { value.into() }
}

fn object(name: &str, value: &str) -> Result<Map<String, Value>, MintError> {
    serde_json::from_str(value).map_err(|_| MintError::NotAnObject(name.to_owned()))
}

fn time(now: u64, name: &str, value: &str) -> Result<Value, MintError> {
    let wrong = || MintError::Time { name: name.to_owned(), value: value.to_owned() };
    if let Some(later) = value.strip_prefix('+') {
        let later: u64 = later.parse().map_err(|_| wrong())?;
        return Ok(now.saturating_add(later).into());
    }
    if let Some(earlier) = value.strip_prefix('-') {
        let earlier: u64 = earlier.parse().map_err(|_| wrong())?;
        return Ok(now.saturating_sub(earlier).into());
    }
    serde_json::from_str(value).map_err(|_| wrong())
}

fn broken(mut signature: Vec<u8>) -> Vec<u8> {
    let middle = signature.len() / 2;
    if let Some(byte) = signature.get_mut(middle) {
        *byte ^= 1;
    }
    signature
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_900_000_000;

    fn part(token: &str, index: usize) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()
    }

    fn text(token: &str, index: usize) -> String {
        String::from_utf8(part(token, index)).unwrap()
    }

    #[test]
    fn each_word_does_what_the_format_says() {
        let rows = [
            ("", 0, r#"{"alg":"ES256","kid":"p256-1"}"#),
            ("kid=-", 0, r#"{"alg":"ES256"}"#),
            ("kid=other typ=at+jwt", 0, r#"{"alg":"ES256","kid":"other","typ":"at+jwt"}"#),
            ("alg=RS256", 0, r#"{"alg":"RS256","kid":"p256-1"}"#),
            ("alg=-", 0, r#"{"kid":"p256-1"}"#),
            (r#"header='{"crit":["x"],"kid":5}'"#, 0, r#"{"alg":"ES256","crit":["x"],"kid":5}"#),
            (r#"header='{"alg":null}'"#, 0, r#"{"alg":null,"kid":"p256-1"}"#),
            (r#"rawheader='{"alg":"ES256",}'"#, 0, r#"{"alg":"ES256",}"#),
            ("iss=- sub=- aud=- iat=- exp=-", 1, "{}"),
            (
                "iss=x sub=- aud=- iat=-5 exp=+5",
                1,
                r#"{"exp":1900000005,"iat":1899999995,"iss":"x"}"#,
            ),
            ("iss=- sub=- aud=- iat=- exp=0.5 nbf=+0", 1, r#"{"exp":0.5,"nbf":1900000000}"#),
            (r#"iss=- sub=- aud=- iat=- exp='"7"' scope="a b""#, 1, r#"{"exp":"7","scope":"a b"}"#),
            (r#"iss=- sub=- aud=- iat=- exp=- claims='{"iss":null}'"#, 1, r#"{"iss":null}"#),
            ("iss=- sub=- aud=- iat=- exp=null", 1, r#"{"exp":null}"#),
            ("iss=- sub=- aud=- iat=- exp=- auth_time=-1", 1, r#"{"auth_time":1899999999}"#),
            ("payload='not JSON'", 1, "not JSON"),
        ];
        let keyring = Keyring::new();
        for (words, index, expected) in rows {
            let token = keyring.mint(NOW, &format!("key=p256-1 {words}")).unwrap();
            assert_eq!(text(&token, index), expected, "{words}");
        }
    }

    #[test]
    fn a_token_has_sensible_claims_by_default() {
        let token = Keyring::new().mint(NOW, "").unwrap();
        assert_eq!(text(&token, 0), r#"{"alg":"RS256","kid":"rsa-1"}"#);
        let expected = concat!(
            r#"{"aud":"api","exp":1900000600,"iat":1900000000,"#,
            r#""iss":"https://idp.example","sub":"alice"}"#
        );
        assert_eq!(text(&token, 1), expected);
    }

    #[test]
    fn the_signature_is_as_asked_for() {
        let keyring = Keyring::new();
        let split = |words: &str| {
            let token = keyring.mint(NOW, words).unwrap();
            let (input, _) = token.rsplit_once('.').unwrap();
            (input.to_owned(), part(&token, 2))
        };
        for words in ["alg=none", "sign=none", "alg=none sign=broken"] {
            assert_eq!(split(words).1, b"", "{words}");
        }
        let (input, signature) = split("sign=broken");
        let good = keyring.sign("rsa-1", Algorithm::Rs256, input.as_bytes()).unwrap();
        let bits: u32 = good.iter().zip(&signature).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!((good.len(), bits), (signature.len(), 1));
        let (input, signature) = split("alg=HS384");
        assert_eq!(keyring.sign("rsa-1", Algorithm::Rs256, input.as_bytes()), Ok(signature));
        let (input, signature) = split("alg=RS512");
        assert_eq!(keyring.sign("rsa-1", Algorithm::Rs512, input.as_bytes()), Ok(signature));
        let (input, signature) = split("alg=HS512 sign=pem");
        let pem = keyring.pem("rsa-1").unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIB"), "{pem}");
        let expected = keyring::authenticate(Algorithm::Hs512, pem.as_bytes(), input.as_bytes());
        assert_eq!(Some(signature), expected);
    }

    #[test]
    fn words_that_make_no_sense_are_refused() {
        let owned = str::to_owned;
        let rows = [
            ("rsa-1", MintError::Bare(owned("rsa-1"))),
            ("sub=a sub=b", MintError::Twice(owned("sub"))),
            ("claims=[]", MintError::NotAnObject(owned("claims"))),
            ("header=x", MintError::NotAnObject(owned("header"))),
            ("exp=soon", MintError::Time { name: owned("exp"), value: owned("soon") }),
            ("exp=+x", MintError::Time { name: owned("exp"), value: owned("+x") }),
            ("payload={} sub=x", MintError::BesidePayload(owned("sub"))),
            ("rawheader={} kid=x", MintError::BesideRawHeader(owned("kid"))),
            ("sign=well", MintError::Sign(owned("well"))),
            ("sign=pem", MintError::PemAlgorithm),
            ("sign=pem alg=RS256", MintError::PemAlgorithm),
            ("key=x-1", MintError::Key(KeyError::UnknownKind(owned("x-1")))),
            ("sub='", MintError::Words(WordsError::OpenQuote(owned("sub")))),
        ];
        let keyring = Keyring::new();
        for (words, expected) in rows {
            assert_eq!(keyring.mint(NOW, words), Err(expected), "{words}");
        }
    }
}
