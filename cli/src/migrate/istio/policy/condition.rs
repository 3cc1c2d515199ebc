//! Conditions of an AuthorizationPolicy: principals and `when`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::caller::Caller;
use super::{Action, Issuers, unsayable};
use crate::migrate::fields::Fields;
use crate::migrate::notes::Notes;
use crate::migrate::provider::any_of;

/// What a rule asks of callers and headers; one of the sets of header matchers must match.
pub(super) struct Parts {
    pub(super) caller: Caller,
    pub(super) headers: Vec<BTreeSet<String>>,
}

/// Tests of a claim for one of these values, which may begin or end with a star.
fn tests(path: &Value, values: &[String]) -> Vec<Value> {
    let test = |operator: &str, value: Value| json!({ "claim": { "path": path, operator: value } });
    let (starred, plain): (Vec<&String>, Vec<&String>) =
        values.iter().partition(|value| value.contains('*'));
    let mut tests = Vec::new();
    if let [one] = plain.as_slice() {
        tests.push(test("equals", json!(one)));
    } else if !plain.is_empty() {
        tests.push(test("any_of", json!(plain)));
    }
    for value in starred {
        tests.push(match (value.strip_prefix('*'), value.strip_suffix('*')) {
            (Some(""), _) => test("present", json!(true)),
            (_, Some(prefix)) => test("prefix", json!(prefix)),
            (Some(suffix), None) => test("suffix", json!(suffix)),
            (None, None) => test("equals", json!(value)),
        });
    }
    tests
}

/// Who has one of these tests passed, or none of them.
///
/// There, an absent claim has none of the values. Here it decides nothing: so it refuses where
/// it allows, and where it denies its presence is asked for first.
fn caller(path: &Value, tests: Vec<Value>, negated: bool, action: Action) -> Caller {
    let present = json!({ "claim": { "path": path, "present": true } });
    match (any_of(tests.clone()), negated, action) {
        (None, ..) => Caller::Anyone,
        (Some(any), true, _) => Caller::Either(vec![json!({ "not": any })]),
        (Some(_), false, Action::Allow) => Caller::With(tests),
        (Some(any), false, Action::Deny) if any == present => Caller::With(vec![any]),
        (Some(any), false, Action::Deny) => Caller::With(vec![json!({ "all_of": [present, any] })]),
    }
}

/// Callers by `issuer/subject`.
pub(super) fn principals(
    values: &[String],
    negated: bool,
    place: &str,
    action: Action,
    issuers: &Issuers,
    notes: &mut Notes,
) -> Caller {
    if values.iter().any(|value| value == "*") {
        return if negated { Caller::WithoutToken } else { Caller::AnyToken };
    }
    let claim = |path: &str, value: &str| json!({ "claim": { "path": path, "equals": value } });
    let mut tests = Vec::new();
    for value in values {
        match issuers.split(value) {
            Some((issuer, "*")) => tests.push(claim("iss", issuer)),
            Some((issuer, subject)) if !subject.contains('*') => {
                tests.push(json!({ "all_of": [claim("iss", issuer), claim("sub", subject)] }));
            }
            // No token that is accepted has another issuer.
            None if !value.contains('*') => {
                notes.dropped(
                    place,
                    format!("`{value}`: no provider has this issuer, so nobody is that"),
                );
            }
            Some(_) | None => return unsayable(action, place, &format!("`{value}`"), notes),
        }
    }
    match (tests.is_empty(), negated) {
        (true, false) => Caller::Nobody,
        (true, true) => Caller::Anyone,
        (false, false) => Caller::With(tests),
        (false, true) => {
            Caller::Either(any_of(tests).map(|any| json!({ "not": any })).into_iter().collect())
        }
    }
}

/// Takes in a condition of `when`.
pub(super) fn when(
    condition: &Value,
    place: &str,
    action: Action,
    issuers: &Issuers,
    parts: &mut Parts,
    notes: &mut Notes,
) {
    let place = format!("{place}.when");
    let mut fields = Fields::of(condition, &place, notes);
    let key = fields.text("key", notes).unwrap_or_default();
    let lists = [(fields.texts("values", notes), false), (fields.texts("not_values", notes), true)];
    fields.finish(notes);
    for (values, negated) in lists.into_iter().filter(|(values, _)| !values.is_empty()) {
        let caller = if let Some(claim) = key.strip_prefix("request.auth.claims") {
            claim_caller(claim, &values, negated, action)
        } else if let Some(header) =
            key.strip_prefix("request.headers[").and_then(|key| key.strip_suffix(']'))
        {
            headers(header, &values, negated, parts);
            Caller::Anyone
        } else {
            match key.as_str() {
                "request.auth.principal" => {
                    principals(&values, negated, &place, action, issuers, notes)
                }
                "request.auth.audiences" => {
                    caller(&json!("aud"), tests(&json!("aud"), &values), negated, action)
                }
                "request.auth.presenter" => {
                    caller(&json!("azp"), tests(&json!("azp"), &values), negated, action)
                }
                _ => unsayable(action, &place, &format!("`{key}`"), notes),
            }
        };
        parts.caller = std::mem::replace(&mut parts.caller, Caller::Anyone).and(caller);
    }
}

/// `[a][b]` names nested claims.
fn claim_caller(claim: &str, values: &[String], negated: bool, action: Action) -> Caller {
    let names: Vec<&str> = claim.split(']').filter_map(|part| part.strip_prefix('[')).collect();
    let path = json!(names);
    let is_plain = values.iter().all(|value| !value.contains('*'));
    if names == ["scope"] && is_plain {
        let wanted = if values.len() == 1 { json!(values) } else { json!({ "any_of": values }) };
        return caller(&path, vec![json!({ "scopes": wanted })], negated, action);
    }
    let path = match names.as_slice() {
        [name] if !name.contains('.') => json!(name),
        _ => path,
    };
    caller(&path, tests(&path, values), negated, action)
}

/// Header matchers: one for each value that it may have, all of them for those that it may not.
fn headers(name: &str, values: &[String], negated: bool, parts: &mut Parts) {
    let name = name.to_ascii_lowercase();
    let matcher = |value: &String| {
        let mut matcher = match (value.strip_prefix('*'), value.strip_suffix('*')) {
            (Some(""), _) => json!({ "name": name, "present_match": true }),
            (_, Some(prefix)) => json!({ "name": name, "string_match": { "prefix": prefix } }),
            (Some(suffix), None) => json!({ "name": name, "string_match": { "suffix": suffix } }),
            (None, None) => json!({ "name": name, "string_match": { "exact": value } }),
        };
        if let (true, Some(members)) = (negated, matcher.as_object_mut()) {
            members.insert("invert_match".to_owned(), json!(true));
            // There, a header that is absent has none of the values.
            if !members.contains_key("present_match") {
                members.insert("treat_missing_header_as_empty".to_owned(), json!(true));
            }
        }
        matcher.to_string()
    };
    let matchers: Vec<String> = values.iter().map(matcher).collect();
    let with = |more: &[String]| {
        let sets = parts.headers.iter();
        sets.map(|set| set.iter().chain(more).cloned().collect()).collect::<Vec<BTreeSet<String>>>()
    };
    parts.headers = if negated {
        with(&matchers)
    } else {
        matchers.iter().flat_map(|matcher| with(std::slice::from_ref(matcher))).collect()
    };
}
