//! What is counted and shown, and its names in the proxy: `jwt_gate.<family>`, then parts free of
//! dots, so that a pattern can tell them apart, and at last the policy's own prefix, which may have
//! dots.
//!
//! How many metrics there are depends on the configuration alone, whatever the traffic.

use crate::cache::Tally;
use crate::gate::{Account, Comparison};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::remote::Remote;
use crate::remote::fetch::FetchError;

/// A counter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Counter {
    /// Requests, by what their rule says to them.
    Requests {
        /// The rule's place in the policy; `None`: no rule was found.
        rule: Option<usize>,
        /// Whether it is on trial, and the request went on whatever it says.
        shadow: bool,
        /// Whether it refuses.
        denied: bool,
    },
    /// Requests, by whose token it was about and what came of it.
    Outcomes {
        /// The provider's place in the policy; `None`: no token, or nobody's.
        provider: Option<usize>,
        /// The label of the reason, or `ok`.
        outcome: &'static str,
    },
    /// Tokens whose signature had been checked before.
    CacheHit,
    /// Tokens whose signature had to be checked, where such are remembered.
    CacheMiss,
    /// Requests that were held for keys.
    Held,
    /// Requests on which a candidate policy was tried out, by what came of that.
    Candidate(Comparison),
}

impl Counter {
    /// What counts a request that could not be judged.
    pub fn undecided() -> [Self; 2] {
        let outcome = Rejection::Misconfigured.answer().label;
        [
            Self::Requests { rule: None, shadow: false, denied: true },
            Self::Outcomes { provider: None, outcome },
        ]
    }

    /// What counts a decision.
    pub fn of(policy: &Policy, account: &Account<'_>) -> impl Iterator<Item = Self> + use<> {
        let (shadow, denied) = (account.is_shadow(), account.why.is_some());
        let rule = account.rule.and_then(|rule| policy.place_of_rule(rule));
        let provider = account.provider.and_then(|provider| policy.place_of_provider(provider));
        let outcome = account.outcome();
        let candidate = account.trial.map(|trial| Self::Candidate(trial.comparison));
        [Self::Requests { rule, shadow, denied }, Self::Outcomes { provider, outcome }]
            .into_iter()
            .chain(candidate)
    }

    /// Counters that every policy has.
    pub const FIXED: [Self; 3] = [Self::CacheHit, Self::CacheMiss, Self::Held];

    /// Every counter of a policy.
    pub fn all(policy: &Policy) -> impl Iterator<Item = Self> {
        let rules = policy.rules.iter().enumerate().map(|(at, rule)| (Some(at), rule.shadow));
        let requests = rules.chain([(None, false)]).flat_map(|(rule, shadow)| {
            [false, true].map(|denied| Self::Requests { rule, shadow, denied })
        });
        let providers = (0..policy.providers.len()).map(Some).chain([None]);
        let outcomes = providers.flat_map(|provider| {
            let outcomes = Rejection::LABELS.into_iter().chain(["ok"]);
            outcomes.map(move |outcome| Self::Outcomes { provider, outcome })
        });
        let candidate = policy.candidate().into_iter();
        let candidate = candidate.flat_map(|_| Comparison::ALL.map(Self::Candidate));
        requests.chain(outcomes).chain(Self::FIXED).chain(candidate)
    }

    /// Its name in the proxy.
    pub fn name(self, policy: &Policy) -> String {
        let name = match self {
            Self::Requests { rule, shadow, denied } => {
                let rule = rule.and_then(|at| policy.rules.get(at)).map(|rule| &*rule.name);
                let enforcement = if shadow { "shadow" } else { "enforce" };
                let decision = if denied { "deny" } else { "allow" };
                format!("requests.{}.{enforcement}.{decision}", part(rule))
            }
            Self::Outcomes { provider, outcome } => {
                let provider = provider.and_then(|at| policy.providers.get(at));
                format!("outcomes.{}.{outcome}", part(provider.map(|provider| &*provider.name)))
            }
            Self::CacheHit => "token_cache.hit".to_owned(),
            Self::CacheMiss => "token_cache.miss".to_owned(),
            Self::Held => "held".to_owned(),
            Self::Candidate(comparison) => format!("candidate.{}", comparison.label()),
        };
        prefixed(&name, policy)
    }
}

