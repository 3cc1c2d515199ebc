//! From Envoy Gateway's SecurityPolicy.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::notes::Notes;
use super::provider::{
    self, OPTIONAL, STRICT, all_of, any_of, authority, never, object, remote_jwks, some_list,
    some_texts,
};

/// Makes a policy of these documents.
pub(crate) fn migrate(documents: &[Value], notes: &mut Notes) -> Value {
    let is_policy =
        |document: &&Value| document.get("kind").is_some_and(|kind| kind == "SecurityPolicy");
    let policies: Vec<&Value> = documents.iter().filter(is_policy).collect();
    for other in documents.iter().filter(|document| !is_policy(document)) {
        let kind = other.get("kind").and_then(Value::as_str).unwrap_or("document");
        notes.dropped(kind, "is not looked at");
    }
    let [policy] = policies.as_slice() else {
        notes.fault("SecurityPolicy", "there must be one: each is for routes of its own");
        return json!({});
    };
    let mut spec = Fields::of(policy.get("spec").unwrap_or(&Value::Null), "spec", notes);
    let where_it_is = "EnvoyExtensionPolicy says which routes";
    spec.harmless(
        &["target_ref", "target_refs", "target_selectors", "merge_type"],
        where_it_is,
        notes,
    );
    spec.harmless(&["cors"], "stays in the SecurityPolicy", notes);
    for name in ["basic_auth", "api_key_auth", "oidc", "ext_auth"] {
        if spec.take(name).is_some() {
            notes.fault(
                &spec.at(name),
                "is not about tokens: leave it in the SecurityPolicy, and out of this",
            );
        }
    }
    let (providers, is_optional) = jwt(&mut spec, notes);
    let base = if is_optional { OPTIONAL } else { STRICT };
    let rules = authorization(&mut spec, base, &providers, notes);
    spec.finish(notes);
    if providers.is_empty() {
        notes.fault("spec.jwt", "there are no providers");
    }
    provider::policy(providers, rules)
}

fn jwt(spec: &mut Fields<'_>, notes: &mut Notes) -> (Map<String, Value>, bool) {
    let mut jwt = Fields::of(spec.take("jwt").unwrap_or(&Value::Null), "spec.jwt", notes);
    let is_optional = jwt.flag("optional", notes).unwrap_or(false);
    let mut providers = Map::new();
    for provider in jwt.list("providers", notes) {
        let mut fields = Fields::of(provider, "spec.jwt.providers", notes);
        let Some(name) = fields.text("name", notes) else {
            notes.fault("spec.jwt.providers", "one has no name");
            continue;
        };
        let mut fields = Fields::of(provider, &format!("spec.jwt.providers.{name}"), notes);
        fields.take("name");
        let provider = provider_of(&mut fields, notes);
        fields.finish(notes);
        providers.insert(name, provider);
    }
    jwt.finish(notes);
    (providers, is_optional)
}

fn provider_of(fields: &mut Fields<'_>, notes: &mut Notes) -> Value {
    if fields.flag("recompute_route", notes) == Some(true) {
        notes.differs(
            &fields.at("recomputeRoute"),
            "`clear_route_cache` does it on Envoy, after a good token",
        );
    }
    let extract = fields.take("extract_from").unwrap_or(&Value::Null);
    let mut extract = Fields::of(extract, &fields.at("extractFrom"), notes);
    let headers =
        pairs(&mut extract, "headers", ["name", "value_prefix"], ["name", "value_prefix"], notes);
    let (params, cookies) = (extract.texts("params", notes), extract.texts("cookies", notes));
    extract.finish(notes);
    let claims = pairs(
        fields,
        "claim_to_headers",
        ["header", "claim"],
        ["header_name", "claim_name"],
        notes,
    );
    let (local, remote) = keys(fields, notes);
    object([
        ("issuer", fields.text("issuer", notes).map(Value::from).unwrap_or_default()),
        ("audiences", some_texts(&fields.texts("audiences", notes))),
        ("from_headers", headers),
        ("from_params", some_texts(&params)),
        ("from_cookies", some_texts(&cookies)),
        ("forward", json!(true)),
        ("claim_to_headers", claims),
        ("scope_claims", json!(["scope"])),
        ("local_jwks", local),
        ("remote_jwks", remote),
    ])
}

/// A list of objects with two members each, under other names.
fn pairs(
    fields: &mut Fields<'_>,
    list: &str,
    from: [&str; 2],
    to: [&str; 2],
    notes: &mut Notes,
) -> Value {
    let place = fields.at(list);
    let each = fields.list(list, notes).iter().map(|element| {
        let mut element = Fields::of(element, &place, notes);
        let values =
            from.map(|name| element.text(name, notes).map(Value::from).unwrap_or_default());
        element.finish(notes);
        let [first, second] = values;
        let [a, b] = to;
        object([(a, first), (b, second)])
    });
    some_list(each.collect())
}

