//! A challenge, whatever the configuration and the request say.

use std::sync::{Arc, LazyLock};

use jwt_gate::gate::Moment;
use jwt_gate::policy::Policy;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::challenge;
use serde_json::json;

use crate::gate::{NOW, Verdict, gate, request, verdict};
use crate::input::Input;
use crate::reference;

/// A good token with another scope.
static BEARER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let claims = format!(r#"{{"exp":{},"scope":"other"}}"#, NOW + 60);
    let header = br#"{"alg":"HS256","kid":"h"}"#;
    let token = reference::signed(header, claims.as_bytes(), jsonwebtoken::Algorithm::HS256);
    [b"Bearer ", token.as_slice()].concat()
});

/// A realm, a scope, a host, a path, each after its length.
pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let choice = input.byte();
    let [realm, scope, host, path] =
        std::array::from_fn(|_| String::from_utf8_lossy(input.bytes()).into_owned());
    let realm = (choice & 1 != 0 && !realm.is_empty()).then_some(realm);
    let scope = scope.replace(' ', "");
    if scope.is_empty() {
        return;
    }
    let config = json!({
        "providers": { "p": { "local_jwks": { "inline_string": reference::secret() }, "realm": realm,
            "resource_metadata": "https://api.example/.well-known/oauth-protected-resource" } },
        "rules": [{ "match": { "prefix": "" }, "requires": { "provider_name": "p" },
                    "authorize": { "scopes": [scope] } }],
    });
    let config = config.to_string();
    let Ok(policy) = Policy::from_json(config.as_bytes()) else { return };
    let (gate, cache) = gate(Arc::new(policy));
    let headers: [&[(&[u8], &[u8])]; 2] = [&[], &[(b"authorization", &BEARER)]];
    for headers in headers {
        let mut lines = request(path.as_bytes(), headers);
        lines.iter_mut().filter(|(name, _)| name == b":authority").for_each(|(_, value)| {
            *value = host.clone().into_bytes();
        });
        let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
        let Verdict::Answered(reply) = verdict(&gate, &cache, moment, &lines) else {
            panic!("it passes without the scope");
        };
        let text = reply.headers.iter().find(|(name, _)| *name == "www-authenticate");
        let (_, text) = text.expect("a challenge");
        let parameters = challenge::parse(text).unwrap_or_else(|| panic!("{text:?}"));
        let names: Vec<_> = parameters.iter().map(|(name, _)| *name).collect();
        let expected: &[&[&str]] = match reply.status {
            // A token in the query is a bad one.
            401 => &[&["realm", "resource_metadata"], &["realm", "error", "resource_metadata"]],
            _ => &[&["realm", "error", "scope", "resource_metadata"]],
        };
        assert!(expected.contains(&&*names), "{text:?}");
        assert!(text.len() < 4_000 + 2 * config.len(), "{}", text.len());
    }
}
