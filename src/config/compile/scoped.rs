//! Rules for some hosts only, in front of those for all: what Higress makes of `matchRules`.

use super::requirement::Compiler;
use super::{Named, rule};
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::policy::rule::{HostMatch, PathMatch, RouteMatch, Rule};

/// The rules of a document in their order.
pub(super) struct Rules {
    /// All of them.
    pub(super) all: Vec<Rule>,
    /// Which of them only end the search, ascending.
    pub(super) ends: Vec<usize>,
    /// How many of them come before those of the member `rules`.
    pub(super) scoped: usize,
}

/// Compiles the rules. Those for some hosts end with one that ends the search: as in Higress, a
/// request for these hosts is never looked up among the rules for all.
pub(super) fn rules(compiler: &Compiler<'_>, named: &Named, faults: &mut Faults) -> Rules {
    let config = compiler.names.config;
    let (mut all, mut ends) = (Vec::new(), Vec::new());
    let place = ConfigPath::ROOT.key("_rules_");
    for (i, entry) in config._rules_.iter().enumerate() {
        let at = place.index(i);
        let hosts = hosts(entry, &at, faults);
        let place = at.key("rules");
        for (j, raw) in entry.rules.iter().enumerate() {
            let (at, name) = (place.index(j), format!("{i}-{j}"));
            if !raw.r#match.hosts.is_empty() {
                faults
                    .add(&at.key("match").key("hosts"), "must be left out: `domain` has the hosts");
            }
            if let Some(mut rule) = rule::rule(raw, name, &at, compiler, named, faults) {
                rule.matcher.hosts.clone_from(&hosts);
                all.push(rule);
            }
        }
        ends.push(all.len());
        all.push(end(at.to_string(), hosts));
    }
    let scoped = all.len();
    let place = ConfigPath::ROOT.key("rules");
    for (i, raw) in config.rules.iter().enumerate() {
        all.extend(rule::rule(raw, i.to_string(), &place.index(i), compiler, named, faults));
    }
    Rules { all, ends, scoped }
}

/// The hosts of an entry; none stands for all.
fn hosts(entry: &raw::Scoped, at: &ConfigPath<'_>, faults: &mut Faults) -> Box<[HostMatch]> {
    let place = at.key("_match_domain_");
    if entry._match_domain_.is_empty() {
        faults.add(&place, "must name the hosts that the rules are for");
    }
    if entry._match_domain_.iter().any(|domain| domain.0 == "*") {
        return Box::default();
    }
    let each = entry._match_domain_.iter().enumerate();
    each.filter_map(|(i, domain)| rule::host(&domain.0, &place.index(i), faults)).collect()
}

/// What every request for these hosts falls under.
fn end(name: String, hosts: Box<[HostMatch]>) -> Rule {
    let matcher = RouteMatch {
        path: PathMatch::Prefix(Box::default()),
        text: Box::default(),
        ignore_case: false,
        methods: Box::default(),
        hosts,
        headers: Box::default(),
        query: Box::default(),
    };
    let name = name.into();
    Rule { name, matcher, requires: None, deny: None, authorize: None, shadow: false }
}
