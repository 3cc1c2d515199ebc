//! Rules: which requests they are for, and what they ask.

use std::borrow::Cow;

use crate::policy::condition::Condition;
use crate::policy::matcher::{HeaderMatcher, Pattern};
use crate::policy::path::{Target, percent_decode};
use crate::policy::query::{Query, QueryMatcher, Reading};
use crate::policy::template::{Template, Variables, same, strip_prefix};
use crate::request::{Pseudo, RequestView};
use crate::requirement::Requirement;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name that metrics and logs know it by.
    pub name: Box<str>,
    /// Which requests it is for.
    pub matcher: RouteMatch,
    /// Whose tokens it asks for; `None`: the rule is open to all.
    pub requires: Option<Requirement>,
    /// Refuses when it holds, looked at before `authorize`.
    pub deny: Option<Condition>,
    /// Must hold.
    pub authorize: Option<Condition>,
    /// Whether the verdict is only counted and logged.
    pub shadow: bool,
}

/// Which requests a rule is for: all of its parts must match.
#[derive(Clone, Debug)]
pub struct RouteMatch {
    /// The path.
    pub path: PathMatch,
    /// The path as the configuration has it.
    pub text: Box<str>,
    /// Whether letters of either case are the same in `path`.
    pub ignore_case: bool,
    /// Methods; empty: any. Methods are case-sensitive (RFC 9110, 9.1), but some servers take
    /// `delete` for `DELETE`, and so do we: a rule must not be got round by that.
    pub methods: Box<[Box<str>]>,
    /// Hosts; empty: any.
    pub hosts: Box<[HostMatch]>,
    /// Headers.
    pub headers: Box<[HeaderMatcher]>,
    /// Query parameters.
    pub query: Box<[QueryMatcher]>,
}

/// Which paths.
#[derive(Clone, Debug)]
pub enum PathMatch {
    /// Those that begin so.
    Prefix(Box<[u8]>),
    /// This one.
    Exact(Box<[u8]>),
    /// Those that match as a whole.
    Regex(Pattern),
    /// This one and all below it.
    SeparatedPrefix(Box<[u8]>),
    /// Those that fit the template.
    Template(Template),
    /// Those of `CONNECT` requests.
    Connect,
}

/// Which hosts. Ports are not compared, and letters have no case (RFC 9110, section 4.2.3).
#[derive(Clone, Debug)]
pub enum HostMatch {
    /// This one.
    Exact(Box<str>),
    /// Those that end so; from `*.example.org` comes `.example.org`.
    Suffix(Box<str>),
}

impl Rule {
    /// Whether every reading of the path gives the variables that the rule compares the same
    /// values, escapes aside: otherwise the caller would choose whose they are.
    pub fn has_one_meaning(&self, path: &[u8], readings: &[Cow<'_, [u8]>]) -> bool {
        let conditions = [&self.deny, &self.authorize];
        if !conditions.into_iter().flatten().any(Condition::uses_variables) {
            return true;
        }
        let values = |path: &[u8]| {
            let variables = self.matcher.variables(path);
            variables.into_iter().map(|(_, value)| percent_decode(value)).collect::<Vec<_>>()
        };
        let expected = values(path);
        readings.iter().all(|reading| values(reading) == expected)
    }
}

impl RouteMatch {
    /// Whether the rule is for this request, its path being `path`.
    pub fn matches(&self, view: &dyn RequestView, target: Target<'_>, path: &[u8]) -> bool {
        let query = Query::new(target.query());
        self.matches_but_query(view, path) && self.is_query(&query, Reading::AsItCame)
    }

    /// The same, whatever the query.
    pub fn matches_but_query(&self, view: &dyn RequestView, path: &[u8]) -> bool {
        self.is_path(view, path)
            && self.is_method(view)
            && self.is_host(view)
            && self.headers.iter().all(|matcher| matcher.matches(view))
    }

    /// Whether the query, read so, is one that the rule is for.
    pub fn is_query(&self, query: &Query<'_>, reading: Reading) -> bool {
        self.query.iter().all(|matcher| matcher.matches(query, reading))
    }

    /// The variables of `path`, which the rule has matched.
    pub fn variables<'p>(&self, path: &'p [u8]) -> Variables<'_, 'p> {
        match &self.path {
            PathMatch::Template(template) => {
                template.matches(path, self.ignore_case).unwrap_or_default()
            }
            PathMatch::Prefix(_)
            | PathMatch::Exact(_)
            | PathMatch::Regex(_)
            | PathMatch::SeparatedPrefix(_)
            | PathMatch::Connect => Variables::new(),
        }
    }

