//! Keys by name, made when they are first asked for.

mod certificate;
mod kind;
mod material;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::token::{self, MintError};
use crate::words;
use material::Material;
pub(crate) use material::{authenticate, pem};

pub use kind::{Algorithm, Kind};

/// Private keys by name; shared by all scenarios of a process.
///
/// The name says the kind (`rsa-1`, `p256-other`), and a key comes into being at its first use:
/// RSA keys take long. Keys are never written anywhere.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Mutex<BTreeMap<String, Arc<Key>>>,
    certificates: Mutex<BTreeMap<CertificateId, Arc<[u8]>>>,
}

/// The name of its key, and whether it has expired.
type CertificateId = (String, bool);

#[derive(Debug)]
struct Key {
    kind: Kind,
    material: Material,
}

/// Why a key cannot be had or used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// A name that says no kind.
    #[error("`{0}` names no kind of key; it begins with one of {kinds}", kinds = Kind::PREFIXES)]
    UnknownKind(String),
    /// Cryptography failed.
    #[error("key `{0}`: the cryptographic library failed")]
    Crypto(String),
    /// A key that does not sign with the algorithm.
    #[error("key `{key}` cannot sign with {algorithm}")]
    CannotSign {
        /// Name of the key.
        key: String,
        /// Name of the algorithm.
        algorithm: &'static str,
    },
    /// A key without a public part.
    #[error("key `{0}` is a shared secret and has no public part")]
    NotPublic(String),
    /// A member given as JSON that is none.
    #[error("member `{0}` is not valid JSON")]
    Member(String),
}

impl Keyring {
    /// A keyring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Kind of the key of this name; makes no key.
    pub fn kind(name: &str) -> Result<Kind, KeyError> {
        Kind::of(name).ok_or_else(|| KeyError::UnknownKind(name.to_owned()))
    }

    /// The public key as JWK: `kty`, its members, and `kid` (its name). A shared secret comes whole.
    ///
    /// Each override sets a string member; the value `-` leaves the member out, and one that begins
    /// with `[` or `{` is taken as JSON.
    pub fn jwk(&self, name: &str, overrides: &[(&str, &str)]) -> Result<Value, KeyError> {
        let key = self.key(name)?;
        let mut jwk: Map<String, Value> = key.material.jwk();
        jwk.insert("kid".to_owned(), name.into());
        for (member, value) in overrides {
            if *value == "-" {
                jwk.remove(*member);
                continue;
            }
            let value = if value.starts_with(['[', '{']) {
                let read = serde_json::from_str(value);
                read.map_err(|_| KeyError::Member((*member).to_owned()))?
            } else {
                Value::from(*value)
            };
            jwk.insert((*member).to_owned(), value);
        }
        Ok(Value::Object(jwk))
    }

    /// JSON text of the set of these keys.
    pub fn jwks(&self, names: &[&str]) -> Result<String, KeyError> {
        let keys: Vec<Value> = names.iter().map(|n| self.jwk(n, &[])).collect::<Result<_, _>>()?;
        Ok(serde_json::json!({ "keys": keys }).to_string())
    }

    /// Signature of `message` by the key of this name.
    pub fn sign(
        &self,
        name: &str,
        algorithm: Algorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let key = self.key(name)?;
        if !key.kind.signs(algorithm) {
            let (key, algorithm) = (name.to_owned(), algorithm.name());
            return Err(KeyError::CannotSign { key, algorithm });
        }
        key.material.sign(algorithm, message).map_err(|_| KeyError::Crypto(name.to_owned()))
    }

    /// The public key as PEM (`SubjectPublicKeyInfo`).
    pub fn pem(&self, name: &str) -> Result<String, KeyError> {
        let key = self.key(name)?;
        key.material.pem().ok_or_else(|| KeyError::NotPublic(name.to_owned()))
    }

