//! Requests: any bytes at all, and headers that only the gate may write.

use proptest::prelude::*;
use serde_json::{Value, json};

use jwt_gate::effects::HeaderOp;
use jwt_gate::gate::Gate;

use super::support::{Lines, NOW, check, gate, request};
use super::{KEYRING, budget, token};

/// A gate that looks everywhere, with a rule of each kind.
fn curious() -> Gate {
    let jwks = KEYRING.jwks(&["hmac-1"]).unwrap();
    gate(&json!({
        "providers": {
            "a": { "local_jwks": { "inline_string": jwks } },
            "b": { "local_jwks": { "inline_string": jwks }, "from_cookies": ["c"], "from_params": ["t"],
                "from_headers": [{ "name": "x-jwt", "value_prefix": "p=" }] },
        },
        "default_action": "allow",
        "bypass_cors_preflight": true,
        "rules": [
            { "match": { "path": "/exact", "methods": ["GET"] }, "requires": { "provider_name": "a" } },
            { "match": { "safe_regex": "/[a-z]+/.*" }, "requires": { "allow_missing_or_failed": {} } },
            { "match": { "path_template": "/{id}/{rest=**}", "case_sensitive": false },
              "requires": { "requires_any": { "requirements": [{ "provider_name": "b" }, { "allow_missing": {} }] } } },
            { "match": { "prefix": "/", "headers": [{ "name": "cookie", "range_match": { "start": 0, "end": 5 } }],
                "query_parameters": [{ "name": "q", "string_match": { "suffix": "x" } }] },
              "requires": { "requires_all": { "requirements": [{ "provider_name": "a" }, { "provider_name": "b" }] } } },
            { "match": { "prefix": "", "hosts": ["*.example"] }, "requires": { "provider_name": "b" } },
        ],
    }))
    .unwrap()
}

/// Bytes at random, or a text that means something here with bytes at random in it.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..8),
        3 => prop::sample::select(vec![
            "Bearer ", "bearer", ".", "..", "/", "//", "%", "%2e", "%2", "%00", "\\", ";", "?", "#", "&",
            "=", "t=", "c=", "\"", "access_token=", "p=", "eyJhbGciOiJIUzI1NiJ9", "e30", "{", "\r\n", " ",
            "exact", "*", "http://", "[::1]", ":", "\u{e9}",
        ]).prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

const OWNED: [&str; 3] = ["x-user-id", "x-payload", "x.team"];

/// A spelling that some server takes for an owned header's name.
fn spelling() -> impl Strategy<Value = String> {
    let marks = prop::collection::vec(prop_oneof![Just('-'), Just('_'), Just('.')], 2);
    (prop::sample::select(OWNED.to_vec()), marks, any::<u16>()).prop_map(|(name, marks, upper)| {
        let mut marks = marks.into_iter().cycle();
        let spell = |(at, c): (usize, char)| match c {
            '-' | '.' => marks.next().unwrap(),
            c if upper >> (at % 16) & 1 == 1 => c.to_ascii_uppercase(),
            c => c,
        };
        name.chars().enumerate().map(spell).collect()
    })
}

fn requirement() -> impl Strategy<Value = Value> {
    let both = json!([{ "provider_name": "a" }, { "provider_name": "b" }]);
    prop::sample::select(vec![
        Value::Null,
        json!({}),
        json!({ "provider_name": "a" }),
        json!({ "provider_name": "b" }),
        json!({ "allow_missing": {} }),
        json!({ "allow_missing_or_failed": {} }),
        json!({ "requires_any": { "requirements": both } }),
        json!({ "requires_all": { "requirements": both } }),
        json!({ "requires_any": { "requirements": [{ "provider_name": "a" }, { "allow_missing": {} }] } }),
    ])
}

fn writing(requires: &Value, shadow: bool, preflight: bool) -> Gate {
    let jwks = KEYRING.jwks(&["hmac-1"]).unwrap();
    gate(&json!({
        "providers": {
            "a": { "local_jwks": { "inline_string": jwks }, "from_headers": [{ "name": "x-a" }],
                "claim_to_headers": [{ "header_name": "X-User-Id", "claim_name": "sub" }] },
            "b": { "local_jwks": { "inline_string": jwks }, "from_headers": [{ "name": "x-b" }], "from_cookies": ["t"],
                "from_params": ["t"], "forward": true, "forward_payload_header": "x-payload",
                "claim_to_headers": [{ "header_name": "x.team", "claim_name": "team" }] },
        },
        "bypass_cors_preflight": preflight,
        "default_action": "allow",
        "rules": [{ "match": { "prefix": "/ruled" }, "requires": requires,
            "enforcement": if shadow { "shadow" } else { "enforce" } }],
    }))
    .unwrap()
}

