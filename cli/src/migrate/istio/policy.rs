//! AuthorizationPolicy: who may do what.
//!
//! What cannot be said makes the policy refuse more: an alternative that allows is left out, and
//! a part of what denies is taken to hold.

mod condition;

use std::collections::BTreeSet;

use serde_json::Value;

use super::caller::Caller;
use crate::migrate::fields::Fields;
use crate::migrate::notes::Notes;
use crate::migrate::region::{Path, Region};
use condition::{Parts, principals, when};

/// What a policy does with what it matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    /// It may pass.
    Allow,
    /// It may not.
    Deny,
}

/// Requests and callers that a policy allows or denies.
#[derive(Debug)]
pub(super) struct Clause {
    pub(super) action: Action,
    pub(super) region: Region,
    pub(super) except: Vec<Region>,
    pub(super) caller: Caller,
    pub(super) place: String,
}

impl Clause {
    /// Whether it speaks of all requests of a part.
    pub(super) fn holds_for(&self, part: &Region) -> bool {
        self.region.covers(part) && !self.except.iter().any(|except| except.covers(part))
    }
}

/// Issuers that tokens may have.
#[derive(Debug)]
pub(super) struct Issuers(Vec<String>);

impl Issuers {
    /// Those of all RequestAuthentications.
    pub(super) fn of(documents: &[Value]) -> Self {
        let rules =
            documents.iter().filter_map(|document| document.pointer("/spec/jwtRules")?.as_array());
        let issuers = rules.flatten().filter_map(|rule| rule.get("issuer")?.as_str());
        Self(issuers.map(str::to_owned).collect())
    }

    /// Issuer and subject of a request principal.
    pub(super) fn split<'p>(&self, principal: &'p str) -> Option<(&'p str, &'p str)> {
        let parted = self.0.iter().filter_map(|issuer| {
            let subject = principal.strip_prefix(issuer.as_str())?.strip_prefix('/')?;
            Some((principal.get(..issuer.len())?, subject))
        });
        parted.max_by_key(|(issuer, _)| issuer.len())
    }
}

/// Adds the clauses of a policy; whether it is one that allows.
pub(super) fn clauses(
    mut spec: Fields<'_>,
    is_dry: bool,
    issuers: &Issuers,
    into: &mut Vec<Clause>,
    notes: &mut Notes,
) -> bool {
    let action = spec.text("action", notes).unwrap_or_else(|| "ALLOW".to_owned());
    if is_dry {
        notes.dropped(
            spec.place(),
            "is on trial (istio.io/dry-run) and refuses nothing; see `shadow_policy`",
        );
        return false;
    }
    let action = match action.as_str() {
        "ALLOW" => Action::Allow,
        "DENY" => Action::Deny,
        "AUDIT" => {
            notes.dropped(spec.place(), "AUDIT refuses nothing; see `audit`");
            return false;
        }
        other => {
            let why = format!(
                "{other} cannot be said: leave it out here where it stays in the mesh, or put ext_authz behind"
            );
            notes.fault(spec.place(), why);
            return false;
        }
    };
    let place = spec.at("rules");
    for (at, rule) in spec.list("rules", notes).iter().enumerate() {
        clauses_of_rule(rule, &format!("{place}[{at}]"), action, issuers, into, notes);
    }
    spec.finish(notes);
    action == Action::Allow
}

fn clauses_of_rule(
    rule: &Value,
    place: &str,
    action: Action,
    issuers: &Issuers,
    into: &mut Vec<Clause>,
    notes: &mut Notes,
) {
    let mut fields = Fields::of(rule, place, notes);
    let (from, to) = (fields.list("from", notes), fields.list("to", notes));
    let sources = from.iter().filter_map(|from| from.get("source"));
    let callers: Vec<Caller> = sources.map(|s| source(s, place, action, issuers, notes)).collect();
    let caller = if from.is_empty() { Caller::Anyone } else { Caller::one_of(callers.iter()) };
    let operations = to.iter().filter_map(|to| to.get("operation"));
    let mut regions: Vec<(Region, Vec<Region>)> =
        operations.filter_map(|o| operation(o, place, action, notes)).flatten().collect();
    if to.is_empty() {
        regions.push((Region::default(), Vec::new()));
    }
    let mut parts = Parts { caller, headers: vec![BTreeSet::new()] };
    for condition in fields.list("when", notes) {
        when(condition, place, action, issuers, &mut parts, notes);
    }
    fields.finish(notes);
    for (region, except) in &regions {
        for headers in &parts.headers {
            let region = Region { headers: headers.clone(), ..region.clone() };
            let (caller, place) = (parts.caller.clone(), place.to_owned());
            into.push(Clause { action, region, except: except.clone(), caller, place });
        }
    }
}