    /// A certificate of the public key in DER, valid now or expired; always the same one.
    pub fn certificate(&self, name: &str, expired: bool) -> Result<Arc<[u8]>, KeyError> {
        let key = self.key(name)?;
        let mut issued = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let id = (name.to_owned(), expired);
        if let Some(certificate) = issued.get(&id) {
            return Ok(Arc::clone(certificate));
        }
        let der = certificate::issue(&key.material, name, expired);
        let der = der.map_err(|_| KeyError::Crypto(name.to_owned()))?;
        let der: Arc<[u8]> = der.ok_or_else(|| KeyError::NotPublic(name.to_owned()))?.into();
        issued.insert(id, Arc::clone(&der));
        Ok(der)
    }

    /// A token, from the words that stand in `${token …}`; `now_secs` is the time in Unix seconds.
    ///
    /// ```
    /// let keyring = jwt_gate_scenario::Keyring::new();
    /// let token = keyring.mint(1_900_000_000, r#"key=p256-1 sub=bob scope="read write""#)?;
    /// assert_eq!(token.split('.').count(), 3);
    /// # Ok::<(), jwt_gate_scenario::MintError>(())
    /// ```
    pub fn mint(&self, now_secs: u64, expression: &str) -> Result<String, MintError> {
        token::mint(self, now_secs, &words::words(expression)?)
    }

