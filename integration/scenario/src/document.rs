//! What has to stand around a configuration on a host, read from the configuration.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::driver::{Body, Endpoint};

/// The configuration with the endpoint's keys in place of the endpoint.
#[must_use]
pub fn with_keys<'c>(config: &'c str, idp: &Endpoint) -> Cow<'c, str> {
    let Body::Bytes(keys) = &idp.body else { return config.into() };
    let keys = json!({ "inline_string": String::from_utf8_lossy(keys) });
    let Ok(mut document) = serde_json::from_str::<Value>(config) else { return config.into() };
    let providers = document.get_mut("providers").and_then(Value::as_object_mut);
    let mut is_remote = false;
    for provider in providers.into_iter().flatten().filter_map(|(_, p)| p.as_object_mut()) {
        if ["remote_jwks", "remoteJwks"].iter().any(|name| provider.remove(*name).is_some()) {
            provider.insert("local_jwks".to_owned(), keys.clone());
            is_remote = true;
        }
    }
    // What has local keys only stays as it was written: it may have a member twice.
    if is_remote { document.to_string().into() } else { config.into() }
}

/// The headers that only the gate may write, wherever they stand.
#[must_use]
pub fn identity_headers(document: &Value) -> BTreeSet<String> {
    const NAMES: [&str; 6] = [
        "forward_payload_header",
        "forwardPayloadHeader",
        "header_name",
        "headerName",
        "verification_status_header",
        "verificationStatusHeader",
    ];
    let mut headers = texts(document, &NAMES);
    if holds(document, &["extract_only_without_validation", "extractOnlyWithoutValidation"]) {
        headers.insert("x-jwt-signature-verified".to_owned());
    }
    headers
}

/// The names under which values are left for later filters.
#[must_use]
pub fn exports(document: &Value) -> BTreeSet<String> {
    const NAMES: [&str; 6] = [
        "payload_in_metadata",
        "payloadInMetadata",
        "header_in_metadata",
        "headerInMetadata",
        "failed_status_in_metadata",
        "failedStatusInMetadata",
    ];
    let mut exports = texts(document, &NAMES);
    exports.extend(document.get("audit").map(|_| "jwt_gate".to_owned()));
    exports
}

/// The headers that tokens come in.
#[must_use]
pub fn token_headers(document: &Value) -> BTreeSet<String> {
    let mut headers = BTreeSet::from(["authorization".to_owned()]);
    for (name, value) in children(document) {
        match value.as_array() {
            Some(places) if ["from_headers", "fromHeaders"].contains(&name) => {
                let named = places.iter().filter_map(|place| place.get("name")?.as_str());
                headers.extend(named.map(str::to_lowercase));
            }
            Some(_) if ["from_cookies", "fromCookies"].contains(&name) => {
                headers.insert("cookie".to_owned());
            }
            Some(_) | None => headers.extend(token_headers(value)),
        }
    }
    headers
}

/// The texts of all members with one of these names; an empty one says nothing.
fn texts(document: &Value, names: &[&str]) -> BTreeSet<String> {
    let below = children(document).flat_map(|(_, value)| texts(value, names));
    let own = children(document).filter(|(name, _)| names.contains(name));
    let own = own.filter_map(|(_, value)| value.as_str()).filter(|text| !text.is_empty());
    own.map(str::to_owned).chain(below).collect()
}

/// Whether there is a member with one of these names.
fn holds(document: &Value, names: &[&str]) -> bool {
    children(document).any(|(name, value)| names.contains(&name) || holds(value, names))
}

/// Members and elements; elements have no name. What a candidate policy names has no effect.
fn children(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    let members = members.filter(|(name, _)| *name != "shadow_policy");
    let elements = value.as_array().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value)).chain(elements.map(|value| ("", value)))
}
