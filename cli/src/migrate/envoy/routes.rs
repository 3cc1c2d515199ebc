//! What routes say about the filter (`typed_per_filter_config`) becomes rules before the others.

use serde_json::{Map, Value, json};

use super::{FILTER, children};
use crate::migrate::notes::Notes;

/// Members of a route's match that a rule has, too.
const KNOWN: [&str; 9] = [
    "prefix",
    "path",
    "safe_regex",
    "path_separated_prefix",
    "path_match_policy",
    "connect_matcher",
    "case_sensitive",
    "headers",
    "query_parameters",
];

/// Adds the rules of all routes to the policy.
pub(super) fn add(documents: &[Value], mut policy: Value, notes: &mut Notes) -> Value {
    let mut hosts = Vec::new();
    documents.iter().for_each(|document| virtual_hosts(document, "", &mut hosts));
    let told = hosts.iter().filter(|(_, host)| speaks_of_us(host)).count();
    if told == 0 {
        return policy;
    }
    let mut rules = Vec::new();
    for (place, host) in hosts.iter().filter(|(_, host)| speaks_of_us(host)) {
        // Envoy looks for the closest domain, not for the first one.
        let is_wild = domains(host).iter().any(|domain| domain.contains('*'));
        if is_wild && hosts.len() > 1 {
            let why = "one of several virtual hosts with a wildcard domain: which requests it has \
                       cannot be said by rules in an order; give each its own filter";
            notes.fault(place, why);
        }
        routes(place, host, &mut rules, notes);
    }
    let Some(object) = policy.as_object_mut() else { return policy };
    if let Some(Value::Array(others)) = object.remove("rules") {
        rules.extend(others);
    }
    object.insert("rules".to_owned(), Value::Array(rules));
    policy
}

fn virtual_hosts<'v>(value: &'v Value, place: &str, found: &mut Vec<(String, &'v Value)>) {
    if value.get("domains").is_some() && value.get("routes").is_some() {
        found.push((place.to_owned(), value));
        return;
    }
    if value.get("virtual_hosts").is_some() && per_route(value).is_some() {
        // Taken for one of each virtual host below.
        found.push((place.to_owned(), value));
    }
    children(value, place)
        .into_iter()
        .for_each(|(place, child)| virtual_hosts(child, &place, found));
}

/// What an object says about the filter.
fn per_route(value: &Value) -> Option<&Value> {
    let configs =
        value.get("typed_per_filter_config").or_else(|| value.get("typedPerFilterConfig"))?;
    configs.get(FILTER)
}

fn speaks_of_us(host: &Value) -> bool {
    per_route(host).is_some() || children(host, "").iter().any(|(_, child)| speaks_of_us(child))
}

fn domains(host: &Value) -> Vec<&str> {
    let domains = host.get("domains").and_then(Value::as_array);
    domains.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn routes(place: &str, host: &Value, rules: &mut Vec<Value>, notes: &mut Notes) {
    if per_route(host).is_some() {
        let why =
            "a virtual host or a whole table of routes is configured apart: say it for each route";
        notes.fault(place, why);
    }
    let listed = host.get("routes").and_then(Value::as_array);
    let routes: Vec<&Value> = listed.into_iter().flatten().collect();
    let Some(last) = routes.iter().rposition(|route| per_route(route).is_some()) else {
        if per_route(host).is_none() {
            notes.fault(
                place,
                "something within its routes is configured apart, which cannot be said",
            );
        }
        return;
    };
    let mut passed_over: Vec<&Value> = Vec::new();
    for (at, route) in (0_usize..).zip(&routes).skip(last.saturating_add(1)) {
        within(&format!("{place}.routes[{at}]"), route, notes);
    }
    for (at, route) in (0_usize..).zip(routes.iter().take(last.saturating_add(1))) {
        let place = format!("{place}.routes[{at}]");
        within(&place, route, notes);
        let Some(config) = per_route(route) else {
            passed_over.push(route);
            continue;
        };
        for earlier in &passed_over {
            if !is_apart(earlier.get("match"), route.get("match")) {
                let why = "an earlier route without a configuration of its own may take the same \
                           requests; put it after this one";
                notes.fault(&place, why);
            }
        }
        rules.extend(rule(&place, host, route, config, notes));
    }
}

/// What a route holds, such as clusters with weights, may be configured apart, too.
fn within(place: &str, route: &Value, notes: &mut Notes) {
    let inner = children(route, "").into_iter().filter(|(name, _)| {
        !name.ends_with("er_filter_config") && !name.ends_with("erFilterConfig")
    });
    for (name, _) in inner.filter(|(_, child)| speaks_of_us(child)) {
        notes.fault(
            &format!("{place}.{name}"),
            "something in it is configured apart, which cannot be said",
        );
    }
}

/// Whether two matches have no path in common, as far as that is plain to see.
fn is_apart(a: Option<&Value>, b: Option<&Value>) -> bool {
    let path = |route: Option<&Value>| -> Option<(String, bool)> {
        let text = |name: &str| Some(route?.get(name)?.as_str()?.to_owned());
        let prefix = text("prefix").or_else(|| text("path_separated_prefix"));
        prefix.map(|prefix| (prefix, true)).or_else(|| text("path").map(|path| (path, false)))
    };
    let (Some((a, a_is_open)), Some((b, b_is_open))) = (path(a), path(b)) else { return false };
    !(a == b || a_is_open && b.starts_with(&a) || b_is_open && a.starts_with(&b))
}

fn rule(
    place: &str,
    host: &Value,
    route: &Value,
    config: &Value,
    notes: &mut Notes,
) -> Option<Value> {
    let mut matcher = Map::new();
    for (name, value) in route.get("match").and_then(Value::as_object).into_iter().flatten() {
        if !KNOWN.contains(&name.as_str()) {
            notes.fault(&format!("{place}.match.{name}"), "cannot be said in a rule");
        }
        matcher.insert(name.clone(), value.clone());
    }
    let domains = domains(host);
    if !domains.contains(&"*") {
        for domain in &domains {
            let star = domain.find('*');
            if domain.contains(':') || star.is_some_and(|at| at > 0 || !domain.starts_with("*.")) {
                notes.fault(place, format!("domain `{domain}` cannot be said: hosts are exact or `*.example.org`, without port"));
            }
        }
        matcher.insert("hosts".to_owned(), json!(domains));
    }
    let mut rule = Map::from_iter([("match".to_owned(), Value::Object(matcher))]);
    let requirement = config.get("requirement_name").or_else(|| config.get("requirementName"));
    match (config.get("disabled").and_then(Value::as_bool), requirement) {
        (Some(true), None) => {
            notes.differs(place, "jwt_authn is disabled for it: a rule that asks for nothing")
        }
        (Some(false) | None, Some(name)) => {
            _ = rule.insert("requirement_name".to_owned(), name.clone())
        }
        _ => {
            notes.fault(place, "is neither `disabled` nor has a `requirement_name`");
            return None;
        }
    }
    Some(Value::Object(rule))
}
