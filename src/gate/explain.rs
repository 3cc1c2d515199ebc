//! Why a decision comes about. The steps are those of [`Gate::check`], each by the function that takes it there.

mod conditions;
mod rules;
mod tokens;

use super::{Case, Findings, Gate, Judge, Lent, Moment, is_preflight};
use crate::explain::{Node, text};
use crate::policy::condition::Truth;
use crate::policy::path::{Readings, Target};
use crate::policy::rule::Rule;
use crate::request::{Pseudo, RequestView};
use crate::requirement::Verdict;

/// A decision as a tree.
#[derive(Debug)]
pub struct Explanation<'g> {
    /// The rule that decides, and its place.
    pub rule: Option<(String, &'g Rule)>,
    /// Whether the request passes; undecided where it would be held for keys.
    pub tree: Node,
}

impl Gate {
    /// Why a request is decided on as it is: true in the tree is what [`Self::check`] allows.
    pub fn explain<'g>(
        &'g self,
        moment: Moment,
        view: &dyn RequestView,
        lent: Lent<'_>,
    ) -> Explanation<'g> {
        let decided = |rule, state, parts| {
            let tree = Node::new("the request passes", state).with(parts);
            Explanation { rule, tree }
        };
        if self.policy.bypass_cors_preflight && is_preflight(view) {
            let node = Node::new(
                "it is a preflight request, which `bypass_cors_preflight` lets pass",
                true,
            );
            return decided(None, Truth::True, vec![node]);
        }
        let path = view.pseudo(Pseudo::Path).unwrap_or_default();
        let target = Target::new(&path);
        let mut parts = vec![readings(target)];
        let (rule, liberal) = match self.policy.rule(view, target) {
            Ok(found) => found,
            Err(why) => {
                parts.extend(rules::search(&self.policy, view, target, None));
                parts.push(
                    Node::new("every reading of the path finds the same rule", false)
                        .found(why.to_string()),
                );
                return decided(None, Truth::False, parts);
            }
        };
        parts.extend(rules::search(&self.policy, view, target, rule));
        let Some(rule) = rule else {
            let open = self.policy.open_by_default;
            let action = Node::new("`default_action` lets it pass", open).found(if open {
                "allow"
            } else {
                "deny"
            });
            parts.push(action);
            return decided(None, open.into(), parts);
        };
        let moment = Moment { may_wait: moment.may_wait && !rule.shadow, ..moment };
        let judge = Judge { gate: self, policy: &self.policy };
        let (nodes, state) = judge.explain_rule(Case { moment, view, lent }, rule, &liberal);
        parts.extend(nodes);
        let at = self.policy.rules.iter().position(|other| std::ptr::eq(other, rule));
        let found = at.map(|at| (self.policy.place(at), rule));
        if rule.shadow {
            parts.push(Node::new("the rule is on trial, so that nothing is refused", true));
            return decided(found, Truth::True, parts);
        }
        decided(found, state, parts)
    }
}

impl<'g> Judge<'g> {
    /// What the rule asks, and whether all of it is fulfilled.
    fn explain_rule(self, case: Case<'_>, rule: &'g Rule, path: &[u8]) -> (Vec<Node>, Truth) {
        let mut nodes = Vec::new();
        if let Some(requirement) = &rule.requires {
            nodes.push(self.explain_requirement(case, requirement));
        } else {
            nodes.push(Node::new("the rule asks for no token", true));
        }
        let mut nothing = Findings::NONE;
        match self.authenticate(case, rule, &mut nothing) {
            Verdict::Refused(_) => (nodes, Truth::False),
            Verdict::Unknown(_) => (nodes, Truth::Undecided),
            Verdict::Valid(accepted) => {
                nodes.extend(self.explain_conditions(case, rule, path, &accepted));
                let now = case.moment.now;
                let authorized = self.authorize(now, case.view, rule, path, &accepted);
                (nodes, authorized.is_ok().into())
            }
        }
    }
}

/// How servers may read the path.
fn readings(target: Target<'_>) -> Node {
    let path = Node::note("path").found(text(target.path()));
    match target.readings() {
        Readings::Plain => path,
        Readings::Several(others) => {
            let others = others.iter().map(|other| Node::note("also read as").found(text(other)));
            path.with(others.collect())
        }
        Readings::Untold => path.with(vec![Node::note("read in too many ways to list")]),
    }
}

/// The state of a verdict.
const fn state<T>(verdict: &Verdict<T>) -> Truth {
    match verdict {
        Verdict::Valid(_) => Truth::True,
        Verdict::Refused(_) => Truth::False,
        Verdict::Unknown(_) => Truth::Undecided,
    }
}
