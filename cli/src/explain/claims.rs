//! Claims without a token: they are signed with a key that is made for this once, and the provider is given that key.

use jwt_gate::credential::Location;
use jwt_gate::crypto::Algorithm;
use jwt_gate::policy::Policy;
use jwt_gate::policy::provider::Provider;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::Keyring;
use serde_json::Value as Json;

use super::request::Request;
use crate::document::{Member, Node, Passage, Value};
use crate::error::Error;
use crate::source::Source;

/// Claims of a token.
#[derive(Debug)]
pub(super) struct Claims {
    text: String,
    issuer: String,
}

/// What has become of a configuration.
#[derive(Debug)]
pub(super) struct Placed {
    /// The configuration in JSON, with other keys for one provider.
    pub(super) configuration: String,
    /// What was assumed.
    pub(super) assumed: String,
}

impl Claims {
    /// Reads a file of claims.
    pub(super) fn read(name: &str) -> Result<Self, Error> {
        let source = Source::read(name)?;
        let wrong = |why: String| Error::Claims { name: name.to_owned(), why };
        let claims: Json = serde_json::from_str(source.text()).map_err(|e| wrong(e.to_string()))?;
        let Some(members) = claims.as_object() else {
            return Err(wrong("an object of claims is expected".to_owned()));
        };
        let issuer = members.get("iss").and_then(Json::as_str).unwrap_or_default().to_owned();
        Ok(Self { text: claims.to_string(), issuer })
    }

    /// Makes a token of the claims, puts it where a provider looks for it, and gives the provider the key.
    pub(super) fn put(
        &self,
        mut root: Node,
        provider: Option<&str>,
        now: Timestamp,
        request: &mut Request,
    ) -> Result<Placed, Error> {
        let policy = Policy::from_json(root.to_string().as_bytes());
        let policy = policy.map_err(|faults| Error::faults("the configuration", &faults))?;
        let provider = self.provider(&policy, provider)?;
        let algorithm = provider.algorithms.as_ref().and_then(|all| all.first().copied());
        let algorithm = algorithm.unwrap_or(Algorithm::Rs256);
        let keyring = Keyring::new();
        let (key, typ) = (key(algorithm), provider.token_types.first());
        let failed = |why: String| Error::Claims { name: "--claims".to_owned(), why };
        // A quote in the payload would end the word.
        let payload = self.text.replace('\'', "\\u0027");
        let typ = typ.map(|typ| format!(" typ='{typ}'")).unwrap_or_default();
        let words = format!("key={key} alg={}{typ} payload='{payload}'", algorithm.name());
        let token = keyring.mint(now.as_secs(), &words).map_err(|e| failed(e.to_string()))?;
        let jwks = keyring.jwks(&[key]).map_err(|e| failed(e.to_string()))?;
        let is_header = |location: &&Location| matches!(location, Location::Header(..));
        let locations = || provider.locations.iter();
        if let Some(location) = locations().find(is_header).or_else(|| locations().next()) {
            request.put(&token, location);
        }
        replace_keys(&mut root, &provider.name, &jwks);
        let assumed = format!(
            "the claims are those of a token of `{}` with a good signature ({})",
            provider.name,
            algorithm.name()
        );
        Ok(Placed { configuration: root.to_string(), assumed })
    }

    /// The provider that the claims are of.
    fn provider<'p>(&self, policy: &'p Policy, name: Option<&str>) -> Result<&'p Provider, Error> {
        let providers = policy.providers();
        let known: Vec<_> = providers.iter().map(|provider| &*provider.name).collect();
        let found = match (name, providers) {
            (Some(name), _) => providers.iter().find(|provider| *provider.name == *name),
            (None, [only]) => Some(only),
            (None, _) => providers.iter().find(|provider| provider.names_issuer(&self.issuer)),
        };
        found.ok_or_else(|| {
            let known = known.join(", ");
            Error::Argument(format!("whose claims are these? Give --provider, one of: {known}"))
        })
    }
}

/// A key of the keyring that signs so.
const fn key(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => "rsa-1",
        Algorithm::Es256 => "p256-1",
        Algorithm::Es384 => "p384-1",
        Algorithm::Es512 => "p521-1",
        Algorithm::EdDsa => "ed25519-1",
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => "hmac-1",
    }
}

/// Puts other keys in place of those of a provider.
pub(crate) fn replace_keys(root: &mut Node, provider: &str, jwks: &str) {
    let Some(providers) = root.member_mut("providers") else { return };
    let Some(provider) = providers.member_mut(provider) else { return };
    let Value::Object(members) = &mut provider.value else { return };
    members.retain(|member| {
        !matches!(&*member.name, "local_jwks" | "localJwks" | "remote_jwks" | "remoteJwks")
    });
    let at = provider.at;
    let text = Node { at, value: Value::Text(Passage::whole(jwks)) };
    let inline = Member { at, name: "inline_string".to_owned(), node: text };
    let node = Node { at, value: Value::Object(vec![inline]) };
    members.push(Member { at, name: "local_jwks".to_owned(), node });
}
