//! Claims and conditions.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use jwt_gate::gate::Gate;

use super::support::{NOW, check, gate, request};
use super::{KEYRING, budget, token};

/// Any JSON value that a claim may have.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        "\\PC{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z.]{1,4}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A value that the conditions below ask for, or nearly.
fn near_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![Just("x"), Just("xy"), Just("y x"), Just("7")].prop_map(Value::from);
    prop_oneof![
        word.clone(),
        prop::collection::vec(word, 0..3).prop_map(Value::from),
        (0..4i64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any_value(),
    ]
}

/// Claims, some of which the conditions below look at.
fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![Just("a"), Just("b"), Just("scope"), Just("roles"), Just("acr")];
    prop::collection::btree_map(name.prop_map(str::to_owned), near_value(), 0..5)
        .prop_map(|claims| claims.into_iter().collect())
}

/// Conditions that hold for no reason but a claim's being there.
fn condition() -> impl Strategy<Value = Value> {
    let path = prop_oneof![Just("a"), Just("b"), Just("scope"), Just("roles")];
    let operator = prop_oneof![
        Just(json!({ "equals": "x" })),
        Just(json!({ "equals": 1 })),
        Just(json!({ "equals": true })),
        Just(json!({ "any_of": ["x", 2] })),
        Just(json!({ "all_of": ["x", "xy"] })),
        Just(json!({ "none_of": ["x"] })),
        Just(json!({ "prefix": "x" })),
        Just(json!({ "contains": "y" })),
        Just(json!({ "at_least": 1, "at_most": 2 })),
        Just(json!({ "present": true })),
        Just(json!({ "equals_header": "x-tenant" })),
        Just(json!({ "equals_variable": "id" })),
    ];
    let claim = (path, operator).prop_map(|(path, mut operator)| {
        operator["path"] = path.into();
        json!({ "claim": operator })
    });
    let leaf = prop_oneof![
        4 => claim,
        1 => Just(json!({ "scopes": ["x"] })),
        1 => Just(json!({ "roles": { "any_of": ["x", "xy"] } })),
        1 => Just(json!({ "acr": { "any_of": ["x"] } })),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({ "all_of": all })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({ "any_of": any })),
            inner.prop_map(|part| json!({ "not": part })),
        ]
    })
}

/// `present` in `not` asks for a claim's absence.
fn asks_for_absence(condition: &Value, negated: bool) -> bool {
    condition.as_object().is_some_and(|members| {
        members.iter().any(|(name, inner)| match name.as_str() {
            "not" => asks_for_absence(inner, !negated),
            "all_of" | "any_of" => inner
                .as_array()
                .is_some_and(|parts| parts.iter().any(|part| asks_for_absence(part, negated))),
            "claim" => negated && inner.get("present").is_some(),
            _ => false,
        })
    })
}

fn gate_with(authorize: Option<&Value>, deny: Option<&Value>) -> Gate {
    let mut rule =
        json!({ "match": { "path_template": "/{id}" }, "requires": { "provider_name": "p" } });
    if let Some(condition) = authorize {
        rule["authorize"] = condition.clone();
    }
    if let Some(condition) = deny {
        rule["deny"] = condition.clone();
    }
    let jwks = KEYRING.jwks(&["hmac-1"]).unwrap();
    gate(&json!({
        "providers": { "p": { "local_jwks": { "inline_string": jwks } } },
        "rules": [rule],
    }))
    .unwrap()
}

/// What becomes of a request with these claims: nothing, or status and body.
fn verdict(gate: &Gate, claims: &Map<String, Value>) -> Result<(), (u16, String)> {
    let mut claims = claims.clone();
    claims.insert("exp".to_owned(), (NOW + 60).into());
    let authorization = format!("Bearer {}", token(&Value::Object(claims)));
    let lines = request("/7", &[("authorization", &authorization), ("x-tenant", "x")]);
    check(gate, NOW, &lines).map(|_| ()).map_err(|reply| (reply.status, reply.body))
}

proptest! {
    #![proptest_config(budget(256))]

    #[test]
    fn a_claim_that_nobody_asks_about_changes_nothing(
        claims in claims(), condition in condition(), name in "z[a-z._ -]{0,6}", value in any_value(),
    ) {
        for gate in [gate_with(Some(&condition), None), gate_with(None, Some(&condition))] {
            let before = verdict(&gate, &claims);
            let mut more = claims.clone();
            more.insert(name.clone(), value.clone());
            prop_assert_eq!(&verdict(&gate, &more), &before);
        }
    }

    #[test]
    fn no_rule_opens_when_claims_are_left_out(
        claims in claims(), condition in condition(), keep in any::<[bool; 5]>(),
    ) {
        let mut left = keep.iter();
        let fewer: Map<String, Value> =
            claims.clone().into_iter().filter(|_| *left.next().unwrap()).collect();
        let rows = [
            (gate_with(Some(&condition), None), asks_for_absence(&condition, false)),
            (gate_with(None, Some(&condition)), asks_for_absence(&condition, true)),
        ];
        for (gate, may_open) in rows {
            if !may_open && verdict(&gate, &fewer).is_ok() {
                prop_assert_eq!(verdict(&gate, &claims), Ok(()));
            }
        }
    }

    #[test]
    fn deny_has_the_last_word(claims in claims(), yes in condition(), no in condition()) {
        let authorized = verdict(&gate_with(Some(&yes), None), &claims).is_ok();
        let spared = verdict(&gate_with(None, Some(&no)), &claims).is_ok();
        let both = verdict(&gate_with(Some(&yes), Some(&no)), &claims).is_ok();
        prop_assert_eq!(both, authorized && spared);
        let holds = verdict(&gate_with(Some(&no), None), &claims).is_ok();
        prop_assert!(!(holds && spared));
        prop_assert!(verdict(&gate_with(Some(&no), Some(&no)), &claims).is_err());
    }

    #[test]
    fn a_condition_and_its_opposite_never_both_hold(claims in claims(), condition in condition()) {
        let not = json!({ "not": condition });
        let holds = verdict(&gate_with(Some(&condition), None), &claims).is_ok();
        let opposite = verdict(&gate_with(Some(&not), None), &claims).is_ok();
        prop_assert!(!(holds && opposite));
        let twice = json!({ "not": not });
        prop_assert_eq!(verdict(&gate_with(Some(&twice), None), &claims).is_ok(), holds);
        // What is false passes a `deny`, and that is when its opposite is true.
        let spared = verdict(&gate_with(None, Some(&condition)), &claims).is_ok();
        prop_assert_eq!(spared, opposite);
    }
}