fn keys(fields: &mut Fields<'_>, notes: &mut Notes) -> (Value, Value) {
    let place = fields.at("remoteJWKS");
    if let Some(local) = fields.take("local_jwks") {
        let mut local = Fields::of(local, &fields.at("localJWKS"), notes);
        let (kind, inline) = (local.text("type", notes), local.text("inline", notes));
        if kind.is_some_and(|kind| kind != "Inline") || inline.is_none() {
            local.take("value_ref");
            notes.fault(
                local.place(),
                "only `inline` keys can be taken over: put those of the ConfigMap there",
            );
        }
        local.finish(notes);
        return (json!({ "inline_string": inline.unwrap_or_default() }), Value::Null);
    }
    let Some(remote) = fields.take("remote_jwks") else {
        notes.fault(fields.place(), "has neither remoteJWKS nor localJWKS");
        return (Value::Null, Value::Null);
    };
    let mut remote = Fields::of(remote, &place, notes);
    let uri = remote.text("uri", notes).unwrap_or_default();
    let cache = remote.text("cache_duration", notes).unwrap_or_else(|| "300s".to_owned());
    remote.harmless(
        &["backend_settings"],
        "retries and timeouts are those of `remote_jwks`",
        notes,
    );
    remote.harmless(&["backend_ref", "backend_refs"], "`cluster` names the way to the keys", notes);
    remote.finish(notes);
    let (host, port) = authority(&uri).unwrap_or(("", ""));
    let cluster = format!("{}_{port}", host.replace('.', "_"));
    notes.differs(
        &place,
        format!("`cluster` is Envoy's name of the way there, and is guessed: {cluster}"),
    );
    (Value::Null, remote_jwks(&uri, &cluster, "5s", Some(&cache)))
}

/// An action of a rule, the methods that it is for, and the condition on the token.
struct Step {
    allows: bool,
    methods: Option<BTreeSet<String>>,
    /// `None`: any token, or none where it is optional.
    condition: Option<Value>,
    /// It can never match, since something in it cannot be said.
    is_void: bool,
}

fn authorization(
    spec: &mut Fields<'_>,
    base: &str,
    providers: &Map<String, Value>,
    notes: &mut Notes,
) -> Vec<Value> {
    let all = json!({ "prefix": "/" });
    let Some(value) = spec.take("authorization") else {
        return vec![json!({ "match": all, "requirement_name": base })];
    };
    let mut fields = Fields::of(value, "spec.authorization", notes);
    let is_shut = fields.text("default_action", notes).is_none_or(|action| action == "Deny");
    let steps: Vec<Step> = (0_usize..)
        .zip(fields.list("rules", notes))
        .map(|(at, rule)| step(rule, &format!("spec.authorization.rules[{at}]"), providers, notes))
        .collect();
    fields.finish(notes);
    if base == OPTIONAL && !steps.is_empty() {
        let why = "rules about tokens ask for one: a request without a token is refused, too";
        notes.stricter("spec.authorization", why);
    }
    // Each set of methods is a rule of its own; the last one is for all others.
    let named: BTreeSet<&String> =
        steps.iter().filter_map(|step| step.methods.as_ref()).flatten().collect();
    let mut rules: Vec<Value> = Vec::new();
    for method in named {
        let applies =
            |step: &&Step| step.methods.as_ref().is_none_or(|methods| methods.contains(method));
        let steps: Vec<&Step> = steps.iter().filter(applies).collect();
        rules.push(decided(&json!({ "prefix": "/", "methods": [method] }), &steps, is_shut, base));
    }
    let others: Vec<&Step> = steps.iter().filter(|step| step.methods.is_none()).collect();
    rules.push(decided(&all, &others, is_shut, base));
    merged(rules)
}

/// Rules that say the same for different methods are one.
fn merged(rules: Vec<Value>) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    for rule in rules {
        let without = |rule: &Value| {
            let mut rule = rule.clone();
            rule.as_object_mut().map(|rule| rule.remove("match"));
            rule
        };
        let method = rule.pointer("/match/methods/0").cloned();
        let same =
            merged.iter_mut().find(|other| method.is_some() && without(other) == without(&rule));
        match (
            same.and_then(|same| same.pointer_mut("/match/methods")).and_then(Value::as_array_mut),
            method,
        ) {
            (Some(methods), Some(method)) => methods.push(method),
            _ => merged.push(rule),
        }
    }
    merged
}

