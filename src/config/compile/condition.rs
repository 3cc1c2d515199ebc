//! Conditions: operators become tests, names are looked up.

use super::provider::{claim_path, header};
use super::{Names, matcher};
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{self, ClaimTest, Requires, Scalar};
use crate::config::read::Text;
use crate::effects::is_same_variable;
use crate::json::Value;
use crate::policy::condition::{self, Acr, Condition, Test};
use crate::policy::rule::PathMatch;

/// Where a condition stands.
pub(super) struct Context<'c> {
    /// What names mean.
    pub(super) names: &'c Names<'c>,
    /// The path of its rule, which may have variables.
    pub(super) path: Option<&'c PathMatch>,
}

/// Compiles a condition.
pub(super) fn condition(
    raw: &raw::Condition,
    context: &Context<'_>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Condition> {
    match raw {
        raw::Condition::Scopes(names) => {
            let spaced = names.names.iter().enumerate().filter(|(_, name)| name.0.contains(' '));
            for (i, Text(name)) in spaced {
                let message = format!("a scope has no space in it, found `{name}`; make it two");
                faults.add(&at.key("scopes").index(i), message);
            }
            Some(Condition::Scopes(named(names)))
        }
        raw::Condition::Roles(names) => Some(Condition::Roles(named(names))),
        raw::Condition::Permissions(names) => {
            if context.names.config.roles.is_empty() {
                let message = "needs the top-level `roles`, which say what a role may do";
                faults.add(&at.key("permissions"), message);
            }
            Some(Condition::Permissions(named(names)))
        }
        raw::Condition::Claim(claim) => {
            let test = test(claim, context, &at.key("claim"), faults)?;
            Some(Condition::Claim(claim_path(&claim.path), test))
        }
        raw::Condition::Acr(acr) => self::acr(acr, &at.key("acr"), faults),
        raw::Condition::TokenType(types) if types.is_empty() => {
            faults.none(&at.key("token_type"), "must name at least one")
        }
        raw::Condition::TokenType(types) => Some(Condition::TokenType(texts(types))),
        raw::Condition::AllOf(parts) => {
            parts_of(parts, context, &at.key("all_of"), faults).map(Condition::AllOf)
        }
        raw::Condition::AnyOf(parts) => {
            parts_of(parts, context, &at.key("any_of"), faults).map(Condition::AnyOf)
        }
        raw::Condition::Not(part) => {
            let part = condition(part, context, &at.key("not"), faults)?;
            Some(Condition::Not(Box::new(part)))
        }
    }
}

fn parts_of(
    parts: &[raw::Condition],
    context: &Context<'_>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Box<[Condition]>> {
    if parts.is_empty() {
        return faults.none(at, "must have at least one condition");
    }
    let compiled: Vec<_> = parts
        .iter()
        .enumerate()
        .map(|(i, part)| condition(part, context, &at.index(i), faults))
        .collect();
    compiled.into_iter().collect()
}

fn named(raw: &raw::Names) -> condition::Names {
    condition::Names { all: raw.all, names: texts(&raw.names) }
}

fn texts(list: &[Text]) -> Box<[Box<str>]> {
    list.iter().map(|text| text.0.as_str().into()).collect()
}

fn acr(raw: &raw::Acr, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Condition> {
    if raw.any_of.is_empty() && raw.max_age.is_none() {
        return faults.none(at, "must have any_of, max_age or both");
    }
    Some(Condition::Acr(Acr { any_of: texts(&raw.any_of), max_age: raw.max_age }))
}

const OPERATORS: &str = "equals, any_of, all_of, none_of, prefix, suffix, contains, safe_regex, \
                         present, at_least and at_most, equals_variable, equals_header";

fn test(
    raw: &ClaimTest,
    context: &Context<'_>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Test> {
    let mut found = Vec::new();
    found.extend(raw.equals.as_ref().map(|v| Test::AnyOf([value(v)].into())));
    found.extend(raw.any_of.as_ref().map(|list| Test::AnyOf(values(list))));
    found.extend(raw.all_of.as_ref().map(|list| Test::AllOf(values(list))));
    found.extend(raw.none_of.as_ref().map(|list| Test::NoneOf(values(list))));
    found.extend(raw.present.map(Test::Present));
    if raw.at_least.zip(raw.at_most).is_some_and(|(least, most)| least > most) {
        faults.add(at, "no number is at_least and at_most these");
    }
    if raw.at_least.is_some() || raw.at_most.is_some() {
        found.push(Test::Between(raw.at_least, raw.at_most));
    }
    if let Some(matcher) = raw.text_matcher() {
        found.push(Test::Text(matcher::text(&matcher, at, faults)?));
    }
    if let Some(name) = &raw.equals_variable {
        let known = |path: &PathMatch| match path {
            PathMatch::Template(template) => template.variables().any(|v| *v == name.0),
            PathMatch::Prefix(_)
            | PathMatch::Exact(_)
            | PathMatch::Regex(_)
            | PathMatch::SeparatedPrefix(_)
            | PathMatch::Connect => false,
        };
        if context.path.is_some_and(|path| !known(path)) {
            let message = format!("the rule's path_template has no variable `{}`", name.0);
            faults.add(&at.key("equals_variable"), message);
        }
        found.push(Test::Variable(name.0.as_str().into()));
    }
    if let Some(name) = &raw.equals_header {
        found.push(Test::Header(free_header(&name.0, context, &at.key("equals_header"), faults)?));
    }
    let empty = [&raw.any_of, &raw.all_of, &raw.none_of].into_iter().flatten().any(Vec::is_empty);
    if empty {
        faults.add(at, "must name at least one value");
    }
    matcher::one(found, OPERATORS, at, faults)
}

/// A header that the gate does not write itself: comparing with that would compare nothing.
fn free_header(
    name: &str,
    context: &Context<'_>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<crate::request::HeaderName> {
    let name = header(name, at, faults)?;
    if name.as_str() == "host" {
        return faults.none(at, "`host` is not compared; match the host by `match.hosts`");
    }
    let is = |other: &str| is_same_variable(name.as_str(), other);
    let config = context.names.config;
    let owned = config.providers.values().any(|provider| {
        provider.forward_payload_header.as_deref().is_some_and(is)
            || provider.claim_to_headers.iter().any(|entry| is(&entry.header_name.0))
    }) || config.requirements().flat_map(Requires::status_headers).any(is);
    if owned {
        return faults
            .none(at, format!("`{name}` is written by the gate; compare with another header"));
    }
    Some(name)
}

fn values(list: &[Scalar]) -> Box<[Value]> {
    list.iter().map(value).collect()
}

fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Text(text) => Value::String(text.as_str().into()),
        Scalar::Number(number) => Value::Number(*number),
        Scalar::Bool(b) => Value::Bool(*b),
    }
}
