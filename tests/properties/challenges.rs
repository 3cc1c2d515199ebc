//! Challenges: whatever a request or a policy says, they parse, and they repeat no query.

use proptest::prelude::*;
use serde_json::json;

use super::budget;
use super::support::{NOW, check, gate, request};

/// Parameters of a challenge with one scheme (RFC 9110, section 11.6.1), by name; `None` when it
/// does not follow the grammar.
fn parse(challenge: &str) -> Option<Vec<(String, String)>> {
    let mut rest = challenge.strip_prefix("Bearer ")?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (mut value, mut chars) = (String::new(), after.chars());
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                c if c == ' ' || c.is_ascii_graphic() => value.push(c),
                _ => return None,
            }
        }
        parameters.push((name.to_owned(), value));
        match chars.as_str() {
            "" => return Some(parameters),
            more => rest = more.strip_prefix(", ")?,
        }
    }
}

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
            let challenge = reply.headers.iter().find(|(name, _)| *name == "www-authenticate");
            let (_, challenge) = challenge.unwrap();
            let parameters = parse(challenge);
            prop_assert!(parameters.is_some(), "{challenge:?}");
            prop_assert!(!challenge.contains(&query), "{challenge:?}");
            let error = parameters.unwrap().into_iter().find(|(name, _)| name == "error");
            let error = error.map(|(_, value)| value);
            let expected = (reply.status == 403).then(|| "insufficient_scope".to_owned());
            prop_assert_eq!(error, expected);
        }
    }
}
