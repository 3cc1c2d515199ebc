//! Parts of a policy that several sources need.

use serde_json::{Map, Value, json};

/// The name under which a token of any provider is asked for.
pub(crate) const STRICT: &str = "token";
/// The name under which a token may be missing, but must be good.
pub(crate) const OPTIONAL: &str = "optional-token";

/// An object without the members that are `null`.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A list, or `null` where it is empty.
pub(crate) fn some_list(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { Value::Array(list) }
}

/// Texts as a list, or `null` where there are none.
pub(crate) fn some_texts(texts: &[String]) -> Value {
    some_list(texts.iter().map(|text| Value::from(text.as_str())).collect())
}

/// A condition that no token fulfils: a rule with it refuses everybody.
pub(crate) fn never() -> Value {
    let present = |present: bool| json!({ "claim": { "path": "iss", "present": present } });
    json!({ "all_of": [present(true), present(false)] })
}

/// One condition for all of these; `None`: nothing is asked for.
pub(crate) fn all_of(mut conditions: Vec<Value>) -> Option<Value> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(json!({ "all_of": conditions })),
    }
}

/// One condition for one of these; `None`: there are none.
pub(crate) fn any_of(mut conditions: Vec<Value>) -> Option<Value> {
    conditions.dedup();
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(json!({ "any_of": conditions })),
    }
}

/// A requirement of a token of one of these providers.
pub(crate) fn one_of(providers: &[String]) -> Value {
    let each = providers.iter().map(|name| json!({ "provider_name": name }));
    let mut each: Vec<_> = each.collect();
    match each.len() {
        0 | 1 => each.pop().unwrap_or_else(|| json!({})),
        _ => json!({ "requires_any": { "requirements": each } }),
    }
}

/// The same, where a request without a token passes, too.
pub(crate) fn one_of_or_none(providers: &[String]) -> Value {
    let each = providers.iter().map(|name| json!({ "provider_name": name }));
    let each: Vec<_> = each.chain([json!({ "allow_missing": {} })]).collect();
    json!({ "requires_any": { "requirements": each } })
}

/// A policy of these providers and rules, with the requirements that the rules name.
pub(crate) fn policy(providers: Map<String, Value>, rules: Vec<Value>) -> Value {
    let names: Vec<String> = providers.keys().cloned().collect();
    let mut policy = object([
        ("providers", Value::Object(providers)),
        ("requirement_map", requirements(&names)),
        ("rules", some_list(rules)),
    ]);
    drop_unused_requirements(&mut policy);
    policy
}

/// Both requirements, by their names.
fn requirements(providers: &[String]) -> Value {
    if providers.is_empty() {
        return Value::Null;
    }
    json!({ STRICT: one_of(providers), OPTIONAL: one_of_or_none(providers) })
}

/// Drops requirements that no rule names.
fn drop_unused_requirements(policy: &mut Value) {
    let used: Vec<String> = policy
        .get("rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|rule| Some(rule.get("requirement_name")?.as_str()?.to_owned()))
        .collect();
    let Some(map) = policy.get_mut("requirement_map").and_then(Value::as_object_mut) else {
        return;
    };
    map.retain(|name, _| used.contains(name));
}

/// Where a key set is fetched from: its URL, and what the proxy calls the way there.
pub(crate) fn remote_jwks(uri: &str, cluster: &str, timeout: &str, cache: Option<&str>) -> Value {
    object([
        ("http_uri", json!({ "uri": uri, "cluster": cluster, "timeout": timeout })),
        ("cache_duration", cache.map(Value::from).unwrap_or_default()),
    ])
}

/// Host and port of a URL.
pub(crate) fn authority(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let usual = if scheme == "http" { "80" } else { "443" };
    Some(match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        Some(_) | None => (authority, usual),
    })
}

/// A name for a provider that is not taken yet, from a host or whatever it is known by.
pub(crate) fn provider_name(from: &str, taken: &Map<String, Value>) -> String {
    let name = authority(from).map_or(from, |(host, _)| host);
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect();
    let name = if name.is_empty() { "provider".to_owned() } else { name };
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| !taken.contains_key(name)).unwrap_or(name)
}

/// A text as part of an expression that matches it alone.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if !(c.is_alphanumeric() || "/_-~ ".contains(c)) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_hosts_are_taken_from_urls() {
        let rows = [
            ("https://idp.example/x", Some(("idp.example", "443"))),
            ("http://idp:8080", Some(("idp", "8080"))),
            ("idp", None),
        ];
        for (url, expected) in rows {
            assert_eq!(authority(url), expected, "{url}");
        }
        let mut taken = Map::new();
        for expected in ["idp.example", "idp.example-2", "idp.example-3"] {
            let name = provider_name("https://idp.example/x", &taken);
            assert_eq!(name, expected);
            taken.insert(name, Value::Null);
        }
        assert_eq!(provider_name("a b", &taken), "a-b");
        assert_eq!(escaped("/a.b*"), "/a\\.b\\*");
    }
}