/// The rule for requests that these steps are asked about, the first that matches deciding.
fn decided(matcher: &Value, steps: &[&Step], is_shut: bool, base: &str) -> Value {
    let (mut ways, mut barred, mut is_open) = (Vec::new(), Vec::new(), false);
    let mut is_settled = false;
    for step in steps.iter().filter(|step| !step.is_void) {
        match (&step.condition, step.allows) {
            (None, true) if barred.is_empty() => is_open = ways.is_empty(),
            (None, true) => ways.push(all_of(barred.clone()).unwrap_or_default()),
            (Some(condition), true) => {
                ways.push(
                    all_of([barred.clone(), vec![condition.clone()]].concat()).unwrap_or_default(),
                );
            }
            (Some(condition), false) => barred.push(json!({ "not": condition })),
            (None, false) => {}
        }
        if step.condition.is_none() {
            is_settled = true;
            if step.allows && barred.is_empty() {
                // Whoever comes so far is let pass, so nothing before matters.
                return json!({ "match": matcher, "requirement_name": base });
            }
            break;
        }
    }
    if !is_settled && !is_shut {
        match all_of(barred) {
            Some(barred) => ways.push(barred),
            None => is_open = true,
        }
    }
    if is_open {
        return json!({ "match": matcher, "requirement_name": base });
    }
    let authorize = any_of(ways).unwrap_or_else(never);
    json!({ "match": matcher, "requirement_name": STRICT, "authorize": authorize })
}

fn step(rule: &Value, place: &str, providers: &Map<String, Value>, notes: &mut Notes) -> Step {
    let mut fields = Fields::of(rule, place, notes);
    fields.harmless(&["name"], "rules are not taken over one by one", notes);
    let allows = fields.text("action", notes).is_some_and(|action| action == "Allow");
    let mut is_void = false;
    let mut unsayable = |at: &str, notes: &mut Notes| {
        if allows {
            is_void = true;
            notes.stricter(at, "cannot be said: this rule allows nothing");
        } else {
            notes.stricter(at, "cannot be said: this rule denies whatever it is");
        }
    };
    let operation = fields.take("operation").unwrap_or(&Value::Null);
    let mut operation = Fields::of(operation, &format!("{place}.operation"), notes);
    let methods: BTreeSet<String> = operation.texts("methods", notes).into_iter().collect();
    if operation.take("paths").is_some() {
        unsayable(&operation.at("paths"), notes);
    }
    operation.finish(notes);
    let principal = fields.take("principal").unwrap_or(&Value::Null);
    let mut principal = Fields::of(principal, &format!("{place}.principal"), notes);
    for name in ["client_cidrs", "source_cidrs", "headers", "client_ip_geo_locations"] {
        if principal.take(name).is_some() {
            unsayable(&principal.at(name), notes);
        }
    }
    let jwt = principal
        .take("jwt")
        .map(|jwt| token(jwt, &format!("{place}.principal.jwt"), allows, providers, notes));
    principal.finish(notes);
    fields.finish(notes);
    let methods = Some(methods).filter(|methods| !methods.is_empty());
    Step { allows, methods, condition: jwt.flatten(), is_void }
}

/// The condition on a token: its scopes, and each of its claims.
fn token(
    jwt: &Value,
    place: &str,
    allows: bool,
    providers: &Map<String, Value>,
    notes: &mut Notes,
) -> Option<Value> {
    let mut fields = Fields::of(jwt, place, notes);
    let mut all = Vec::new();
    let provider = fields.text("provider", notes).filter(|_| providers.len() > 1);
    if let Some(provider) = provider {
        match providers.get(&provider).and_then(|provider| provider.get("issuer")) {
            Some(issuer) => all.push(json!({ "claim": { "path": "iss", "equals": issuer } })),
            None => notes.fault(
                &fields.at("provider"),
                format!("`{provider}` has no issuer to tell its tokens by"),
            ),
        }
    } else if allows {
        // A token, whatever it says.
        all.push(json!({ "claim": { "path": "iss", "present": true } }));
    }
    let scopes = fields.texts("scopes", notes);
    if !scopes.is_empty() {
        if !allows {
            notes.stricter(&fields.at("scopes"), "denies a token without any scope claim, too");
        }
        if all.first().is_some_and(|first| first.pointer("/claim/present").is_some()) {
            all.clear();
        }
        all.push(json!({ "scopes": scopes }));
    }
    let claims = format!("{place}.claims");
    let has_first = all.first().is_some_and(|first| first.pointer("/claim/present").is_some());
    let listed = fields.list("claims", notes);
    if has_first && !listed.is_empty() {
        all.clear();
    }
    for claim in listed {
        let mut claim = Fields::of(claim, &claims, notes);
        let (name, values) =
            (claim.text("name", notes).unwrap_or_default(), claim.texts("values", notes));
        claim.take("value_type");
        claim.finish(notes);
        let test = match values.as_slice() {
            [one] => json!({ "claim": { "path": name, "equals": one } }),
            _ => json!({ "claim": { "path": name, "any_of": values } }),
        };
        // An absent claim is none of the values there; here it would decide nothing.
        let present = json!({ "claim": { "path": name, "present": true } });
        all.push(if allows { test } else { json!({ "all_of": [present, test] }) });
    }
    fields.finish(notes);
    all_of(all)
}
