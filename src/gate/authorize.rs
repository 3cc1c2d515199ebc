//! What the caller may do: the rule's conditions over the verified claims.

use super::{Accepted, Judge};
use crate::policy::condition::{Acr, Condition, Facts, Granted, Subject, Truth};
use crate::policy::rule::Rule;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::time::Timestamp;

impl<'g> Judge<'g> {
    /// Only a `deny` that is false and an `authorize` that is true let a request through.
    pub(super) fn authorize(
        self,
        now: Timestamp,
        view: &dyn RequestView,
        rule: &Rule,
        path: &[u8],
        accepted: &[Accepted<'_>],
    ) -> Result<(), Rejection> {
        if rule.deny.is_none() && rule.authorize.is_none() {
            return Ok(());
        }
        if accepted.is_empty() {
            // A token could change the outcome, so the caller is asked for one.
            return Err(Rejection::Missing);
        }
        let variables = rule.matcher.variables(path);
        let facts = |token| Facts {
            subject: subject(token),
            variables: &variables,
            view,
            roles: &self.policy.roles,
            now,
            granted: Granted::default(),
        };
        // Every token must pass the `deny`, and one by itself the `authorize`.
        let is_denied = |deny: &Condition| {
            accepted.iter().any(|token| deny.holds(&facts(token)) != Truth::False)
        };
        if rule.deny.as_ref().is_some_and(is_denied) {
            return Err(Rejection::Denied);
        }
        let Some(condition) = &rule.authorize else { return Ok(()) };
        if accepted.iter().any(|token| condition.holds(&facts(token)) == Truth::True) {
            return Ok(());
        }
        let lacking = accepted.iter().map(|token| lacking(condition, &facts(token)));
        Err(lacking.reduce(Rejection::telling).unwrap_or(Rejection::Unauthorized))
    }
}

pub(super) fn subject<'a>(accepted: &'a Accepted<'_>) -> Subject<'a> {
    Subject {
        token: &accepted.token,
        scope_claims: &accepted.provider.scope_claims,
        role_claims: &accepted.provider.role_claims,
    }
}

/// What the caller could get to pass: scopes (RFC 6750), a better sign-in (RFC 9470), or nothing.
fn lacking(condition: &Condition, facts: &Facts<'_>) -> Rejection {
    let holds_with = |scopes, acr| {
        let granted = Granted { scopes, acr };
        condition.holds(&Facts { granted, ..*facts }) == Truth::True
    };
    if holds_with(true, false) {
        return needed_scopes(condition);
    }
    match condition.acr() {
        Some(acr) if holds_with(false, true) => step_up(acr),
        Some(_) if holds_with(true, true) => needed_scopes(condition),
        Some(_) | None => Rejection::Unauthorized,
    }
}

fn needed_scopes(condition: &Condition) -> Rejection {
    let mut scopes = Vec::new();
    condition.scopes(&mut scopes);
    Rejection::Scope(scopes.join(" ").into())
}

fn step_up(acr: &Acr) -> Rejection {
    Rejection::StepUp {
        acr_values: acr.any_of.join(" ").into(),
        max_age: acr.max_age.map(|age| age.as_secs()),
    }
}
