//! The rule's conditions, for each token that was accepted.

use super::super::authorize::subject;
use super::super::{Accepted, Case, Judge};
use crate::explain::Node;
use crate::policy::condition::{Condition, Facts, Granted, Truth};
use crate::policy::rule::Rule;

impl Judge<'_> {
    /// Every condition over every token.
    pub(super) fn explain_conditions(
        self,
        case: Case<'_>,
        rule: &Rule,
        path: &[u8],
        accepted: &[Accepted<'_>],
    ) -> Vec<Node> {
        if rule.deny.is_none() && rule.authorize.is_none() {
            return Vec::new();
        }
        if accepted.is_empty() {
            let node = Node::new("a token for the conditions of the rule", false);
            return vec![node.found("no token")];
        }
        let variables = rule.matcher.variables(path);
        let of = |condition: &Condition| {
            let explain = |token| {
                let node = condition.explain(&Facts {
                    subject: subject(token),
                    variables: &variables,
                    view: case.view,
                    roles: &self.policy.roles,
                    now: case.moment.now,
                    granted: Granted::default(),
                });
                let provider = &token.provider.name;
                let what = format!("{}, by the token of `{provider}`", node.what);
                if accepted.len() > 1 { Node { what, ..node } } else { node }
            };
            accepted.iter().map(explain).collect::<Vec<_>>()
        };
        let mut nodes = Vec::new();
        if let Some(deny) = &rule.deny {
            let parts = of(deny);
            let passes = parts.iter().all(|part| part.state == Some(Truth::False));
            nodes.push(Node::new("`deny` is false", passes).with(parts));
        }
        if let Some(authorize) = &rule.authorize {
            let parts = of(authorize);
            let passes = parts.iter().any(|part| part.state == Some(Truth::True));
            nodes.push(Node::new("`authorize` is true", passes).with(parts));
        }
        nodes
    }
}