/// The lines that the upstream sees.
fn upstream(lines: &Lines, ops: &[HeaderOp]) -> Lines {
    let mut lines = lines.clone();
    for op in ops {
        match op {
            HeaderOp::Remove(name) => {
                lines.retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_str().as_bytes()));
            }
            HeaderOp::Add(name, value) => {
                lines.push((name.as_str().as_bytes().to_vec(), value.clone()));
            }
            HeaderOp::SetPath(path) => {
                for (_, value) in lines.iter_mut().filter(|(name, _)| name == b":path") {
                    value.clone_from(path);
                }
            }
        }
    }
    lines
}

fn folded(name: &[u8]) -> Vec<u8> {
    name.iter()
        .map(|b| if matches!(b, b'_' | b'.') { b'-' } else { b.to_ascii_lowercase() })
        .collect()
}

proptest! {
    #![proptest_config(budget(256))]

    #[test]
    fn no_bytes_of_a_request_are_too_strange(
        path in bytes(), method in bytes(), authority in bytes(),
        headers in prop::collection::vec((0..6usize, bytes()), 0..6),
    ) {
        let gate = curious();
        let names = ["authorization", "cookie", "x-jwt", "origin", "access-control-request-method", "Cookie"];
        let mut lines: Lines = vec![
            (b":path".to_vec(), [b"/".as_slice(), &path].concat()),
            (b":method".to_vec(), method),
            (b":authority".to_vec(), authority),
        ];
        lines.extend(headers.into_iter().map(|(at, value)| (names[at].as_bytes().to_vec(), value)));
        let _ = check(&gate, NOW, &lines);
        lines[0].1 = path;
        let _ = check(&gate, NOW, &lines);
        lines.remove(0);
        let _ = check(&gate, NOW, &lines);
    }

    #[test]
    fn an_owned_header_never_has_the_client_s_value(
        requires in requirement(), shadow in any::<bool>(), preflight in any::<bool>(),
        forged in prop::collection::vec(spelling(), 1..4),
        tokens in prop::collection::vec(0..4usize, 3), ruled in any::<bool>(),
    ) {
        let gate = writing(&requires, shadow, preflight);
        let claims = |sub: Value| json!({ "exp": NOW + 60, "sub": sub, "team": ["x"] });
        // None, good, without anything to tell, and broken.
        let kinds = [None, Some(token(&claims("alice".into()))), Some(token(&json!({ "exp": NOW + 60 }))), Some("a.b.c".to_owned())];
        let path = if ruled { "/ruled" } else { "/free" };
        let parameter = kinds[tokens[2]].as_ref().map(|token| format!("?t={token}")).unwrap_or_default();
        let mut lines = request(&format!("{path}{parameter}"), &[("cookie", "other=1")]);
        for (name, kind) in [("x-a", tokens[0]), ("x-b", tokens[1])] {
            let line = |token: &String| (name.as_bytes().to_vec(), token.clone().into_bytes());
            lines.extend(kinds[kind].as_ref().map(line));
        }
        if preflight {
            lines[0].1 = b"OPTIONS".to_vec();
            lines.push((b"origin".to_vec(), b"https://x".to_vec()));
            lines.push((b"access-control-request-method".to_vec(), b"GET".to_vec()));
        }
        for (at, name) in forged.iter().enumerate() {
            let line = (name.clone().into_bytes(), b"forged".to_vec());
            lines.insert(lines.len() - at.min(2), line);
        }
        if let Ok(ops) = check(&gate, NOW, &lines) {
            let seen = upstream(&lines, &ops);
            let owned = |name: &[u8]| OWNED.iter().any(|owned| folded(owned.as_bytes()) == folded(name));
            for (name, value) in seen {
                prop_assert!(!(owned(&name) && value == b"forged"), "{}", String::from_utf8_lossy(&name));
            }
        }
    }
}
