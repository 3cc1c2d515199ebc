//! Challenges: whatever a request or a policy says, they parse, and they repeat no query.

use jwt_gate_scenario::challenge;
use proptest::prelude::*;
use serde_json::json;

use super::budget;
use super::support::{NOW, check, gate, request};

proptest! {
    #![proptest_config(budget(256))]

    #[test]
    fn a_challenge_parses_and_repeats_no_query(
        path in "[ -~]{0,300}", query in "[a-z]{12}", host in "\\PC{0,20}",
        realm in proptest::option::of("\\PC{1,20}"), scopes in prop::collection::vec("\\PC{1,9}", 1..4),
    ) {
        let jwks = super::KEYRING.jwks(&["hmac-1"]).unwrap();
        let scopes: Vec<_> = scopes.iter().map(|s| s.replace(' ', "_")).collect();
        let gate = gate(&json!({
            "providers": { "p": { "local_jwks": { "inline_string": jwks }, "realm": realm,
                "resource_metadata": "https://api.example/.well-known/oauth-protected-resource" } },
            "rules": [{ "match": { "prefix": "" }, "requires": { "provider_name": "p" },
                        "authorize": { "scopes": scopes } }],
        })).unwrap();
        let token = super::token(&json!({ "exp": NOW + 60, "scope": "none" }));
        let path = path.replace(['?', '#'], "_");
        for headers in [vec![], vec![("authorization", format!("Bearer {token}"))]] {
            let mut lines = request(&format!("/{path}?{query}"), &[]);
            lines.retain(|(name, _)| name != b":authority");
            lines.push((b":authority".to_vec(), host.clone().into_bytes()));
            for (name, value) in headers {
                lines.push((name.as_bytes().to_vec(), value.into_bytes()));
            }
            let reply = check(&gate, NOW, &lines).unwrap_err();
            let text = reply.headers.iter().find(|(name, _)| *name == "www-authenticate");
            let (_, text) = text.unwrap();
            let parameters = challenge::parse(text);
            prop_assert!(parameters.is_some(), "{text:?}");
            prop_assert!(!text.contains(&query), "{text:?}");
            let error = parameters.unwrap().into_iter().find(|(name, _)| *name == "error");
            let error = error.map(|(_, value)| value);
            let expected = (reply.status == 403).then(|| "insufficient_scope".to_owned());
            prop_assert_eq!(error, expected);
        }
    }
}