    fn key(&self, name: &str) -> Result<Arc<Key>, KeyError> {
        let kind = Self::kind(name)?;
        // A thread that panicked left no half-made key behind: keys are inserted whole.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(name) {
            return Ok(Arc::clone(key));
        }
        let made = Material::generate(kind).map_err(|_| KeyError::Crypto(name.to_owned()))?;
        let key = Arc::new(Key { kind, material: made });
        keys.insert(name.to_owned(), Arc::clone(&key));
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    fn member(jwk: &Value, name: &str) -> Vec<u8> {
        let text = jwk.get(name).and_then(Value::as_str).unwrap();
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn an_rsa_signature_verifies_with_the_published_members() {
        use signature::RsaPublicKeyComponents;
        let rows: [(&str, Algorithm, &signature::RsaParameters); 7] = [
            ("rsa-1", Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
            ("rsa-1", Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
            ("rsa-1", Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
            ("rsa-1", Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
            ("rsa-1", Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
            ("rsa-1", Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512),
            ("rsa3072-1", Algorithm::Rs384, &signature::RSA_PKCS1_3072_8192_SHA384),
        ];
        let keyring = Keyring::new();
        for (name, algorithm, parameters) in rows {
            let jwk = keyring.jwk(name, &[]).unwrap();
            let public = RsaPublicKeyComponents { n: member(&jwk, "n"), e: member(&jwk, "e") };
            let signature = keyring.sign(name, algorithm, b"message").unwrap();
            let verified = |message| public.verify(parameters, message, &signature).is_ok();
            assert!(verified(b"message".as_slice()), "{name} {algorithm:?}");
            assert!(!verified(b"other"), "{name} {algorithm:?}");
        }
    }

    #[test]
    fn an_elliptic_signature_verifies_with_the_published_members() {
        let rows: [(&str, Algorithm, &dyn VerificationAlgorithm); 5] = [
            ("p256-1", Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED),
            ("p384-1", Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED),
            ("p521-1", Algorithm::Es512, &signature::ECDSA_P521_SHA512_FIXED),
            ("ed25519-1", Algorithm::EdDsa, &signature::ED25519),
            ("ed25519-1", Algorithm::Ed25519, &signature::ED25519),
        ];
        let keyring = Keyring::new();
        for (name, algorithm, verification) in rows {
            let jwk = keyring.jwk(name, &[]).unwrap();
            let public = if jwk.get("kty").and_then(Value::as_str) == Some("EC") {
                [&[4], member(&jwk, "x").as_slice(), &member(&jwk, "y")].concat()
            } else {
                member(&jwk, "x")
            };
            let public = UnparsedPublicKey::new(verification, public);
            let signature = keyring.sign(name, algorithm, b"message").unwrap();
            assert!(public.verify(b"message", &signature).is_ok(), "{name} {algorithm:?}");
            assert!(public.verify(b"other", &signature).is_err(), "{name} {algorithm:?}");
        }
    }

    #[test]
    fn a_shared_secret_is_published_whole() {
        use aws_lc_rs::hmac;
        let keyring = Keyring::new();
        for (algorithm, hash) in [
            (Algorithm::Hs256, hmac::HMAC_SHA256),
            (Algorithm::Hs384, hmac::HMAC_SHA384),
            (Algorithm::Hs512, hmac::HMAC_SHA512),
        ] {
            let secret = member(&keyring.jwk("hmac-1", &[]).unwrap(), "k");
            let tag = keyring.sign("hmac-1", algorithm, b"message").unwrap();
            let key = hmac::Key::new(hash, &secret);
            assert!(hmac::verify(&key, b"message", &tag).is_ok(), "{algorithm:?}");
        }
        let length = |name| member(&keyring.jwk(name, &[]).unwrap(), "k").len();
        assert_eq!((length("hmac-1"), length("hmac16-1")), (64, 16));
    }

    #[test]
    fn a_key_stays_the_same_under_its_name() {
        let keyring = Keyring::new();
        let one = keyring.jwk("p256-1", &[]).unwrap();
        assert_eq!(one, keyring.jwk("p256-1", &[]).unwrap());
        let two = keyring.jwk("p256-2", &[("kid", "p256-1")]).unwrap();
        assert_ne!(one, two);
        assert_ne!(one, Keyring::new().jwk("p256-1", &[]).unwrap());
    }

    #[test]
    fn a_certificate_is_of_its_key_and_stays_the_same() {
        let keyring = Keyring::new();
        for name in ["rsa-1", "p256-1", "p384-1", "p521-1", "ed25519-1"] {
            let certificate = keyring.certificate(name, false).unwrap();
            let pem = keyring.pem(name).unwrap();
            let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let public = base64::prelude::BASE64_STANDARD.decode(base64).unwrap();
            assert!(certificate.windows(public.len()).any(|part| *part == *public), "{name}");
            assert_eq!(keyring.certificate(name, false), Ok(Arc::clone(&certificate)), "{name}");
            assert_ne!(keyring.certificate(name, true), Ok(certificate), "{name}");
        }
        let expected = KeyError::NotPublic("hmac-1".to_owned());
        assert_eq!(keyring.certificate("hmac-1", false), Err(expected));
    }

    #[test]
    fn overrides_set_replace_and_leave_out_members() {
        let keyring = Keyring::new();
        let changes = [("use", "enc"), ("kid", "-"), ("key_ops", r#"["verify"]"#), ("crv", "X")];
        let jwk = keyring.jwk("p256-1", &changes).unwrap();
        let names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["crv", "key_ops", "kty", "use", "x", "y"]);
        assert_eq!(jwk.get("key_ops"), Some(&serde_json::json!(["verify"])));
        assert_eq!(jwk.get("crv"), Some(&Value::from("X")));
        let wrong = keyring.jwk("p256-1", &[("key_ops", "[")]);
        assert_eq!(wrong, Err(KeyError::Member("key_ops".to_owned())));
    }

    #[test]
    fn a_small_rsa_key_has_1024_bits_and_signs_nothing() {
        let keyring = Keyring::new();
        assert_eq!(member(&keyring.jwk("rsa1024-1", &[]).unwrap(), "n").len(), 128);
        let signed = keyring.sign("rsa1024-1", Algorithm::Rs256, b"message");
        let expected = KeyError::CannotSign { key: "rsa1024-1".to_owned(), algorithm: "RS256" };
        assert_eq!(signed, Err(expected));
    }

    #[test]
    fn only_the_key_s_own_algorithms_sign() {
        let keyring = Keyring::new();
        for (name, algorithm) in [
            ("p256-1", Algorithm::Es384),
            ("hmac-1", Algorithm::Rs256),
            ("rsa-1", Algorithm::EdDsa),
        ] {
            assert!(keyring.sign(name, algorithm, b"message").is_err(), "{name} {algorithm:?}");
        }
        for name in ["", "rsa", "dsa-1", "p2560-1", "rsa-"] {
            let expected = KeyError::UnknownKind(name.to_owned());
            assert_eq!(keyring.jwk(name, &[]), Err(expected), "{name:?}");
        }
    }
}
