//! Rules: paths, hosts, what is asked.

use super::requirement::Compiler;
use super::{Named, absent, condition, matcher};
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{self, RouteMatch as RawMatch};
use crate::policy::rule::{HostMatch, PathMatch, RouteMatch, Rule};
use crate::policy::template::{Form, Template};
use crate::requirement::{Leaf, Requirement};

/// Compiles the rule at `at`, whose name is `name` where it has none of its own.
pub(super) fn rule(
    raw: &raw::Rule,
    name: String,
    at: &ConfigPath<'_>,
    compiler: &Compiler<'_>,
    named: &Named,
    faults: &mut Faults,
) -> Option<Rule> {
    let matcher = route(&raw.r#match, &at.key("match"), faults);
    let before = faults.len();
    let requires = requires(raw, compiler, named, at, faults);
    let has_tokens = faults.len() != before || requires.as_ref().is_some_and(asks_for_tokens);
    let before = faults.len();
    let path = matcher.as_ref().map(|matcher| &matcher.path);
    let mut compile = |raw: Option<&raw::Condition>, key: &str| {
        let raw = raw?;
        if !has_tokens {
            faults.add(&at.key(key), "needs `requires`: without a token there are no claims");
        }
        let context = condition::Context { names: compiler.names, path };
        condition::condition(raw, &context, &at.key(key), faults)
    };
    let deny = compile(raw.deny.as_ref(), "deny");
    let authorize = compile(raw.authorize.as_ref(), "authorize");
    if faults.len() != before {
        return None;
    }
    let name = raw.name.as_ref().map_or(name, |name| name.0.clone());
    let shadow = raw.enforcement == Some(raw::Enforcement::Shadow);
    Some(Rule { name: name.into(), matcher: matcher?, requires, deny, authorize, shadow })
}

fn asks_for_tokens(requirement: &Requirement) -> bool {
    requirement.leaves().iter().any(|leaf| !matches!(leaf, Leaf::Open))
}

fn requires(
    raw: &raw::Rule,
    compiler: &Compiler<'_>,
    named: &Named,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Requirement> {
    match (&raw.requires, &raw.requirement_name) {
        (Some(_), Some(_)) => faults.none(at, "must have only one of requires, requirement_name"),
        (Some(requires), None) => compiler.requirement(requires, &at.key("requires"), faults),
        (None, Some(name)) => match named.get(&name.0) {
            Some(requirement) => requirement.clone(),
            None => faults
                .none(&at.key("requirement_name"), absent("requirement", &name.0, named.keys())),
        },
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
    let mut hosts = Vec::new();
    for (i, name) in raw.hosts.iter().enumerate() {
        hosts.extend(host(&name.0, &at.key("hosts").index(i), faults));
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
        text: text(raw).into(),
        ignore_case: raw.case_sensitive == Some(false),
        methods: raw.methods.iter().map(|method| method.0.as_str().into()).collect(),
        hosts: hosts.into(),
        headers: headers.into(),
        query: query.into(),
    })
}

/// The path as it is written; of what is for `CONNECT`, that.
fn text(raw: &RawMatch) -> &str {
    let plain = raw.prefix.as_deref().or(raw.path.as_deref());
    let named = [&raw.path_separated_prefix, &raw.path_template].into_iter().flatten();
    let policy = raw.path_match_policy.as_ref().map(|policy| policy.typed_config.0.as_str());
    let regex = raw.safe_regex.as_ref().map(|regex| regex.0.as_str());
    let other = named.map(|text| text.0.as_str()).next().or(policy).or(regex);
    plain.or(other).unwrap_or("CONNECT")
}

/// A host, or `*.` and the domain whose hosts are meant. Ports are not compared.
pub(super) fn host(host: &str, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<HostMatch> {
    let (wild, name) = match host.strip_prefix("*.") {
        Some(domain) => (true, domain),
        None => (false, host),
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let is_address = !wild && name.starts_with('[') && name.ends_with(']');
    if !is_address && (name.is_empty() || name.starts_with('.') || !name.bytes().all(legal)) {
        return faults.none(
            at,
            format!("must be a host without a port, or `*.` and a domain; found `{host}`"),
        );
    }
    Some(if wild {
        HostMatch::Suffix(format!(".{name}").into())
    } else {
        HostMatch::Exact(name.into())
    })
}

/// A path that is compared must be in plain form: in another one it would never be the same for
/// every reading of a request's path.
fn plain(text: &str, at: &ConfigPath<'_>, faults: &mut Faults) {
    let dots = text.split('/').any(|segment| matches!(segment, "." | ".."));
    let odd = text.contains(['%', '\\', ';', '?', '#']) || text.contains("//") || dots;
    if odd || text.chars().any(char::is_control) {
        let message =
            "must be a plain path: no `%`, `\\`, `;`, `?`, `#`, `//`, `.` or `..` segment";
        faults.add(at, format!("{message}; found `{}`", text.escape_debug()));
    }
}

fn path(raw: &RawMatch, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<PathMatch> {
    let mut found = Vec::new();
    let texts = [
        ("prefix", raw.prefix.as_deref()),
        ("path", raw.path.as_deref()),
        ("path_separated_prefix", raw.path_separated_prefix.as_ref().map(|text| text.0.as_str())),
        ("path_template", raw.path_template.as_ref().map(|text| text.0.as_str())),
    ];
    for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text?))) {
        plain(text, &at.key(key), faults);
    }
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
        found.push(template(&text.0, Form::Own, &at.key("path_template"), faults));
    }
    if let Some(policy) = &raw.path_match_policy {
        let place = at.key("path_match_policy");
        let (place, text) = (place.key("typed_config"), &policy.typed_config.0);
        let place = place.key("path_template");
        plain(text, &place, faults);
        found.push(template(text, Form::Envoy, &place, faults));
    }
    let names = "prefix, path, safe_regex, path_separated_prefix, path_template, \
                 path_match_policy, connect_matcher";
    matcher::one(found, names, at, faults)?
}

fn separated_prefix(text: &str, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<PathMatch> {
    if text.ends_with('/') || !text.starts_with('/') {
        return faults.none(at, format!("must begin with `/` and not end with it; found `{text}`"));
    }
    Some(PathMatch::SeparatedPrefix(text.as_bytes().into()))
}

fn template(text: &str, form: Form, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<PathMatch> {
    match Template::compile(text, form) {
        Ok(template) => Some(PathMatch::Template(template)),
        Err(message) => faults.none(at, message),
    }
}
