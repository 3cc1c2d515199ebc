//! From Envoy's own `jwt_authn`: the configuration is understood as it is, so it is found, and what
//! stands beside it in Envoy is added.

mod routes;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::notes::Notes;

/// The filter's configuration.
const MESSAGE: &str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
/// Its name, by which routes and other filters call it.
const FILTER: &str = "envoy.filters.http.jwt_authn";

/// Makes a policy of these documents: a filter's configuration, or whatever holds one.
pub(crate) fn migrate(documents: &[Value], folder: &Path, notes: &mut Notes) -> Value {
    let mut found = Vec::new();
    documents.iter().for_each(|document| collect(document, "", &mut found));
    let mut distinct = found.clone();
    distinct.dedup_by(|(_, a), (_, b)| a == b);
    let policy = match distinct.as_slice() {
        [] => {
            notes.fault("", "there is no configuration of jwt_authn in it");
            return json!({});
        }
        [(_, filter)] => policy(filter, folder, notes),
        several => {
            let places: Vec<_> = several.iter().map(|(place, _)| place.as_str()).collect();
            let why = "there are several filters that differ; give one of them at a time";
            notes.fault(&places.join(", "), why);
            return json!({});
        }
    };
    readers_of_metadata(documents, notes);
    routes::add(documents, policy, notes)
}

/// Every configuration of the filter, with its place.
fn collect<'v>(value: &'v Value, place: &str, found: &mut Vec<(String, &'v Value)>) {
    let object = value.as_object();
    let is_filter = object.is_some_and(|object| {
        let is_typed =
            object.get("@type").and_then(Value::as_str).is_some_and(|t| t.ends_with(MESSAGE));
        let is_bare = place.is_empty() && object.contains_key("providers");
        is_typed || is_bare
    });
    if is_filter {
        found.push((if place.is_empty() { ".".to_owned() } else { place.to_owned() }, value));
        return;
    }
    children(value, place).into_iter().for_each(|(place, child)| collect(child, &place, found));
}

/// Members and elements, with their places.
fn children<'v>(value: &'v Value, place: &str) -> Vec<(String, &'v Value)> {
    match value {
        Value::Object(object) => {
            let dot = if place.is_empty() { "" } else { "." };
            object.iter().map(|(name, child)| (format!("{place}{dot}{name}"), child)).collect()
        }
        Value::Array(list) => {
            (0_usize..).zip(list).map(|(at, child)| (format!("{place}[{at}]"), child)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// A member in snake_case or camelCase, taken out.
fn take(object: &mut Map<String, Value>, names: [&str; 2]) -> Option<Value> {
    names.into_iter().find_map(|name| object.remove(name)).filter(|value| !value.is_null())
}

fn policy(filter: &Value, folder: &Path, notes: &mut Notes) -> Value {
    let mut policy = filter.as_object().cloned().unwrap_or_default();
    policy.remove("@type");
    let mut is_open = true;
    if take(&mut policy, ["filter_state_rules", "filterStateRules"]).is_some() {
        let why = "rules cannot be chosen by filter state: what no other rule names is refused; \
                   match a header or a path";
        notes.stricter("filter_state_rules", why);
        is_open = false;
    }
    if let Some(providers) = policy.get_mut("providers").and_then(Value::as_object_mut) {
        for (name, provider) in providers {
            local_keys(name, provider, folder, notes);
            let expires = ["require_expiration", "requireExpiration"];
            if expires.iter().all(|member| provider.get(member).is_none()) {
                let why = "a token without `exp` passes there and is refused here, unless \
                           `require_expiration` is false";
                notes.stricter(&format!("providers.{name}"), why);
            }
        }
    }
    if is_open {
        policy.insert("default_action".to_owned(), json!("allow"));
        notes.differs("default_action", "what no rule names passes, as there; \"deny\" is safer");
    }
    Value::Object(policy)
}

/// A module reads no file, so what is in one goes into the policy.
fn local_keys(name: &str, provider: &mut Value, folder: &Path, notes: &mut Notes) {
    let place = format!("providers.{name}.local_jwks");
    let keys =
        ["local_jwks", "localJwks"].into_iter().find(|member| provider.get(member).is_some());
    let Some(keys) = keys.and_then(|member| provider.get_mut(member)) else { return };
    let Some(file) = keys.get("filename").and_then(Value::as_str) else { return };
    match fs::read_to_string(folder.join(file)) {
        Ok(text) => {
            notes.differs(
                &place,
                format!("the keys in {file} are in the policy: a new key needs a new policy"),
            );
            *keys = json!({ "inline_string": text });
        }
        Err(error) => notes
            .fault(&place, format!("{file}, which a module cannot read, is needed here: {error}")),
    }
}

/// Other filters that read what this one leaves in dynamic metadata find nothing there: a module
/// cannot write it.
fn readers_of_metadata(documents: &[Value], notes: &mut Notes) {
    let mut open: Vec<(String, &Value)> =
        documents.iter().map(|document| (String::new(), document)).collect();
    while let Some((place, value)) = open.pop() {
        let names_us = |member: &str| value.get(member).is_some_and(|name| name == FILTER);
        let is_matcher =
            names_us("filter") && (value.get("path").is_some() || value.get("value").is_some());
        if is_matcher || names_us("metadata_namespace") {
            let why = "reads what jwt_authn leaves in metadata, where a module cannot write: say it \
                       with `authorize` and `deny`, and take it out";
            notes.fault(&place, why);
        }
        open.extend(children(value, &place));
    }
}
