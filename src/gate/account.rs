//! A decision as it is told to those who watch: operators, counters, later filters.

use std::fmt;

use super::{Accepted, Permit, Refusal, Trial};
use crate::policy::provider::Provider;
use crate::policy::rule::Rule;
use crate::rejection::Rejection;

/// What was decided, under which rule, and about whose token.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The rule, if one was found.
    pub rule: Option<&'a Rule>,
    /// Why the policy refuses the request; `None`: it does not.
    pub why: Option<&'a Rejection>,
    /// The tokens that were verified.
    pub accepted: &'a [Accepted<'a>],
    /// Whose token it is about: the first one that was verified, or else the one that failed.
    pub provider: Option<&'a Provider>,
    /// What a candidate policy says.
    pub trial: Option<&'a Trial<'a>>,
    /// Whether the request goes on.
    passed: bool,
}

impl<'a> Account<'a> {
    /// That the host could not do what was decided, and the request is refused for this.
    #[must_use]
    pub const fn overruled(self, why: &'a Rejection) -> Self {
        Self { why: Some(why), passed: false, ..self }
    }

    /// Whether the rule is on trial, and its verdict counts for nothing.
    pub fn is_shadow(&self) -> bool {
        self.passed && self.rule.is_some_and(|rule| rule.shadow)
    }

    /// Whether the request goes on.
    pub const fn passes(&self) -> bool {
        self.passed
    }

    /// The outcome in one word: that of the reason, or `ok`.
    pub fn outcome(&self) -> &'static str {
        self.why.map_or("ok", |why| why.answer().label)
    }

    /// The status of our answer; `None` when the request goes on.
    pub fn status(&self) -> Option<u16> {
        self.why.filter(|_| !self.passed).map(|why| why.answer().status)
    }

    /// How long the token lives from its issue to its end, in seconds.
    pub fn lifetime(&self) -> Option<u64> {
        let claims = self.accepted.first()?.token.claims();
        claims.exp?.checked_sub(claims.iat?)
    }
}

impl Permit<'_> {
    /// What is told of it.
    pub fn account(&self) -> Account<'_> {
        match &self.shadowed {
            Some(refusal) => {
                Account { passed: true, trial: self.trial.as_deref(), ..refusal.account() }
            }
            None => Account {
                rule: self.rule,
                why: None,
                accepted: &self.accepted,
                provider: self.accepted.first().map(|accepted| accepted.provider),
                trial: self.trial.as_deref(),
                passed: true,
            },
        }
    }
}

/// Reason and rule, for the log.
impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.rule.map_or("-", |rule| &rule.name);
        write!(f, "{} (rule {rule})", self.why)
    }
}

impl Refusal<'_> {
    /// What is told of it.
    pub fn account(&self) -> Account<'_> {
        let mut failures = self.findings.failures.iter().rev();
        let failed = failures.find(|failure| failure.why == self.why);
        let failed = failed.and_then(|failure| failure.provider);
        let provider = self.accepted.first().map(|accepted| accepted.provider).or(failed);
        let (rule, why) = (self.rule, Some(&self.why));
        let (accepted, trial) = (self.accepted.as_slice(), self.trial.as_deref());
        Account { rule, why, accepted, provider, trial, passed: false }
    }
}
