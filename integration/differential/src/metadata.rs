//! What later filters are told, made visible: in headers to the upstream, and of answers.
//!
//! The native filter tells it in dynamic metadata, a module in filter state. Both come as JSON text,
//! the one with numbers as doubles.

use jwt_gate_envoy::Listener;
use serde_json::{Number, Value, json};

use crate::outcome::Outcome;

/// What the headers begin with; a name from the configuration follows.
pub(crate) const SHOWN: &str = "x-told-";

/// A listener that shows what its filter tells under the names in this configuration.
pub(crate) fn show(listener: Listener, configuration: &str, module: bool) -> Listener {
    let names = names(configuration);
    if names.is_empty() {
        return listener;
    }
    let headers: Vec<Value> = names
        .iter()
        .map(|name| {
            let value = match module {
                true => format!("%FILTER_STATE(wasm.{name}:PLAIN)%"),
                false => format!("%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{name})%"),
            };
            let header = json!({ "key": format!("{SHOWN}{name}"), "value": value });
            json!({ "header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" })
        })
        .collect();
    let any = json!({ "status_code_filter": { "comparison": {
        "op": "GE", "value": { "default_value": 0, "runtime_key": "any" } } } });
    let routes = json!({ "virtual_hosts": [{ "name": "all", "domains": ["*"],
        "request_headers_to_add": headers,
        "routes": [
            { "match": { "connect_matcher": {} }, "route": { "cluster": "upstream" } },
            { "match": { "prefix": "" }, "route": { "cluster": "upstream" } } ] }] });
    listener.manager("route_config", routes).manager(
        "local_reply_config",
        json!({ "mappers": [{ "filter": any, "headers_to_add": headers }] }),
    )
}

/// Reads what is shown as JSON, so that both sides write the same value in the same way.
pub(crate) fn read(outcome: &mut Outcome) {
    for (name, values) in &mut outcome.fields {
        if !name.starts_with(SHOWN) {
            continue;
        }
        for value in values {
            // The characters stand for bytes.
            let bytes: Vec<u8> = value.chars().filter_map(|c| u8::try_from(c).ok()).collect();
            if let Ok(mut json) = serde_json::from_slice(&bytes) {
                as_doubles(&mut json);
                *value = json.to_string();
            }
        }
    }
    // Where nothing is told.
    outcome.fields.retain(|name, values| !name.starts_with(SHOWN) || *values != ["-"]);
}

/// The names that the configuration gives to what is told.
fn names(configuration: &str) -> Vec<String> {
    let Ok(configuration) = serde_json::from_str::<Value>(configuration) else { return Vec::new() };
    let providers = configuration.get("providers").and_then(Value::as_object);
    let mut names: Vec<String> = Vec::new();
    for provider in providers.into_iter().flatten().map(|(_, provider)| provider) {
        for what in ["payload", "header", "failed_status"] {
            let name = provider.get(format!("{what}_in_metadata")).and_then(Value::as_str);
            names.extend(name.map(str::to_owned));
        }
    }
    names.sort();
    names.dedup();
    names
}

fn as_doubles(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(double) = number.as_f64().and_then(Number::from_f64) {
                *number = double;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_doubles),
        Value::Object(members) => members.values_mut().for_each(as_doubles),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
