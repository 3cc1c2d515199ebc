//! A candidate policy beside the one that counts: it judges the same requests, and decides nothing.

use std::fmt;

use super::{Account, Case, Decision, Gate, Judge, Lent, Moment, Permit, Refusal};
use crate::policy::rule::Rule;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::time::Timestamp;

/// How what the candidate says of a request compares with what counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Comparison {
    /// The same.
    Same,
    /// It would let through what is refused.
    Allows,
    /// It would refuse what is let through.
    Denies,
    /// It would refuse for another reason, or say something else to what is let through all the same.
    Differs,
    /// It cannot say, for lack of keys or of a list of revoked tokens.
    Undecided,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Same, Self::Allows, Self::Denies, Self::Differs, Self::Undecided];

    /// Its label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Allows => "allows",
            Self::Denies => "denies",
            Self::Differs => "differs",
            Self::Undecided => "undecided",
        }
    }
}

/// What the candidate says of a request.
#[derive(Debug)]
pub struct Trial<'g> {
    /// How it compares.
    pub comparison: Comparison,
    /// The candidate's rule, if it found one.
    pub rule: Option<&'g Rule>,
    /// Why it refuses; `None`: it does not.
    pub why: Option<Rejection>,
    /// Whether it would let the request through, perhaps under a rule on trial.
    pub passes: bool,
}

impl<'g> Trial<'g> {
    fn new(decision: Decision<'g>, counts: &Account<'_>) -> Self {
        let (rule, why, passes) = match decision {
            Decision::Allow(Permit { shadowed: Some(refusal), .. }) => {
                (refusal.rule, Some(refusal.why), true)
            }
            Decision::Allow(permit) => (permit.rule, None, true),
            Decision::Deny(refusal) => (refusal.rule, Some(refusal.why), false),
            // It may not wait, and so it does not.
            Decision::Wait(_) => (None, Some(Rejection::KeysUnavailable), false),
        };
        let outcome = outcome(why.as_ref());
        let lacks =
            matches!(why, Some(Rejection::KeysUnavailable | Rejection::RevocationsUnavailable));
        let comparison = match (counts.passes(), passes) {
            _ if lacks && outcome != counts.outcome() => Comparison::Undecided,
            (false, true) => Comparison::Allows,
            (true, false) => Comparison::Denies,
            (true, true) | (false, false) if outcome == counts.outcome() => Comparison::Same,
            (true, true) | (false, false) => Comparison::Differs,
        };
        Self { comparison, rule, why, passes }
    }

    /// Whether it is another decision than the one that counts.
    pub const fn differs(&self) -> bool {
        match self.comparison {
            Comparison::Allows | Comparison::Denies | Comparison::Differs => true,
            Comparison::Same | Comparison::Undecided => false,
        }
    }

    /// The outcome in one word.
    pub fn outcome(&self) -> &'static str {
        outcome(self.why.as_ref())
    }

    /// The status that it would answer with; `None` where the request would go on.
    pub fn status(&self) -> Option<u16> {
        self.why.as_ref().filter(|_| !self.passes).map(|why| why.answer().status)
    }
}

fn outcome(why: Option<&Rejection>) -> &'static str {
    why.map_or("ok", |why| why.answer().label)
}

/// For the log.
impl fmt::Display for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.passes { "would let through" } else { "would refuse" })?;
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        write!(f, " (rule {})", self.rule.map_or("-", |rule| &rule.name))
    }
}

impl Gate {
    /// The same decision, and beside it what the candidate policy says, if there is one. It asks
    /// for nothing and waits for nothing; `lent` has a cache of its own.
    pub fn beside<'g>(
        &'g self,
        now: Timestamp,
        view: &dyn RequestView,
        lent: Lent<'_>,
        decision: Decision<'g>,
    ) -> Decision<'g> {
        let Some(policy) = self.policy.candidate() else { return decision };
        let case = Case { moment: Moment { now, may_wait: false }, view, lent };
        let judge = Judge { gate: self, policy };
        let trial = |counts: Account<'_>| Some(Box::new(Trial::new(judge.check(case), &counts)));
        match decision {
            Decision::Allow(permit) => {
                let trial = trial(permit.account());
                Decision::Allow(Permit { trial, ..permit })
            }
            Decision::Deny(refusal) => {
                let trial = trial(refusal.account());
                Decision::Deny(Refusal { trial, ..refusal })
            }
            Decision::Wait(lack) => Decision::Wait(lack),
        }
    }
}
