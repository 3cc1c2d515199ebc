//! From Istio's RequestAuthentication and AuthorizationPolicy.
//!
//! Policies of one workload: any that denies denies; where there is one that allows, one must.

mod authentication;
mod caller;
mod policy;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fields::Fields;
use super::notes::Notes;
use super::provider::{self, OPTIONAL, STRICT, any_of, never, object};
use super::region::{Region, parted};
use caller::Caller;
use policy::{Action, Clause};

/// Makes a policy of these documents.
pub(crate) fn migrate(documents: &[Value], notes: &mut Notes) -> Value {
    let mut providers = serde_json::Map::new();
    let (mut clauses, mut has_allow, mut selectors) = (Vec::new(), false, BTreeSet::new());
    for (number, document) in (1..).zip(documents) {
        let Some(mut resource) = Resource::of(document, number, notes) else { continue };
        selectors.extend(resource.selector(notes));
        match resource.kind.as_str() {
            "RequestAuthentication" => {
                authentication::providers(resource.spec, &mut providers, notes)
            }
            "AuthorizationPolicy" => {
                let issuers = policy::Issuers::of(documents);
                let is_dry = resource.is_dry;
                has_allow |= policy::clauses(resource.spec, is_dry, &issuers, &mut clauses, notes);
            }
            other => {
                resource.spec = Fields::of(&Value::Null, "", notes);
                notes.dropped(&resource.place, format!("a {other} is not looked at"));
            }
        }
    }
    if selectors.len() > 1 {
        let selectors: Vec<_> = selectors.into_iter().collect();
        notes.fault(
            "selector",
            format!(
                "the documents are for different workloads ({}): a policy is for one, so give those \
                 of one at a time",
                selectors.join("; ")
            ),
        );
    }
    rules(providers, &clauses, has_allow, notes)
}

/// A document of Kubernetes.
struct Resource<'d> {
    kind: String,
    place: String,
    is_dry: bool,
    spec: Fields<'d>,
}

impl<'d> Resource<'d> {
    fn of(document: &'d Value, number: usize, notes: &mut Notes) -> Option<Self> {
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
        let kind = text("/kind")?.to_owned();
        let name = text("/metadata/name").map_or_else(|| number.to_string(), str::to_owned);
        let place = format!("{kind}/{name}");
        let is_dry = text("/metadata/annotations/istio.io~1dry-run") == Some("true");
        let spec = document.get("spec").unwrap_or(&Value::Null);
        let spec = Fields::of(spec, &place, notes);
        Some(Self { kind, place, is_dry, spec })
    }

    /// The workload that it is for, where it names one.
    fn selector(&mut self, notes: &mut Notes) -> Option<String> {
        let found =
            ["selector", "target_ref", "target_refs"].map(|name| (name, self.spec.take(name)));
        let (name, value) = found.into_iter().find_map(|(name, value)| Some((name, value?)))?;
        notes.dropped(&self.spec.at(name), "`selector` of the WasmPlugin says which workloads");
        Some(value.to_string())
    }
}

fn rules(
    providers: serde_json::Map<String, Value>,
    clauses: &[Clause],
    has_allow: bool,
    notes: &mut Notes,
) -> Value {
    let mut regions = vec![Region::default()];
    for clause in clauses {
        regions.push(clause.region.clone());
        for except in &clause.except {
            match clause.region.meet(except) {
                Ok(meet) => regions.extend(meet),
                Err(unknown) => overlap(&unknown, notes),
            }
        }
    }
    let parts = parted(regions).unwrap_or_else(|unknown| {
        overlap(&unknown, notes);
        Vec::new()
    });
    let rules: Vec<Value> = parts
        .iter()
        .filter_map(|part| rule(part, clauses, has_allow, !providers.is_empty(), notes))
        .collect();
    provider::policy(providers, rules)
}

fn overlap(unknown: &super::region::Unknown, notes: &mut Notes) {
    let super::region::Unknown(a, b) = unknown;
    let why = format!(
        "{a:?} and {b:?} may have paths in common, and which ones cannot be said: write them so \
         that one holds the other"
    );
    notes.fault("paths", why);
}

/// The rule for a part of all requests; none where what it refuses is refused anyway.
fn rule(
    part: &Region,
    clauses: &[Clause],
    has_allow: bool,
    has_providers: bool,
    notes: &mut Notes,
) -> Option<Value> {
    let of = |action: Action| {
        let clauses = clauses.iter().filter(move |clause| clause.action == action);
        clauses.filter(|clause| clause.holds_for(part)).collect::<Vec<_>>()
    };
    let (allowed, denied) = (of(Action::Allow), of(Action::Deny));
    let mut allow = Caller::one_of(allowed.iter().map(|clause| &clause.caller));
    if !has_allow {
        allow = Caller::Anyone;
    }
    let deny = Caller::one_of(denied.iter().map(|clause| &clause.caller));
    let place = denied.first().or(allowed.first()).map_or("rules", |clause| &clause.place);
    let is_shut = deny == Caller::Anyone || allow == Caller::Nobody;
    // What no rule names is refused anyway.
    if is_shut && *part == Region::default() {
        return None;
    }
    let matcher = part.matcher();
    if is_shut || !has_providers && (deny != Caller::Nobody || allow != Caller::Anyone) {
        if !has_providers {
            notes.fault(place, "asks about tokens, or denies to all, and there is no RequestAuthentication with keys");
        }
        return Some(json!({ "match": matcher, "requirement_name": STRICT, "authorize": never() }));
    }
    Some(open_rule(matcher, &allow, &deny, place, has_providers, notes))
}

/// The rule where somebody may pass.
fn open_rule(
    matcher: Value,
    allow: &Caller,
    deny: &Caller,
    place: &str,
    has_providers: bool,
    notes: &mut Notes,
) -> Value {
    let is_open = *allow == Caller::Anyone && *deny == Caller::Nobody;
    if *allow == Caller::Anyone && matches!(deny, Caller::With(_) | Caller::Either(..)) {
        let why = "denies by what a token says: a request without a token is refused, too";
        notes.stricter(place, why);
    }
    let (deny, is_closed) = match deny {
        Caller::Nobody | Caller::WithoutToken => (None, false),
        Caller::Anyone | Caller::AnyToken => (None, true),
        Caller::With(conditions) | Caller::Either(conditions) => {
            (any_of(conditions.clone()), false)
        }
    };
    if is_closed {
        notes.stricter(place, "denies every token: a request without one is refused, too");
    }
    if matches!(allow, Caller::WithoutToken | Caller::Either(_)) {
        let why = "allows a request without a token where one with a token may be refused: both are refused";
        notes.stricter(place, why);
    }
    let authorize = match allow {
        Caller::With(conditions) | Caller::Either(conditions) => any_of(conditions.clone()),
        Caller::Nobody | Caller::WithoutToken => Some(never()),
        Caller::Anyone | Caller::AnyToken => None,
    };
    let authorize = if is_closed { Some(never()) } else { authorize };
    let name = if is_open { OPTIONAL } else { STRICT };
    object([
        ("match", matcher),
        ("requirement_name", if has_providers { Value::from(name) } else { Value::Null }),
        ("deny", deny.unwrap_or_default()),
        ("authorize", authorize.unwrap_or_default()),
    ])
}
