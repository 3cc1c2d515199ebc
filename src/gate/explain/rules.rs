//! Which rule is for the request, and why those before it are not.

use crate::explain::{Node, names, text};
use crate::policy::Policy;
use crate::policy::matcher::{FieldName, HeaderTest};
use crate::policy::path::Target;
use crate::policy::query::{Query, Reading};
use crate::policy::rule::{HostMatch, PathMatch, RouteMatch, Rule};
use crate::request::{Pseudo, RequestView};

/// The rules up to the one that is for the request.
pub(super) fn search(
    policy: &Policy,
    view: &dyn RequestView,
    target: Target<'_>,
    found: Option<&Rule>,
) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (at, rule) in policy.rules.iter().enumerate() {
        let is_for = rule.matcher.matches(view, target, target.path());
        let place = policy.place(at);
        if policy.ends.contains(&at) {
            if is_for {
                nodes.push(Node::new(format!("{place} has no rule for the request"), false));
                break;
            }
            continue;
        }
        let node = Node::new(format!("{place} `{}` is for the request", rule.name), is_for);
        nodes.push(node.with(parts(&rule.matcher, view, target)));
        if found.is_some_and(|found| std::ptr::eq(found, rule)) {
            break;
        }
    }
    nodes
}

/// What has to match, all of it.
fn parts(route: &RouteMatch, view: &dyn RequestView, target: Target<'_>) -> Vec<Node> {
    let shown = |pseudo| view.pseudo(pseudo).map_or("nothing".to_owned(), |value| text(&value));
    let is_path = route.is_path(view, target.path());
    let path = Node::new("path", is_path).expected(path(&route.path)).found(text(target.path()));
    let mut parts = vec![path];
    if !route.methods.is_empty() {
        let method = Node::new("method", route.is_method(view)).expected(names(&route.methods));
        parts.push(method.found(shown(Pseudo::Method)));
    }
    if !route.hosts.is_empty() {
        let hosts: Vec<_> = route.hosts.iter().map(host).collect();
        let host = Node::new("host", route.is_host(view)).expected(names(&hosts));
        parts.push(host.found(shown(Pseudo::Authority)));
    }
    for matcher in &route.query {
        let name = text(matcher.name());
        let holds = matcher.matches(&Query::new(target.query()), Reading::AsItCame);
        parts.push(Node::new(format!("query parameter `{name}`"), holds));
    }
    for matcher in &route.headers {
        let name = match &matcher.name {
            FieldName::Pseudo(pseudo) => pseudo.as_str(),
            FieldName::Header(name) => name.as_str(),
        };
        let expected = match &matcher.test {
            HeaderTest::Text(text) => text.describe(),
            HeaderTest::Range(start, end) => format!("from {start} to before {end}"),
            HeaderTest::Present(true) => "there".to_owned(),
            HeaderTest::Present(false) => "absent".to_owned(),
        };
        let expected = if matcher.invert { format!("not {expected}") } else { expected };
        parts.push(Node::new(format!("header `{name}`"), matcher.matches(view)).expected(expected));
    }
    parts
}

fn path(path: &PathMatch) -> String {
    match path {
        PathMatch::Prefix(prefix) => format!("begins with `{}`", text(prefix)),
        PathMatch::Exact(exact) => format!("is `{}`", text(exact)),
        PathMatch::Regex(pattern) => format!("matches `{}`", pattern.as_str()),
        PathMatch::SeparatedPrefix(prefix) => format!("is `{}` or below it", text(prefix)),
        PathMatch::Template(template) => {
            format!("fits the template that begins with `{}`", text(template.literal()))
        }
        PathMatch::Connect => "that of a CONNECT request".to_owned(),
    }
}

fn host(host: &HostMatch) -> String {
    match host {
        HostMatch::Exact(exact) => exact.to_string(),
        HostMatch::Suffix(suffix) => format!("*{suffix}"),
    }
}
