//! Consumers: their keys and their groups.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::migrate::fields::Fields;
use crate::migrate::notes::Notes;

/// A key of a consumer.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    /// Whose it is.
    pub(super) consumer: String,
    /// What a token's issuer is.
    pub(super) key: String,
    algorithm: String,
    secret: Option<String>,
    public_key: Option<String>,
}

/// All consumers.
#[derive(Debug, Default)]
pub(super) struct Consumers {
    /// Keys of all of them.
    pub(super) credentials: Vec<Credential>,
    groups: Vec<(String, String)>,
}

impl Consumers {
    /// Reads `consumers`, and credentials that stand beside them.
    pub(super) fn read(fields: &mut Fields<'_>, notes: &mut Notes) -> Self {
        let mut consumers = Self::default();
        for consumer in fields.list("consumers", notes) {
            let name = ["username", "custom_id", "id"]
                .iter()
                .find_map(|name| consumer.get(name)?.as_str());
            let name = name.unwrap_or("consumer").to_owned();
            let mut inner = Fields::of(consumer, &format!("consumers.{name}"), notes);
            ["username", "custom_id", "id", "tags"].iter().for_each(|name| _ = inner.take(name));
            if inner.take("plugins").is_some() {
                notes.fault(&inner.at("plugins"), "plugins of a consumer cannot be said");
            }
            let others = [
                "keyauth_credentials",
                "basicauth_credentials",
                "hmacauth_credentials",
                "oauth2_credentials",
            ];
            inner.harmless(&others, "are not about tokens", notes);
            for secret in inner.list("jwt_secrets", notes) {
                consumers.credentials.extend(credential(secret, &name, notes));
            }
            for acl in inner.list("acls", notes) {
                let group = acl.get("group").and_then(Value::as_str).unwrap_or_default();
                consumers.groups.push((name.clone(), group.to_owned()));
            }
            inner.finish(notes);
        }
        for secret in fields.list("jwt_secrets", notes) {
            let name =
                secret.get("consumer").and_then(Value::as_str).unwrap_or("consumer").to_owned();
            consumers.credentials.extend(credential(secret, &name, notes));
        }
        for acl in fields.list("acls", notes) {
            let text =
                |name: &str| acl.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            consumers.groups.push((text("consumer"), text("group")));
        }
        consumers
    }

    /// Whether a consumer is in one of these groups.
    pub(super) fn is_in(&self, consumer: &str, groups: &[String]) -> bool {
        self.groups.iter().any(|(name, group)| name == consumer && groups.contains(group))
    }
}

fn credential(secret: &Value, consumer: &str, notes: &mut Notes) -> Option<Credential> {
    let mut fields = Fields::of(secret, &format!("consumers.{consumer}.jwt_secrets"), notes);
    ["id", "tags", "consumer"].iter().for_each(|name| _ = fields.take(name));
    let key = fields.text("key", notes);
    let algorithm = fields.text("algorithm", notes).unwrap_or_else(|| "HS256".to_owned());
    let (secret, public_key) = (fields.text("secret", notes), fields.text("rsa_public_key", notes));
    let place = fields.place().to_owned();
    fields.finish(notes);
    let Some(key) = key else {
        notes.fault(&place, "has no `key`: Kong makes one up when it is started");
        return None;
    };
    Some(Credential { consumer: consumer.to_owned(), key, algorithm, secret, public_key })
}

impl Credential {
    /// Its key as `local_jwks`.
    pub(super) fn keys(&self, is_base64: bool, notes: &mut Notes) -> Value {
        let place = format!("consumers.{}.jwt_secrets", self.consumer);
        if let (false, Some(key)) = (self.algorithm.starts_with("HS"), &self.public_key) {
            return json!({ "inline_string": key });
        }
        let Some(secret) = &self.secret else {
            notes.fault(&place, "has neither a public key nor a secret that fits its algorithm");
            return Value::Null;
        };
        let octets = if is_base64 {
            STANDARD.decode(secret).ok()
        } else {
            Some(secret.clone().into_bytes())
        };
        let Some(octets) = octets else {
            notes.fault(&place, "the secret is not base64, as `secret_is_base64` says");
            return Value::Null;
        };
        if octets.len() < 32 {
            notes.fault(&place, "the secret is shorter than 32 bytes (RFC 7518, 3.2): give the consumer a longer one");
        }
        let jwk =
            json!({ "kty": "oct", "alg": self.algorithm, "k": URL_SAFE_NO_PAD.encode(octets) });
        json!({ "inline_string": json!({ "keys": [jwk] }).to_string() })
    }

    /// The algorithm that its tokens have.
    pub(super) fn algorithm(&self) -> &str {
        &self.algorithm
    }
}
