//! Rules: paths, hosts, what is asked.

use super::requirement::Compiler;
use super::{Names, absent, condition, matcher};
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{self, RouteMatch as RawMatch};
use crate::policy::provider::Provider;
use crate::policy::rule::{HostMatch, PathMatch, RouteMatch, Rule};
use crate::policy::template::Template;
use crate::requirement::Requirement;

/// Compiles the rule at `index`.
pub(super) fn rule(
    raw: &raw::Rule,
    index: usize,
    names: &Names<'_>,
    providers: &[Option<Provider>],
    faults: &mut Faults,
) -> Option<Rule> {
    let rules = ConfigPath::ROOT.key("rules");
    let at = rules.index(index);
    let matcher = route(&raw.r#match, &at.key("match"), faults);
    let compiler = Compiler { names, providers };
    let requires = requires(raw, &compiler, &at, faults);
    let before = faults.len();
    let mut compile = |raw: Option<&raw::Condition>, key: &str| {
        let context = condition::Context { names, path: matcher.as_ref().map(|m| &m.path) };
        raw.and_then(|raw| condition::condition(raw, &context, &at.key(key), faults))
    };
    let deny = compile(raw.deny.as_ref(), "deny");
    let authorize = compile(raw.authorize.as_ref(), "authorize");
    if requires.is_none() {
        for (key, there) in [("deny", raw.deny.is_some()), ("authorize", raw.authorize.is_some())] {
            if there && raw.requires.is_none() && raw.requirement_name.is_none() {
                faults.add(&at.key(key), "needs `requires`: without a token there are no claims");
            }
        }
    }
    if faults.len() != before {
        return None;
    }
    let name = raw.name.as_ref().map_or_else(|| index.to_string(), |name| name.0.clone());
    let shadow = raw.enforcement == Some(raw::Enforcement::Shadow);
    Some(Rule { name: name.into(), matcher: matcher?, requires, deny, authorize, shadow })
}

fn requires(
    raw: &raw::Rule,
    compiler: &Compiler<'_>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Requirement> {
    match (&raw.requires, &raw.requirement_name) {
        (Some(_), Some(_)) => faults.none(at, "must have only one of requires, requirement_name"),
        (Some(requires), None) => compiler.requirement(requires, &at.key("requires"), faults),
        (None, Some(name)) => {
            let map = &compiler.names.config.requirement_map;
            match map.get(&name.0) {
                Some(requires) => {
                    let place = ConfigPath::ROOT.key("requirement_map");
                    compiler.requirement(requires, &place.key(&name.0), faults)
                }
                None => faults
                    .none(&at.key("requirement_name"), absent("requirement", &name.0, map.keys())),
            }
        }
        (None, None) => None,
    }
}

fn route(raw: &RawMatch, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<RouteMatch> {
    let mut headers = Vec::new();
    for (i, header) in raw.headers.iter().enumerate() {
        headers.extend(matcher::header_matcher(header, &at.key("headers").index(i), faults));
    }
    let mut query = Vec::new();
    for (i, parameter) in raw.query_parameters.iter().enumerate() {
        query.extend(matcher::query_matcher(
            parameter,
            &at.key("query_parameters").index(i),
            faults,
        ));
    }
    for (i, method) in raw.methods.iter().enumerate() {
        if method.0.bytes().any(|b| !b.is_ascii_uppercase() && b != b'-') {
            let message = format!("methods are in upper case, found `{}`", method.0);
            faults.add(&at.key("methods").index(i), message);
        }
    }
    let path = path(raw, at, faults);
    Some(RouteMatch {
        path: path?,
        ignore_case: raw.case_sensitive == Some(false),
        methods: raw.methods.iter().map(|method| method.0.as_str().into()).collect(),
        hosts: raw.hosts.iter().map(|host| self::host(&host.0)).collect(),
        headers: headers.into(),
        query: query.into(),
    })
}

fn host(host: &str) -> HostMatch {
    match host.strip_prefix('*') {
        Some(suffix) => HostMatch::Suffix(suffix.into()),
        None => HostMatch::Exact(host.into()),
    }
}

fn path(raw: &RawMatch, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<PathMatch> {
    let mut found = Vec::new();
    let bytes = |text: &str| text.as_bytes().into();
    found.extend(raw.prefix.as_ref().map(|text| Some(PathMatch::Prefix(bytes(text)))));
    found.extend(raw.path.as_ref().map(|text| Some(PathMatch::Exact(bytes(text)))));
    found.extend(raw.connect_matcher.as_ref().map(|_| Some(PathMatch::Connect)));
    if let Some(regex) = &raw.safe_regex {
        let pattern = matcher::pattern(regex, &at.key("safe_regex"), faults);
        found.push(pattern.map(PathMatch::Regex));
    }
    if let Some(prefix) = &raw.path_separated_prefix {
        let place = at.key("path_separated_prefix");
        found.push(separated_prefix(&prefix.0, &place, faults));
    }
    if let Some(text) = &raw.path_template {
        found.push(template(&text.0, &at.key("path_template"), faults));
    }
    if let Some(policy) = &raw.path_match_policy {
        let place = at.key("path_match_policy");
        let place = place.key("typed_config");
        found.push(template(&policy.typed_config.0, &place.key("path_template"), faults));
    }
    let names = "prefix, path, safe_regex, path_separated_prefix, path_template, \
                 path_match_policy, connect_matcher";
    matcher::one(found, names, at, faults)?
}

fn separated_prefix(text: &str, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<PathMatch> {
    if text.ends_with('/') || text.contains(['?', '#']) || !text.starts_with('/') {
        return faults.none(
            at,
            format!("must begin with `/`, not end with it, and have no `?` or `#`; found `{text}`"),
        );
    }
    Some(PathMatch::SeparatedPrefix(text.as_bytes().into()))
}

fn template(text: &str, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<PathMatch> {
    match Template::compile(text) {
        Ok(template) => Some(PathMatch::Template(template)),
        Err(message) => faults.none(at, message),
    }
}
