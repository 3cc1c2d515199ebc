//! Revoked tokens.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use jwt_gate::gate::Gate;
use jwt_gate::keys::set::KeyLimits;
use jwt_gate::remote::document::{Kind, RevocationTerms};

use super::support::{NOW, check, gate, request};
use super::{KEYRING, budget, token};

/// Some members, with few values, so that they often meet.
fn members(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(names).prop_map(str::to_owned);
    let value = prop_oneof![Just("a"), Just("b")].prop_map(Value::from);
    prop::collection::btree_map(name, value, 0..4).prop_map(|members| members.into_iter().collect())
}

/// What a token says of itself, beside what every token has.
fn claims() -> impl Strategy<Value = Value> {
    let time = prop::option::of(NOW - 3..NOW + 3);
    (members(&["jti", "sub", "sid", "iss"]), time).prop_map(|(mut claims, iat)| {
        claims.extend(iat.map(|iat| ("iat".to_owned(), iat.into())));
        claims.insert("exp".to_owned(), (NOW + 600).into());
        Value::Object(claims)
    })
}

/// An entry that says something.
fn entry() -> impl Strategy<Value = Value> {
    let time = prop::option::of(NOW - 3..NOW + 3);
    let members = members(&["jti", "sub", "sid", "iss", "kid"]);
    let entry = (members, time).prop_map(|(mut entry, time)| {
        if let Some(kid) = entry.get_mut("kid") {
            *kid = (if kid == "a" { "hmac-1" } else { "other" }).into();
        }
        entry.extend(time.map(|time| ("issued_before".to_owned(), time.into())));
        entry
    });
    let says_something = |entry: &Map<String, Value>| entry.keys().any(|name| name != "iss");
    entry.prop_filter("one of them revokes everything", says_something).prop_map(Value::Object)
}

/// A gate for tokens of `hmac-1` that revokes these.
fn revoking(entries: &[Value]) -> Gate {
    gate(&json!({
        "providers": { "p": {
            "local_jwks": { "inline_string": KEYRING.jwks(&["hmac-1"]).unwrap() },
            "revoked": entries,
        } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    }))
    .unwrap()
}

fn passes(gate: &Gate, claims: &Value) -> bool {
    let bearer = format!("Bearer {}", token(claims));
    check(gate, NOW, &request("/", &[("authorization", &bearer)])).is_ok()
}

/// What an entry means, in the fewest words.
fn fulfils(claims: &Value, entry: &Value) -> bool {
    entry.as_object().unwrap().iter().all(|(name, value)| match name.as_str() {
        "issued_before" => claims["iat"].as_u64().is_none_or(|iat| iat < value.as_u64().unwrap()),
        "kid" => value == "hmac-1",
        name => claims.get(name) == Some(value),
    })
}

proptest! {
    #![proptest_config(budget(512))]

    #[test]
    fn a_list_revokes_exactly_the_tokens_that_fulfil_an_entry(
        entries in prop::collection::vec(entry(), 0..6),
        claims in claims(),
    ) {
        let revoked = entries.iter().any(|entry| fulfils(&claims, entry));
        prop_assert_eq!(passes(&revoking(&entries), &claims), !revoked, "{:?} {}", entries, claims);
    }

    #[test]
    fn any_document_is_a_list_or_has_a_reason(text in "\\PC{0,40}", entry in entry()) {
        let terms = RevocationTerms { max_bytes: 1024, open: false };
        let read = |text: &str| {
            Kind::Revocations(terms).read(text.as_bytes(), &KeyLimits::default()).is_ok()
        };
        let _ = read(&text);
        let list = json!({ "revoked": [entry] }).to_string();
        prop_assert!(read(&list));
        // Half a list is none.
        prop_assert!(!list.char_indices().any(|(at, _)| list.get(..at).is_some_and(read)));
    }
}

#[test]
fn of_a_long_list_each_entry_counts() {
    let names = ["jti", "sub", "sid"].into_iter().cycle();
    let entry = |(i, name): (usize, &str)| json!({ name: format!("someone-{i}") });
    let entries: Vec<_> = (0..100_000).zip(names).map(entry).collect();
    let gate = revoking(&entries);
    for i in (0..100_000).step_by(9_973) {
        let mut claims = json!({ "sub": "a", "jti": "a", "sid": "a", "exp": NOW + 600 });
        assert!(passes(&gate, &claims), "{i}");
        for (name, value) in entries[i].as_object().unwrap() {
            claims[name] = value.clone();
        }
        assert!(!passes(&gate, &claims), "{claims}");
    }
}
