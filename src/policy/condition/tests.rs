//! Truth, claim by claim: a rule that authorizes shows what is true, one that denies what is false.

mod claims;
mod names;

use std::sync::Arc;

use jwt_gate_scenario::Keyring;
use serde_json::{Value as Json, json};

use super::Truth::{self, False, True, Undecided};
use crate::gate::{Decision, Gate, Lent, Moment};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::Timestamp;

const NOW: u64 = 1_800_000_000;

/// A condition, the claims it is held against, and what it comes to.
type Row<'r> = (&'r str, &'r str, Truth);

/// Names and values.
type Headers<'r> = &'r [(&'r str, &'r str)];

/// One caller: claims, further members of the token's header, further request headers.
#[derive(Clone, Copy, Default)]
struct Caller<'c> {
    claims: &'c str,
    header: &'c str,
    second: Option<&'c str>,
    request: Headers<'c>,
}

/// Keys and what providers are told; gates are made of it, a condition each.
struct World {
    keyring: Keyring,
    provider: Json,
}

impl World {
    fn new() -> Self {
        Self { keyring: Keyring::new(), provider: json!({}) }
    }

    fn with(provider: Json) -> Self {
        Self { keyring: Keyring::new(), provider }
    }

    fn gate(&self, condition: &Json) -> Gate {
        let provider = |place: &str| {
            let mut provider = json!({
                "require_expiration": false,
                "from_headers": [{ "name": place }],
                "local_jwks": { "inline_string": self.keyring.jwks(&["hmac-1"]).unwrap() },
            });
            for (name, value) in self.provider.as_object().unwrap() {
                provider[name] = value.clone();
            }
            provider
        };
        let rule = |place: &str, kind: &str, requires: Json| {
            let path = format!("/{place}/{kind}/{{id}}");
            json!({ "match": { "path_template": path }, "requires": requires, kind: condition })
        };
        let one = json!({ "provider_name": "a" });
        let two = json!({ "requires_all": { "requirements": [
            { "provider_name": "a" }, { "provider_name": "b" } ] } });
        let config = json!({
            "providers": { "a": provider("x-a"), "b": provider("x-b") },
            "roles": {
                "clerk": { "permissions": ["orders:read", "items:*"] },
                "admin": { "inherits": ["clerk"], "permissions": ["users:write"] },
                "root": { "permissions": ["*"] },
                "nobody": {},
            },
            "rules": [
                rule("one", "authorize", one.clone()),
                rule("one", "deny", one),
                rule("two", "authorize", two.clone()),
                rule("two", "deny", two),
            ],
        });
        let policy = Policy::from_json(config.to_string().as_bytes()).unwrap();
        Gate::new(Arc::new(policy), Timestamp::from_secs(NOW))
    }