    pub(crate) fn is_path(&self, view: &dyn RequestView, path: &[u8]) -> bool {
        match &self.path {
            PathMatch::Prefix(prefix) => strip_prefix(path, prefix, self.ignore_case).is_some(),
            PathMatch::Exact(exact) => same(path, exact, self.ignore_case),
            PathMatch::Regex(pattern) => pattern.matches(path),
            PathMatch::SeparatedPrefix(prefix) => {
                let rest = strip_prefix(path, prefix, self.ignore_case);
                rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
            }
            PathMatch::Template(template) => template.matches(path, self.ignore_case).is_some(),
            PathMatch::Connect => view.pseudo(Pseudo::Method).is_some_and(|m| *m == *b"CONNECT"),
        }
    }

    pub(crate) fn is_method(&self, view: &dyn RequestView) -> bool {
        self.methods.is_empty()
            || view.pseudo(Pseudo::Method).is_some_and(|method| {
                self.methods.iter().any(|m| method.eq_ignore_ascii_case(m.as_bytes()))
            })
    }

    pub(crate) fn is_host(&self, view: &dyn RequestView) -> bool {
        if self.hosts.is_empty() {
            return true;
        }
        let Some(authority) = view.pseudo(Pseudo::Authority) else { return false };
        let host = without_port(&authority);
        self.hosts.iter().any(|matcher| match matcher {
            HostMatch::Exact(exact) => host.eq_ignore_ascii_case(exact.as_bytes()),
            HostMatch::Suffix(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .filter(|at| *at > 0)
                .and_then(|at| host.get(at..))
                .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix.as_bytes())),
        })
    }
}

/// The host of an authority, without the port and without the root's dot.
fn without_port(authority: &[u8]) -> &[u8] {
    let host = match authority.iter().rposition(|b| *b == b':') {
        Some(at)
            if authority.get(at..).is_some_and(|p| p.iter().skip(1).all(u8::is_ascii_digit)) =>
        {
            authority.get(..at).unwrap_or_default()
        }
        Some(_) | None => authority,
    };
    host.strip_suffix(b".").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: PathMatch) -> RouteMatch {
        RouteMatch {
            path,
            text: Box::default(),
            ignore_case: false,
            methods: Box::default(),
            hosts: Box::default(),
            headers: Box::default(),
            query: Box::default(),
        }
    }

    fn is(route: &RouteMatch, request: &[(&str, &str)], path: &str) -> bool {
        route.matches(&request, Target::new(path.as_bytes()), path.as_bytes())
    }

    #[test]
    fn paths_match_as_each_kind_says() {
        let b = |s: &str| s.as_bytes().into();
        let cases = [
            (PathMatch::Prefix(b("/match")), vec!["/match", "/matching"], vec!["/matc", "/MATCH"]),
            (PathMatch::Exact(b("/match")), vec!["/match"], vec!["/match/", "/matching"]),
            (
                PathMatch::SeparatedPrefix(b("/rest/api")),
                vec!["/rest/api", "/rest/api/x"],
                vec!["/rest/apithing", "/rest"],
            ),
            (
                PathMatch::Regex(Pattern::compile("/[^c][au]t").unwrap()),
                vec!["/but", "/mat"],
                vec!["/cut", "/maut", "/mut/"],
            ),
        ];
        for (path, yes, no) in cases {
            let route = route(path);
            assert!(yes.iter().all(|p| is(&route, &[], p)), "{route:?}");
            assert!(!no.iter().any(|p| is(&route, &[], p)), "{route:?}");
        }
    }

    #[test]
    fn a_connect_request_has_no_path_and_its_own_matcher() {
        let connect: &[_] = &[(":method", "CONNECT"), (":authority", "api.example:443")];
        let get: &[_] = &[(":method", "GET"), (":authority", "api.example")];
        let own = route(PathMatch::Connect);
        assert!(is(&own, connect, ""));
        assert!(!is(&own, get, "/"));
        assert!(!is(&route(PathMatch::Regex(Pattern::compile("/.*").unwrap())), connect, ""));
        assert!(!is(&route(PathMatch::Exact(b"/".as_slice().into())), connect, ""));
    }

    #[test]
    fn hosts_are_compared_without_case_and_port() {
        let mut route = route(PathMatch::Prefix(b"/".as_slice().into()));
        route.hosts =
            [HostMatch::Exact("api.example".into()), HostMatch::Suffix(".example.org".into())]
                .into();
        let cases = [
            ("api.example", true),
            ("API.example:8443", true),
            ("api.example.", true),
            ("a.example.org", true),
            ("a.b.EXAMPLE.org:1", true),
            (".example.org", false),
            ("example.org", false),
            ("api.example.evil", false),
            ("evilapi.example", false),
        ];
        for (host, expected) in cases {
            assert_eq!(is(&route, &[(":authority", host)], "/"), expected, "{host}");
        }
    }
}
