//! What is secret in a configuration, a key set or a request.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Members of a JWK that only its owner may know (RFC 7518, section 6).
const PRIVATE: [&str; 8] = ["k", "d", "p", "q", "dp", "dq", "qi", "oth"];

/// Shorter texts are found everywhere.
const SHORTEST: usize = 6;

/// Where the scenarios' requests go.
const HOST: &str = "http://api.example";

/// The secrets of one scenario.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What the operator has written, which may be told.
    config: String,
    secrets: BTreeSet<String>,
    /// Claims that the audit line may tell, since the operator names them.
    named: BTreeSet<String>,
}

impl Known {
    pub(crate) fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Learns the private members of the keys in a document, also within its strings.
    pub(crate) fn learn_config(&mut self, text: &str) {
        self.config.push_str(text);
        if let Ok(document) = serde_json::from_str(text) {
            self.learn_keys(&document);
            self.learn_named(&document);
        }
    }

    fn learn_named(&mut self, document: &Value) {
        let names = document.pointer("/audit/claims").and_then(Value::as_array);
        let names = names.into_iter().flatten().filter_map(Value::as_str);
        self.named.extend(names.map(str::to_owned));
    }

    fn learn_keys(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let is_key = members.contains_key("kty");
                for (name, member) in members {
                    if let (true, Some(secret)) = (is_key, member.as_str())
                        && PRIVATE.contains(&name.as_str())
                        && secret.len() >= SHORTEST
                    {
                        self.secrets.insert(secret.to_owned());
                    }
                    self.learn_keys(member);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.learn_keys(element)),
            Value::String(text) => {
                if let Ok(document @ (Value::Object(_) | Value::Array(_))) =
                    serde_json::from_str(text)
                {
                    self.learn_keys(&document);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Learns the tokens in a header's value or a target: their parts, and what they claim.
    pub(crate) fn learn_request(&mut self, bytes: &[u8]) {
        let part_of_token = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        for word in bytes.split(|b| !part_of_token(b)) {
            let word = String::from_utf8_lossy(word);
            let parts: Vec<&str> = word.split('.').collect();
            let [_, payload, signature] = parts.as_slice() else { continue };
            let parts = [*payload, *signature].map(str::to_owned);
            let payload = URL_SAFE_NO_PAD.decode(&parts[0]).unwrap_or_default();
            self.secrets.extend(parts.into_iter().filter(|part| part.len() >= 2 * SHORTEST));
            if let Ok(claims) = serde_json::from_slice(&payload) {
                self.learn_claims(&claims);
            }
        }
    }

    /// What the operator asks for by name, such as a scope, may be named; and the gate's own address.
    fn is_public(&self, text: &str) -> bool {
        HOST.contains(text) || text.split(' ').all(|word| self.config.contains(word))
    }

    fn learn_claims(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= SHORTEST && !self.is_public(text) => {
                self.secrets.insert(text.clone());
            }
            Value::Array(elements) => {
                elements.iter().for_each(|element| self.learn_claims(element))
            }
            Value::Object(members) => {
                let unnamed = members.iter().filter(|(name, _)| !self.named.contains(*name));
                let unnamed: Vec<_> = unnamed.map(|(_, member)| member.clone()).collect();
                unnamed.iter().for_each(|member| self.learn_claims(member));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The secret in `output`, if there is one.
    pub(crate) fn leaks_in(&self, output: &str) -> Option<&str> {
        self.secrets.iter().map(String::as_str).find(|secret| output.contains(secret))
    }
}
