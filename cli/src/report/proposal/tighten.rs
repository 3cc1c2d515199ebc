//! What can be made tighter.

use super::super::edit::{add_member, remove, replace};
use super::super::lens::{Lens, RuleView, Step};
use super::super::tally::{Common, RuleTally, Tally};
use super::super::unused::Unused;
use super::super::words::{grouped, span};

/// Lifetimes that are proposed as a bound, in seconds.
const BOUNDS: [u64; 12] =
    [300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/// Seconds that the clock of an issuer may be ahead, so that a token seems to live longer.
const AHEAD: u64 = 300;

/// Scopes that say nothing about what a client may do (OpenID Connect Core, 5.4 and 11).
const SCOPES_OF_SIGN_IN: [&str; 6] =
    ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Permissions that a star is written out as, at most.
const WRITTEN_OUT: usize = 12;

/// A change to the policy's text.
#[derive(Debug)]
pub(super) struct Change {
    /// What it does, and what in the log speaks for it.
    pub(super) why: String,
    /// How.
    pub(super) edit: Edit,
}

/// How a text is changed. Rules are named by their index.
#[derive(Debug)]
pub(super) enum Edit {
    /// A role's permissions become these.
    Permissions { role: String, member: String, list: String },
    /// A member is added to a rule.
    RuleMember { rule: usize, within: Option<String>, name: &'static str, value: String },
    /// A member of a rule is removed.
    DropRuleMember { rule: usize, member: String },
    /// A rule is removed.
    DropRule(usize),
    /// A member is added to a provider.
    ProviderMember { provider: String, name: &'static str, value: String },
}

impl Edit {
    /// The text after it; `None` where it has no such place.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        let rules = Step::Key("rules");
        match self {
            Self::Permissions { role, member, list } => {
                replace(text, &[Step::Key("roles"), Step::Key(role), Step::Key(member)], list)
            }
            Self::RuleMember { rule, within, name, value } => {
                let mut path = vec![rules, Step::Index(*rule)];
                path.extend(within.as_deref().map(Step::Key));
                add_member(text, &path, name, value)
            }
            Self::DropRuleMember { rule, member } => {
                remove(text, &[rules, Step::Index(*rule)], Step::Key(member))
            }
            Self::DropRule(rule) => remove(text, &[rules], Step::Index(*rule)),
            Self::ProviderMember { provider, name, value } => {
                add_member(text, &[Step::Key("providers"), Step::Key(provider)], name, value)
            }
        }
    }
}

/// All changes, those that move rules last, and from the end on.
pub(super) fn changes(tally: &Tally, lens: &Lens, withheld: &mut Vec<String>) -> Vec<Change> {
    let unused = Unused::of(tally, lens);
    let mut changes = lifetimes(tally, lens);
    changes.extend(permissions(&unused, lens));
    for (at, rule) in lens.rules.iter().enumerate().filter(|(_, rule)| !rule.is_ambiguous) {
        if let Some(tally) = tally.rules.get(&rule.name) {
            changes.extend(enforced(at, rule, tally, lens));
            changes.extend(methods(at, rule, tally, lens, withheld));
            changes.extend(scopes(at, rule, tally, lens));
        }
    }
    changes.extend(rules(&unused, lens, withheld));
    withheld.extend(unused.untold);
    changes
}

fn lifetimes(tally: &Tally, lens: &Lens) -> Vec<Change> {
    let bounded = lens.without_max_lifetime().filter_map(|provider| {
        let tally = tally.providers.get(provider)?;
        let longest = tally.longest.filter(|_| tally.endless == 0)?;
        let bound = BOUNDS.into_iter().find(|bound| *bound > longest.saturating_add(AHEAD))?;
        Some(Change {
            why: format!(
                "providers.{provider}: no token that passed lived longer than {}; one of {} or more \
                 is refused",
                span(longest),
                span(bound)
            ),
            edit: Edit::ProviderMember {
                provider: provider.to_owned(),
                name: "max_lifetime",
                value: format!("\"{bound}s\""),
            },
        })
    });
    bounded.collect()
}

fn permissions(unused: &Unused, lens: &Lens) -> Vec<Change> {
    let seen = lens.roles.iter().filter(|(role, _)| !unused.roles.contains(role));
    let changed = seen.filter_map(|(role, view)| {
        let grants = unused.permissions.iter().filter(|grant| grant.role == *role);
        let spare: Vec<_> = grants.filter(|grant| grant.used.len() <= WRITTEN_OUT).collect();
        if spare.is_empty() {
            return None;
        }
        let mut kept = Vec::<&str>::new();
        for permission in &view.permissions {
            match spare.iter().find(|grant| grant.permission == *permission) {
                Some(grant) => kept.extend(grant.used.iter().map(String::as_str)),
                None => kept.push(permission),
            }
        }
        let mut once = Vec::new();
        kept.into_iter().for_each(|name| {
            if !once.contains(&name) {
                once.push(name)
            }
        });
        let gone: Vec<_> = spare.iter().map(|grant| format!("`{}`", grant.permission)).collect();
        let member = lens.spelling(&[Step::Key("roles"), Step::Key(role)], "permissions")?;
        Some(Change {
            why: format!("roles.{role}: nobody needed all of {}", gone.join(", ")),
            edit: Edit::Permissions { role: role.clone(), member, list: list(&once) },
        })
    });
    changed.collect()
}

fn enforced(at: usize, rule: &RuleView, tally: &RuleTally, lens: &Lens) -> Option<Change> {
    if !rule.is_shadow || tally.counts.spared > 0 || tally.counts.allowed == 0 {
        return None;
    }
    let member = lens.spelling(&[Step::Key("rules"), Step::Index(at)], "enforcement")?;
    Some(Change {
        why: format!(
            "rule `{}` is on trial and would have refused none of {} requests; it is enforced",
            rule.name,
            grouped(tally.counts.total())
        ),
        edit: Edit::DropRuleMember { rule: at, member },
    })
}

fn methods(
    at: usize,
    rule: &RuleView,
    tally: &RuleTally,
    lens: &Lens,
    withheld: &mut Vec<String>,
) -> Option<Change> {
    // A rule on trial lets all methods pass, whatever else it says.
    if rule.methods.is_some() || rule.is_shadow || tally.counts.allowed == 0 {
        return None;
    }
    let allowed = tally.methods.iter().filter(|(_, counts)| counts.allowed > 0);
    let mut used: Vec<String> = allowed.map(|(method, _)| method.to_string()).collect();
    // HEAD asks for less than GET (RFC 9110, 9.3.2).
    if used.iter().any(|method| method == "GET") && !used.iter().any(|method| method == "HEAD") {
        used.push("HEAD".to_owned());
    }
    used.sort_unstable();
    if used.iter().any(|method| method == "OTHER" || method.is_empty()) {
        return None;
    }
    let names: Vec<&str> = used.iter().map(String::as_str).collect();
    if !lens.is_last_word(at, &used) {
        withheld.push(format!(
            "rule `{}` is only used with {}; other methods might find another rule or pass",
            rule.name,
            names.join(", ")
        ));
        return None;
    }
    let within = lens.spelling(&[Step::Key("rules"), Step::Index(at)], "match")?;
    Some(Change {
        why: format!("rule `{}` is only used with {}", rule.name, names.join(", ")),
        edit: Edit::RuleMember {
            rule: at,
            within: Some(within),
            name: "methods",
            value: list(&names),
        },
    })
}

fn scopes(at: usize, rule: &RuleView, tally: &RuleTally, lens: &Lens) -> Option<Change> {
    let places = lens.places();
    let is_open = rule.needs_one_token && rule.authorize.is_none() && !rule.is_shadow;
    // A claim that the log does not have could still make the condition undecided.
    if !is_open || !lens.names_claims(&places.scopes) {
        return None;
    }
    let Common::Scopes(common) = &tally.common else { return None };
    let telling = common.iter().map(String::as_str);
    let telling: Vec<_> = telling.filter(|scope| !SCOPES_OF_SIGN_IN.contains(scope)).collect();
    if telling.is_empty() || telling.len() > WRITTEN_OUT {
        return None;
    }
    Some(Change {
        why: format!(
            "rule `{}` asks for a token only; all {} that passed have {}",
            rule.name,
            grouped(tally.counts.allowed),
            telling.join(", ")
        ),
        edit: Edit::RuleMember {
            rule: at,
            within: None,
            name: "authorize",
            value: format!("{{ \"scopes\": {} }}", list(&telling)),
        },
    })
}

fn rules(unused: &Unused, lens: &Lens, withheld: &mut Vec<String>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (at, rule) in lens.rules.iter().enumerate().rev() {
        if !unused.rules.contains(&rule.name) {
            continue;
        }
        if lens.is_last_word(at, &[]) {
            let why = format!("rule `{}` was never found; its requests are refused", rule.name);
            changes.push(Change { why, edit: Edit::DropRule(at) });
        } else {
            let why = format!(
                "rule `{}` was never found; without it its requests might find another rule or pass",
                rule.name
            );
            withheld.push(why);
        }
    }
    changes
}

/// A list of texts as JSON, on one line.
fn list(names: &[&str]) -> String {
    let quoted: Vec<_> =
        names.iter().map(|name| serde_json::Value::from(*name).to_string()).collect();
    format!("[{}]", quoted.join(", "))
}