    fn token(&self, claims: &str, header: &str) -> String {
        let header = if header.is_empty() { "{}" } else { header };
        let claims = claims.strip_prefix('{').unwrap();
        let comma = if claims == "}" { "" } else { "," };
        let payload = format!(r#"{{"marked": true{comma}{claims}"#);
        let words = format!("key=hmac-1 payload='{payload}' header='{header}'");
        self.keyring.mint(NOW, &words).unwrap()
    }

    /// What the condition comes to, as a caller can find out.
    fn truth(&self, condition: &Json, caller: Caller<'_>) -> Truth {
        let gate = self.gate(condition);
        let mut headers = vec![("x-a".to_owned(), self.token(caller.claims, caller.header))];
        headers.extend(caller.second.map(|claims| ("x-b".to_owned(), self.token(claims, ""))));
        headers.extend(caller.request.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let place = if caller.second.is_some() { "two" } else { "one" };
        let passes = |kind: &str| {
            let path = format!("/{place}/{kind}/7");
            let mut view = vec![(":path", path.as_str()), (":method", "GET")];
            view.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            match gate.check(
                Moment { now: Timestamp::from_secs(NOW), may_wait: false },
                &view.as_slice(),
                Lent::NOTHING,
            ) {
                Decision::Allow(_) => true,
                Decision::Deny(refusal) => {
                    let why = refusal.why;
                    let about_claims = matches!(
                        why,
                        Rejection::Denied
                            | Rejection::Unauthorized
                            | Rejection::Scope(_)
                            | Rejection::StepUp { .. }
                    );
                    assert!(about_claims, "{condition} {}: {why:?}", caller.claims);
                    false
                }
                Decision::Wait(_) => panic!("local keys need no waiting"),
            }
        };
        match (passes("authorize"), passes("deny")) {
            (true, false) => True,
            (false, true) => False,
            (false, false) => Undecided,
            (true, true) => panic!("both true and false: {condition} {}", caller.claims),
        }
    }

    fn hold(&self, rows: &[Row<'_>]) {
        for (condition, claims, expected) in rows {
            self.hold_one(condition, Caller { claims, ..Caller::default() }, *expected);
        }
    }

    /// The condition alone, and within each kind that combines conditions.
    fn hold_one(&self, condition: &str, caller: Caller<'_>, expected: Truth) {
        let c: Json = serde_json::from_str(condition).unwrap();
        let (not, opposite) = (json!({ "not": c }), expected.not());
        let mut rows = vec![
            (c.clone(), expected),
            (not.clone(), opposite),
            (json!({ "not": not }), expected),
            (json!({ "all_of": [c] }), expected),
            (json!({ "any_of": [c] }), expected),
            (json!({ "any_of": [c, not] }), expected.max(opposite)),
            (json!({ "all_of": [c, not] }), expected.min(opposite)),
        ];
        for (other, truth) in [(marked(true), True), (marked(false), False), (unsaid(), Undecided)]
        {
            rows.push((json!({ "all_of": [c, other] }), expected.min(truth)));
            rows.push((json!({ "all_of": [other, c] }), expected.min(truth)));
            rows.push((json!({ "any_of": [c, other] }), expected.max(truth)));
            rows.push((json!({ "any_of": [other, c] }), expected.max(truth)));
            let nested = json!({ "not": { "any_of": [{ "not": c }, { "not": other }] } });
            rows.push((nested, expected.min(truth)));
        }
        for (whole, expected) in rows {
            let Caller { claims, header, second, request } = caller;
            let truth = self.truth(&whole, caller);
            assert_eq!(truth, expected, "{whole} of {claims} {header} {second:?} {request:?}");
        }
    }
}

/// What every token of these tests says.
fn marked(truly: bool) -> Json {
    json!({ "claim": { "path": "marked", "equals": truly } })
}

/// What none of them says.
fn unsaid() -> Json {
    json!({ "claim": { "path": "unsaid", "equals": 1 } })
}

#[test]
fn a_claim_is_compared_with_the_request() {
    let world = World::new();
    // The paths of the rules end in `/7`.
    let rows: [(&str, &str, Headers<'_>, Truth); 13] = [
        ("equals_variable", r#"{"c": "7"}"#, &[], True),
        ("equals_variable", r#"{"c": ["1", "7"]}"#, &[], True),
        ("equals_variable", r#"{"c": "8"}"#, &[], False),
        ("equals_variable", r#"{"c": 7}"#, &[], Undecided),
        ("equals_variable", "{}", &[], Undecided),
        ("equals_header", r#"{"c": "t"}"#, &[("x-tenant", "t")], True),
        ("equals_header", r#"{"c": "t"}"#, &[("X-Tenant", "t")], True),
        ("equals_header", r#"{"c": "t"}"#, &[("x-tenant", "T")], False),
        ("equals_header", r#"{"c": ["s", "t"]}"#, &[("x-tenant", "t")], True),
        ("equals_header", r#"{"c": "t"}"#, &[], Undecided),
        ("equals_header", r#"{"c": "t"}"#, &[("x-tenant", "t"), ("x-tenant", "t")], Undecided),
        ("equals_header", r#"{"c": 1}"#, &[("x-tenant", "1")], Undecided),
        ("equals_header", "{}", &[("x-tenant", "t")], Undecided),
    ];
    for (operator, claims, request, expected) in rows {
        let name = if operator == "equals_variable" { "id" } else { "x-tenant" };
        let condition = json!({ "claim": { "path": "c", operator: name } }).to_string();
        let caller = Caller { claims, request, ..Caller::default() };
        world.hold_one(&condition, caller, expected);
    }
}

#[test]
fn each_of_several_tokens_is_judged_by_itself() {
    let world = World::new();
    let admin = r#"{"roles": ["admin"]}"#;
    let rows = [
        (admin, r#"{"roles": "admin"}"#, r#"{"roles": "user"}"#, True),
        (admin, r#"{"roles": "user"}"#, r#"{"roles": "admin"}"#, True),
        (admin, r#"{"roles": "user"}"#, r#"{"roles": "other"}"#, False),
        (admin, "{}", r#"{"roles": "user"}"#, Undecided),
        // What each has does not add up.
        (r#"{"scopes": ["a", "b"]}"#, r#"{"scope": "a"}"#, r#"{"scope": "b"}"#, False),
        (
            r#"{"all_of": [{"scopes": ["a"]}, {"roles": ["r"]}]}"#,
            r#"{"scope": "a", "roles": []}"#,
            r#"{"scope": "", "roles": "r"}"#,
            False,
        ),
        (r#"{"claim": {"path": "c", "equals": 1}}"#, r#"{"c": 2}"#, r#"{"c": "1"}"#, Undecided),
    ];
    for (condition, claims, second, expected) in rows {
        let c: Json = serde_json::from_str(condition).unwrap();
        let alone = |claims| Caller { claims, ..Caller::default() };
        let both = Caller { second: Some(second), ..alone(claims) };
        assert_eq!(world.truth(&c, both), expected, "{condition} of {claims} {second}");
        for whole in [json!({ "not": c }), json!({ "all_of": [c, unsaid()] })] {
            let each = [claims, second].map(|claims| world.truth(&whole, alone(claims)));
            let [first, other] = each;
            assert_eq!(world.truth(&whole, both), first.max(other), "{whole} of {claims} {second}");
        }
    }
}
