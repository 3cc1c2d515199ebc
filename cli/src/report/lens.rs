//! The policy as far as a report needs it: what each rule asks for, and what each role may do.
//!
//! The core has compiled the same text before, so that shapes need not be checked again; what is
//! not understood here only makes a report say less.

mod condition;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use jwt_gate::policy::Policy;

use super::claims::Places;
pub(crate) use condition::{Condition, Held};
use jwt_gate::policy::roles::RoleTable;

/// A policy, read for a report.
#[derive(Debug)]
pub(crate) struct Lens {
    /// The text that it was read from.
    pub(crate) text: String,
    document: Value,
    /// Its rules, in their order.
    pub(crate) rules: Vec<RuleView>,
    /// Its roles, by name.
    pub(crate) roles: BTreeMap<String, RoleView>,
    table: RoleTable,
}

/// A rule of the policy.
#[derive(Debug, Default)]
pub(crate) struct RuleView {
    /// Its name, by which logs call it.
    pub(crate) name: String,
    /// Whether another rule has the same name.
    pub(crate) is_ambiguous: bool,
    /// Whether it is on trial.
    pub(crate) is_shadow: bool,
    /// Whether every request needs a token of one provider: no alternative without a token, and never two tokens.
    pub(crate) needs_one_token: bool,
    /// Whether it may ask for two tokens, whose claims a log has in one.
    pub(crate) may_have_two: bool,
    /// What authorizes, where something does.
    pub(crate) authorize: Option<Condition>,
    /// What refuses.
    pub(crate) deny: Option<Condition>,
    /// Its methods, in upper case; `None`: all.
    pub(crate) methods: Option<Vec<String>>,
    path: PathView,
}

/// Which paths a rule is for, roughly.
#[derive(Debug, Default)]
struct PathView {
    /// All its paths begin with this; in lower case.
    literal: String,
    /// There is only that one.
    is_whole: bool,
}

/// A role of the policy.
#[derive(Debug, Default)]
pub(crate) struct RoleView {
    /// Roles that it inherits from.
    pub(crate) inherits: Vec<String>,
    /// What it may do by itself.
    pub(crate) permissions: Vec<String>,
}

impl Lens {
    /// Reads a policy. The error is its faults, each with its place.
    pub(crate) fn read(text: String) -> Result<Self, Vec<String>> {
        Policy::from_json(text.as_bytes())
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let document: Value =
            serde_json::from_str(&text).map_err(|error| vec![format!("the policy: {error}")])?;
        let roles: BTreeMap<_, _> = members(member(&document, "roles"))
            .map(|(name, role)| {
                let inherits = texts(member(role, "inherits"));
                (
                    name.clone(),
                    RoleView { inherits, permissions: texts(member(role, "permissions")) },
                )
            })
            .collect();
        let definitions = roles.iter();
        let definitions = definitions
            .map(|(name, role)| (name.clone(), (role.inherits.clone(), role.permissions.clone())));
        let table = RoleTable::build(&definitions.collect()).unwrap_or_default();
        let rules = rules(&document);
        Ok(Self { text, document, rules, roles, table })
    }

    /// Where callers' names are, as the providers have it. A client is whoever the log calls so.
    pub(crate) fn places(&self) -> Places {
        let mut places = Places::default();
        let providers: Vec<&Value> =
            members(member(&self.document, "providers")).map(|(_, p)| p).collect();
        for (field, usual) in
            [("role_claims", &mut places.roles), ("scope_claims", &mut places.scopes)]
        {
            let mut found = BTreeSet::new();
            for provider in &providers {
                match member(provider, field).and_then(Value::as_array) {
                    Some(named) => found.extend(named.iter().filter_map(dotted)),
                    None => found.extend(usual.iter().cloned()),
                }
            }
            if !providers.is_empty() {
                *usual = found.into_iter().collect();
            }
        }
        places
    }

    /// The rule that logs call so, unless several are called so.
    pub(crate) fn rule(&self, name: &str) -> Option<&RuleView> {
        self.rules.iter().find(|rule| rule.name == name).filter(|rule| !rule.is_ambiguous)
    }

    /// Whether the log names every one of these claims.
    pub(crate) fn names_claims(&self, wanted: &[String]) -> bool {
        let claims = member(&self.document, "audit").and_then(|audit| member(audit, "claims"));
        let named: Vec<String> =
            claims.and_then(Value::as_array).into_iter().flatten().filter_map(dotted).collect();
        wanted.iter().all(|claim| named.contains(claim))
    }

    /// Whether what no rule names is refused.
    pub(crate) fn is_shut(&self) -> bool {
        member(&self.document, "default_action").is_none_or(|action| action == "deny")
    }

    /// Whether one of `held` may do `permission`.
    pub(crate) fn grants(&self, held: &[&str], permission: &str) -> bool {
        self.table.grants(held, permission)
    }