/// What a decision had to do about signatures, by which the times of decisions are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effort {
    /// There was none to look at.
    None,
    /// All had been checked before.
    Cached,
    /// One had to be checked.
    Checked,
}

impl Effort {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Cached, Self::Checked];

    /// That of a decision about which the cache has counted so.
    pub const fn of(account: &Account<'_>, tally: Tally) -> Self {
        match tally {
            Tally { misses: 1.., .. } => Self::Checked,
            Tally { hits: 1.., .. } => Self::Cached,
            Tally { .. } if account.accepted.is_empty() => Self::None,
            // Nothing is remembered.
            Tally { .. } => Self::Checked,
        }
    }

    /// The name of the histogram of such decisions' times.
    pub fn name(self, policy: &Policy) -> String {
        let signature = match self {
            Self::None => "none",
            Self::Cached => "cached",
            Self::Checked => "checked",
        };
        prefixed(&format!("decision_microseconds.{signature}"), policy)
    }
}

/// Of so many decisions one is timed: to read the clock and to record cost two hostcalls. It is a
/// prime, so that no rhythm of the traffic hides a kind of request.
pub const TIMED_OF: u32 = 17;

/// How a fetch ended, as it is counted for each remote document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// With a document.
    Success,
    /// With a status that is not 200.
    Status,
    /// Without a complete answer.
    NoAnswer,
    /// With too large a body.
    TooLarge,
    /// With a body that is no such document.
    NotADocument,
    /// Before it began: the proxy did not send the request.
    NotSent,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Status,
        Self::NoAnswer,
        Self::TooLarge,
        Self::NotADocument,
        Self::NotSent,
    ];

    /// The outcome of a fetch that failed so.
    pub const fn of(why: &FetchError) -> Self {
        match why {
            FetchError::NotSent { .. } => Self::NotSent,
            FetchError::NoAnswer => Self::NoAnswer,
            FetchError::Status(_) => Self::Status,
            FetchError::TooLarge { .. } => Self::TooLarge,
            FetchError::NotADocument(_) => Self::NotADocument,
        }
    }

    /// The name of its counter in the proxy.
    pub fn name(self, remote: &Remote) -> String {
        let outcome = match self {
            Self::Success => "success",
            Self::Status => "status",
            Self::NoAnswer => "no_answer",
            Self::TooLarge => "too_large",
            Self::NotADocument => "not_a_document",
            Self::NotSent => "not_sent",
        };
        name("fetches", remote, outcome)
    }
}

/// How a remote document stands, as the gauges of its source show it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// When it was fetched, in Unix seconds; 0: there is none that is served.
    pub fetched_at: u64,
    /// How many entries of it are used: keys of a key set.
    pub entries: u64,
    /// 1 while it is served although it should have been fetched again by now.
    pub stale: u64,
}

impl Health {
    /// The gauges: names in the proxy and values.
    pub fn gauges(self, remote: &Remote) -> [(String, u64); 3] {
        let Self { fetched_at, entries, stale } = self;
        let gauge = |what, value| (name("documents", remote, what), value);
        [gauge("fetched_at_seconds", fetched_at), gauge("entries", entries), gauge("stale", stale)]
    }
}

/// `jwt_gate.<family>.<provider>.<kind>.<what>`
fn name(family: &str, remote: &Remote, what: &str) -> String {
    let (provider, kind) = (part(Some(&remote.provider)), remote.kind.name());
    format!("jwt_gate.{family}.{provider}.{kind}.{what}")
}

fn prefixed(name: &str, policy: &Policy) -> String {
    match policy.stat_prefix() {
        Some(prefix) => format!("jwt_gate.{name}.{prefix}"),
        None => format!("jwt_gate.{name}"),
    }
}

/// A name of the configuration as a part of a metric's name; `-`: there is none.
fn part(name: Option<&str>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    // NGINX bounds the length of names.
    name.unwrap_or("-").chars().take(64).map(plain).collect()
}
