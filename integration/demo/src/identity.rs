//! Who issues the demo's tokens: keys, tokens, and the endpoint where people get them.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use jwt_gate_envoy::Behaviour;
use jwt_gate_scenario::{KeyError, Keyring, MintError};
use serde_json::{Value, json};

/// The provider's name for itself, as `policy.json` has it.
const ISSUER: &str = "https://idp.demo";
/// The audience that `policy.json` wants.
const AUDIENCE: &str = "orders";
/// Seconds that a token lives where nothing else is asked for.
const LIFETIME: i64 = 3600;

/// Why there is no token or key set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A token could not be signed.
    #[error("cannot make a token: {0}")]
    Token(#[from] MintError),
    /// A key could not be had.
    #[error("cannot make a key: {0}")]
    Key(#[from] KeyError),
    /// A parameter of the token endpoint that does not exist.
    #[error("unknown parameter `{0}`; there are sub, roles, scope, aud, exp (seconds from now)")]
    UnknownParameter(String),
    /// A lifetime that is no number.
    #[error("exp must be a number of seconds from now, not `{0}`")]
    Lifetime(String),
}

/// The identity provider's keys; the newest one signs.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    keyring: Keyring,
    rotations: AtomicU32,
}

impl Identity {
    /// The name (`kid`) of the key that signs.
    pub(crate) fn key(&self) -> String {
        name(self.rotations.load(Ordering::SeqCst))
    }

    /// Makes a new key; it signs from now on, and the one before stays published.
    pub(crate) fn rotate(&self) -> String {
        self.rotations.fetch_add(1, Ordering::SeqCst);
        self.key()
    }

    /// The published key set: the newest key, and the one before.
    pub(crate) fn jwks(&self) -> Result<String, Error> {
        let rotations = self.rotations.load(Ordering::SeqCst);
        let names: Vec<_> = (rotations.saturating_sub(1)..=rotations).rev().map(name).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        Ok(self.keyring.jwks(&names)?)
    }

    /// What it says of itself: where its keys are.
    pub(crate) fn discovery() -> String {
        json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks.json") }).to_string()
    }

    /// A token with these claims beside the usual ones, signed by the newest key; `words` say what
    /// shall be otherwise, as in `${token …}` of a scenario.
    pub(crate) fn token(&self, claims: &Value, words: &str) -> Result<String, Error> {
        // A quote ends the word; as an escape it is the same JSON.
        let claims = claims.to_string().replace('\'', "\\u0027");
        let mut all = format!("claims='{claims}' {words}");
        let (lifetime, key) = (format!("+{LIFETIME}"), self.key());
        let defaults = [("iss", ISSUER), ("aud", AUDIENCE), ("exp", &lifetime), ("key", &key)];
        for (name, value) in defaults {
            let given = |word: &str| word.split_once('=').is_some_and(|(other, _)| other == name);
            if !words.split(' ').any(given) {
                all.push_str(&format!(" {name}={value}"));
            }
        }
        Ok(self.keyring.mint(now(), &all)?)
    }

    /// A token as the query of the token endpoint wants it.
    pub(crate) fn token_for(&self, query: &str) -> Result<String, Error> {
        let mut claims = json!({ "sub": "alice" });
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = match name.as_ref() {
                "sub" | "scope" | "aud" => json!(value),
                "roles" => json!(value.split(',').collect::<Vec<_>>()),
                "exp" => {
                    let lifetime = value.parse::<i64>();
                    let lifetime = lifetime.map_err(|_| Error::Lifetime(value.into_owned()))?;
                    let now = i64::try_from(now()).unwrap_or(i64::MAX);
                    json!(now.saturating_add(lifetime))
                }
                _ => return Err(Error::UnknownParameter(name.into_owned())),
            };
            if let Some(claim) = claims.get_mut(name.as_ref()) {
                *claim = value;
            } else if let Some(claims) = claims.as_object_mut() {
                claims.insert(name.into_owned(), value);
            }
        }
        self.token(&claims, "")
    }
}

/// Text as the identity provider's endpoints answer it.
pub(crate) fn answer(text: Result<String, Error>) -> Behaviour {
    match text {
        Ok(text) => Behaviour::ok(text),
        Err(error) => Behaviour::ok(format!("{error}\n")).with_status(400),
    }
}

/// The first key is RSA, as most providers have it; those that follow are elliptic.
fn name(rotations: u32) -> String {
    match rotations {
        0 => "rsa-1".to_owned(),
        later => format!("p256-{}", later.saturating_add(1)),
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens are for a proxy that has the real time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::Identity;

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_token_has_the_claims_that_the_query_asks_for() {
        let query = "sub=o%27neil+%22x%22&roles=admin,clerk&scope=orders%3Aread+x&exp=-60";
        let token = Identity::default().token_for(query).unwrap();
        assert_eq!(part(&token, 0), json!({ "alg": "RS256", "kid": "rsa-1" }));
        let mut claims = part(&token, 1);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap();
        assert_eq!(time("iat").saturating_sub(time("exp")), 60);
        for name in ["exp", "iat"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        let expected = json!({
            "iss": "https://idp.demo", "aud": "orders", "sub": "o'neil \"x\"",
            "roles": ["admin", "clerk"], "scope": "orders:read x",
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn the_policy_is_about_this_provider() {
        let policy: Value = serde_json::from_str(include_str!("../policy.json")).unwrap();
        let provider = policy.pointer("/providers/demo").unwrap();
        assert_eq!(provider.get("issuer"), Some(&json!(super::ISSUER)));
        assert_eq!(provider.get("audiences"), Some(&json!([super::AUDIENCE])));
    }

    #[test]
    fn a_query_that_cannot_be_met_says_what_can() {
        for (query, expected) in [
            ("role=admin", "unknown parameter `role`; there are sub, roles, scope, aud, exp"),
            ("exp=soon", "exp must be a number of seconds from now, not `soon`"),
        ] {
            let error = Identity::default().token_for(query).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{query}: {error}");
        }
    }

    #[test]
    fn after_a_rotation_the_new_key_signs_and_the_old_one_is_published_still() {
        let identity = Identity::default();
        let published = || {
            let keys: Value = serde_json::from_str(&identity.jwks().unwrap()).unwrap();
            let keys = keys.get("keys").and_then(Value::as_array).unwrap().clone();
            keys.iter().map(|key| key.get("kid").unwrap().clone()).collect::<Vec<_>>()
        };
        assert_eq!(published(), ["rsa-1"]);
        assert_eq!(
            (identity.rotate().as_str(), published()),
            ("p256-2", vec![json!("p256-2"), json!("rsa-1")])
        );
        identity.rotate();
        assert_eq!(published(), ["p256-3", "p256-2"]);
        let token = identity.token_for("").unwrap();
        assert_eq!(part(&token, 0), json!({ "alg": "ES256", "kid": "p256-3" }));
    }
}