    /// The name of a member as the document at `path` writes it, in snake_case or in camelCase.
    pub(crate) fn spelling(&self, at: &[Step<'_>], name: &str) -> Option<String> {
        let mut value = &self.document;
        for step in at {
            value = match step {
                Step::Key(key) => value.get(key)?,
                Step::Index(index) => value.get(index)?,
            };
        }
        let object = value.as_object()?;
        [name.to_owned(), camel(name)].into_iter().find(|name| object.contains_key(name))
    }

    /// Providers without a bound on how long their tokens live.
    pub(crate) fn without_max_lifetime(&self) -> impl Iterator<Item = &str> {
        let providers = members(member(&self.document, "providers"));
        let open = providers.filter(|(_, provider)| member(provider, "max_lifetime").is_none());
        open.map(|(name, _)| name.as_str())
    }

    /// Whether requests that rule `at` no longer takes find nothing further down that might let
    /// them pass. `kept` are the methods that it still takes.
    pub(crate) fn is_last_word(&self, at: usize, kept: &[String]) -> bool {
        let Some(rule) = self.rules.get(at) else { return false };
        let later = self.rules.iter().skip(at.saturating_add(1));
        self.is_shut()
            && later.into_iter().all(|later| {
                let parted_by_methods = later.methods.as_ref().is_some_and(|theirs| {
                    theirs.iter().all(|method| {
                        kept.contains(method)
                            || rule.methods.as_ref().is_some_and(|ours| !ours.contains(method))
                    })
                });
                parted_by_methods || later.path.is_apart(&rule.path)
            })
    }
}

/// A step on the way to a place in a document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'n> {
    /// A member.
    Key(&'n str),
    /// An element.
    Index(usize),
}

impl PathView {
    /// Whether no path is both's.
    fn is_apart(&self, other: &Self) -> bool {
        let below = |path: &Self, of: &Self| path.literal.starts_with(&of.literal);
        !match (self.is_whole, other.is_whole) {
            (true, true) => self.literal == other.literal,
            (true, false) => below(self, other),
            (false, true) => below(other, self),
            (false, false) => below(self, other) || below(other, self),
        }
    }
}

fn rules(document: &Value) -> Vec<RuleView> {
    let listed = member(document, "rules").and_then(Value::as_array).into_iter().flatten();
    let mut rules: Vec<RuleView> =
        listed.enumerate().map(|(at, rule)| rule_view(document, at, rule)).collect();
    let mut seen = BTreeMap::<String, usize>::new();
    for rule in &rules {
        let times = seen.entry(rule.name.clone()).or_default();
        *times = times.saturating_add(1);
    }
    for rule in &mut rules {
        rule.is_ambiguous = seen.get(&rule.name).is_some_and(|times| *times > 1);
    }
    rules
}

fn rule_view(document: &Value, at: usize, rule: &Value) -> RuleView {
    let name = member(rule, "name").and_then(Value::as_str);
    let route = member(rule, "match");
    let requirement = match member(rule, "requirement_name").and_then(Value::as_str) {
        Some(name) => member(document, "requirement_map").and_then(|map| map.get(name)),
        None => member(rule, "requires"),
    };
    let methods = route.and_then(|route| member(route, "methods"));
    RuleView {
        name: name.map_or_else(|| at.to_string(), str::to_owned),
        is_shadow: member(rule, "enforcement").is_some_and(|word| word == "shadow"),
        needs_one_token: requirement.is_some_and(needs_one_token),
        may_have_two: requirement.is_some_and(may_have_two),
        authorize: member(rule, "authorize").map(Condition::read),
        deny: member(rule, "deny").map(Condition::read),
        methods: methods.map(|_| texts(methods)).filter(|methods| !methods.is_empty()),
        path: route.map(path_view).unwrap_or_default(),
        is_ambiguous: false,
    }
}

/// `requires_all`, at whatever depth.
fn may_have_two(requirement: &Value) -> bool {
    let inner = member(requirement, "requires_any").and_then(|any| member(any, "requirements"));
    member(requirement, "requires_all").is_some()
        || inner.and_then(Value::as_array).is_some_and(|parts| parts.iter().any(may_have_two))
}

/// One provider, or any of several.
fn needs_one_token(requirement: &Value) -> bool {
    if let Some(any) = member(requirement, "requires_any") {
        let parts = member(any, "requirements").and_then(Value::as_array);
        return parts.is_some_and(|parts| parts.iter().all(needs_one_token));
    }
    ["provider_name", "provider_and_audiences"]
        .iter()
        .any(|name| member(requirement, name).is_some())
}

fn path_view(route: &Value) -> PathView {
    let text = |name: &str| member(route, name).and_then(Value::as_str).map(str::to_lowercase);
    if let Some(literal) = text("path") {
        return PathView { literal, is_whole: true };
    }
    let template = text("path_template").map(|template| {
        let end = template.find(['{', '*']).unwrap_or(template.len());
        // `/files/**` is for `/files`, too.
        template.get(..end).unwrap_or_default().trim_end_matches('/').to_owned()
    });
    let literal = text("prefix").or_else(|| text("path_separated_prefix")).or(template);
    PathView { literal: literal.unwrap_or_default(), is_whole: false }
}

/// A member by its name in snake_case, which may be written in camelCase.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object: &Map<String, Value> = value.as_object()?;
    object.get(name).or_else(|| object.get(&camel(name))).filter(|value| !value.is_null())
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A claim's name, with dots where it is a list.
fn dotted(name: &Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name.clone()),
        Value::Array(_) => Some(texts(Some(name)).join(".")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
