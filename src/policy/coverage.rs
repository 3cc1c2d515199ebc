//! Rules that can never match, because an earlier one takes all their requests.

use crate::policy::index::{RuleIndex, literal};
use crate::policy::rule::{HostMatch, PathMatch, RouteMatch, Rule};

/// The places of rules that are covered, each with the earlier rule that covers it. What cannot be said for
/// sure (regular expressions, header conditions) is not reported.
pub fn covered<'p>(rules: &'p [Rule], index: &RuleIndex) -> Vec<(usize, &'p Rule)> {
    let cover = |(i, rule): (usize, &'p Rule)| {
        let earlier = index.candidates(literal(&rule.matcher.path));
        let mut earlier = earlier.take_while(|at| *at < i).filter_map(|at| rules.get(at));
        Some((i, earlier.find(|earlier| takes_all(&earlier.matcher, &rule.matcher))?))
    };
    rules.iter().enumerate().filter_map(cover).collect()
}

/// Whether every request that is for `later` is for `earlier`, too.
fn takes_all(earlier: &RouteMatch, later: &RouteMatch) -> bool {
    earlier.headers.is_empty()
        && earlier.query.is_empty()
        && (earlier.methods.is_empty()
            || !later.methods.is_empty()
                && later.methods.iter().all(|method| earlier.methods.contains(method)))
        && (earlier.hosts.is_empty()
            || !later.hosts.is_empty()
                && later.hosts.iter().all(|host| earlier.hosts.iter().any(|e| same_host(e, host))))
        && (earlier.ignore_case || !later.ignore_case)
        && takes_path(earlier, &later.path)
}

fn same_host(a: &HostMatch, b: &HostMatch) -> bool {
    match (a, b) {
        (HostMatch::Exact(a), HostMatch::Exact(b))
        | (HostMatch::Suffix(a), HostMatch::Suffix(b)) => a.eq_ignore_ascii_case(b),
        (HostMatch::Exact(_), HostMatch::Suffix(_))
        | (HostMatch::Suffix(_), HostMatch::Exact(_)) => false,
    }
}

fn takes_path(earlier: &RouteMatch, later: &PathMatch) -> bool {
    if matches!(later, PathMatch::Connect | PathMatch::Regex(_)) {
        // Only what takes every path takes these.
        return matches!(&earlier.path, PathMatch::Prefix(prefix) if prefix.is_empty());
    }
    let text = literal(later);
    let rest = |prefix: &[u8]| {
        let (head, rest) = text.split_at_checked(prefix.len())?;
        let same =
            if earlier.ignore_case { head.eq_ignore_ascii_case(prefix) } else { head == prefix };
        same.then_some(rest)
    };
    match &earlier.path {
        PathMatch::Prefix(prefix) => rest(prefix).is_some(),
        PathMatch::Exact(exact) => {
            matches!(later, PathMatch::Exact(_)) && rest(exact).is_some_and(<[u8]>::is_empty)
        }
        PathMatch::SeparatedPrefix(prefix) => match (rest(prefix), later) {
            (Some([]), PathMatch::Exact(_) | PathMatch::SeparatedPrefix(_)) => true,
            (Some([b'/', ..]), _) => true,
            (Some(_) | None, _) => false,
        },
        PathMatch::Template(_) | PathMatch::Regex(_) | PathMatch::Connect => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    fn warnings(matches: &[&str]) -> Vec<String> {
        let rules: Vec<_> = matches.iter().map(|m| format!(r#"{{"match": {m}}}"#)).collect();
        let document = format!(r#"{{"rules": [{}]}}"#, rules.join(","));
        let policy = Policy::from_json(document.as_bytes()).unwrap();
        policy.warnings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_rule_behind_one_that_takes_all_of_it_is_reported() {
        let covers = [
            (r#"{"prefix": "/"}"#, r#"{"path": "/a"}"#),
            (r#"{"prefix": "/a"}"#, r#"{"prefix": "/ab"}"#),
            (r#"{"path": "/a"}"#, r#"{"path": "/a"}"#),
            (r#"{"path_separated_prefix": "/a"}"#, r#"{"path_template": "/a/{x}"}"#),
            (r#"{"path_separated_prefix": "/a"}"#, r#"{"path": "/a"}"#),
            (
                r#"{"prefix": "/", "methods": ["GET", "PUT"]}"#,
                r#"{"prefix": "/", "methods": ["GET"]}"#,
            ),
            (r#"{"prefix": "/A", "case_sensitive": false}"#, r#"{"prefix": "/a/b"}"#),
            (r#"{"prefix": "/", "hosts": ["a"]}"#, r#"{"path": "/x", "hosts": ["A"]}"#),
        ];
        for (first, second) in covers {
            let expected = "rules[1]: never matches, because rule `0` takes all its requests";
            assert_eq!(warnings(&[first, second]), [expected], "{first} {second}");
        }
    }

    #[test]
    fn a_rule_with_something_left_for_it_is_not_reported() {
        let leaves = [
            (r#"{"path": "/a"}"#, r#"{"prefix": "/a"}"#),
            (r#"{"path_separated_prefix": "/a"}"#, r#"{"prefix": "/a"}"#),
            (r#"{"path_separated_prefix": "/a"}"#, r#"{"prefix": "/ab"}"#),
            (r#"{"prefix": "/", "methods": ["GET"]}"#, r#"{"prefix": "/"}"#),
            (r#"{"prefix": "/", "hosts": ["a"]}"#, r#"{"prefix": "/"}"#),
            (r#"{"prefix": "/", "headers": [{"name": "x"}]}"#, r#"{"prefix": "/"}"#),
            (r#"{"prefix": "/a"}"#, r#"{"prefix": "/A", "case_sensitive": false}"#),
            (r#"{"prefix": "/a"}"#, r#"{"safe_regex": "/a.*"}"#),
            (r#"{"path_template": "/a/{x}"}"#, r#"{"path": "/a/b"}"#),
        ];
        for (first, second) in leaves {
            assert_eq!(warnings(&[first, second]), [""; 0], "{first} {second}");
        }
    }
}