/// What a part that cannot be said comes to: nobody is allowed by it, everybody denied.
pub(super) fn unsayable(action: Action, place: &str, what: &str, notes: &mut Notes) -> Caller {
    match action {
        Action::Allow => {
            notes.stricter(place, format!("{what} cannot be said: this allows nothing"));
            Caller::Nobody
        }
        Action::Deny => {
            notes.stricter(place, format!("{what} cannot be said: this denies whatever it is"));
            Caller::Anyone
        }
    }
}

fn source(
    source: &Value,
    place: &str,
    action: Action,
    issuers: &Issuers,
    notes: &mut Notes,
) -> Caller {
    const OTHERS: [&str; 10] = [
        "principals",
        "not_principals",
        "namespaces",
        "not_namespaces",
        "ip_blocks",
        "not_ip_blocks",
        "remote_ip_blocks",
        "not_remote_ip_blocks",
        "service_accounts",
        "not_service_accounts",
    ];
    let place = format!("{place}.from.source");
    let mut fields = Fields::of(source, &place, notes);
    let mut caller = Caller::Anyone;
    for name in OTHERS {
        if fields.take(name).is_some() {
            caller =
                caller.and(unsayable(action, &fields.at(name), "what the connection says", notes));
        }
    }
    let wanted = fields.texts("request_principals", notes);
    if !wanted.is_empty() {
        caller = caller.and(principals(&wanted, false, &place, action, issuers, notes));
    }
    let unwanted = fields.texts("not_request_principals", notes);
    if !unwanted.is_empty() {
        caller = caller.and(principals(&unwanted, true, &place, action, issuers, notes));
    }
    fields.finish(notes);
    caller
}

/// The requests of an operation, and those that it excepts. `None`: none of them can be said.
fn operation(
    operation: &Value,
    place: &str,
    action: Action,
    notes: &mut Notes,
) -> Option<Vec<(Region, Vec<Region>)>> {
    let place = format!("{place}.to.operation");
    let mut fields = Fields::of(operation, &place, notes);
    let mut is_sayable = true;
    for name in ["ports", "not_ports"] {
        if fields.take(name).is_some() {
            is_sayable &= unsayable(action, &fields.at(name), "a port", notes) == Caller::Anyone;
        }
    }
    let set = |names: Vec<String>| {
        Some(names.into_iter().collect::<BTreeSet<_>>())
            .filter(|set| !set.is_empty() && !set.contains("*"))
    };
    let (methods, hosts) = (fields.texts("methods", notes), fields.texts("hosts", notes));
    let (not_methods, not_hosts) =
        (fields.texts("not_methods", notes), fields.texts("not_hosts", notes));
    let (paths, not_paths) = (fields.texts("paths", notes), fields.texts("not_paths", notes));
    for text in hosts.iter().chain(&not_hosts).chain(&methods).chain(&not_methods) {
        let stars = text.matches('*').count();
        let is_host = text == "*" || stars == 0 || stars == 1 && text.starts_with("*.");
        if !is_host || text.contains(':') {
            is_sayable = false;
            notes.fault(
                &place,
                format!(
                    "`{text}` cannot be said: hosts are exact or `*.example.org`, without port"
                ),
            );
        }
    }
    fields.finish(notes);
    let path = |text: &String| path_of(text);
    let base = Region { methods: set(methods), hosts: set(hosts), ..Region::default() };
    let mut except: Vec<Region> =
        not_paths.iter().map(|text| Region { path: path(text), ..Region::default() }).collect();
    except.extend(set(not_methods).map(|set| Region { methods: Some(set), ..Region::default() }));
    except.extend(set(not_hosts).map(|set| Region { hosts: Some(set), ..Region::default() }));
    let paths: Vec<Path> =
        if paths.is_empty() { vec![Path::Any] } else { paths.iter().map(path).collect() };
    let regions = paths.into_iter().map(|path| (Region { path, ..base.clone() }, except.clone()));
    is_sayable.then(|| regions.collect())
}

/// A path as Istio writes it.
fn path_of(text: &str) -> Path {
    if text.contains("{*}") || text.contains("{**}") {
        return Path::Template(text.replace("{**}", "**").replace("{*}", "*"));
    }
    match (text.strip_prefix('*'), text.strip_suffix('*')) {
        (Some(""), _) => Path::Any,
        (_, Some(prefix)) => Path::Prefix(prefix.to_owned()),
        (Some(suffix), None) => Path::Suffix(suffix.to_owned()),
        (None, None) => Path::Exact(text.to_owned()),
    }
}
