//! What a report says, ready to be shown in any form.

mod build;

use serde::Serialize;

pub(crate) use build::summarize;

use super::findings::Finding;
use super::proposal::Proposed;
use super::tally::Counts;
use super::unused::Unused;
use super::words::{grouped, printable};

/// A report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Lines that were read.
    pub(crate) lines: Lines,
    /// Time of the first step, in RFC 3339.
    pub(crate) from: Option<String>,
    /// Time of the end of the last step.
    pub(crate) until: Option<String>,
    /// All requests.
    pub(crate) requests: Numbers,
    /// Requests over time.
    pub(crate) over_time: OverTime,
    /// By label of the reason.
    pub(crate) outcomes: Table<Row>,
    /// By rule.
    pub(crate) rules: Table<RuleRow>,
    /// By client.
    pub(crate) clients: Table<Row>,
    /// Requests without a client in the log.
    pub(crate) without_client: Numbers,
    /// By role.
    pub(crate) roles: Table<Row>,
    /// By scope.
    pub(crate) scopes: Table<Row>,
    /// By provider.
    pub(crate) providers: Table<ProviderRow>,
    /// Clients whose tokens live the longest.
    pub(crate) long_lived: Vec<LongLived>,
    /// What rules on trial would have refused.
    pub(crate) shadow: Vec<Shadow>,
    /// What the policy on trial would decide otherwise.
    pub(crate) candidate: Vec<Candidate>,
    /// Refusals that look like mistakes.
    pub(crate) findings: Vec<Finding>,
    /// What nobody made use of; with a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unused: Option<Unused>,
    /// A tighter policy; with a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proposed: Option<Proposed>,
}

/// Lines of the log.
#[derive(Debug, Serialize)]
pub(crate) struct Lines {
    /// Audit lines.
    pub(crate) audit: u64,
    /// Lines that are something else.
    pub(crate) other: u64,
    /// Audit lines that could not be read.
    pub(crate) unreadable: u64,
    /// The first of them: file, line, and why.
    pub(crate) first_unreadable: Option<String>,
}

impl Lines {
    /// What there is to say about the log itself.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.unreadable > 0 {
            let plural = if self.unreadable == 1 { "" } else { "s" };
            let (count, first) = (grouped(self.unreadable), self.first_unreadable.as_deref());
            let first = printable(first.unwrap_or_default());
            remarks.push(format!(
                "{count} audit line{plural} could not be read; the first is {first}"
            ));
        }
        if self.audit == 0 {
            remarks.push(format!(
                "no audit line (`\"audit\":\"jwt-gate/1\"`) can be read; lines of other kinds: {}. \
                 Is there `audit` in the policy, and is this the log that it goes to?",
                grouped(self.other)
            ));
        }
        remarks
    }
}

/// How requests ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Numbers {
    /// All.
    pub(crate) requests: u64,
    /// The policy allows them.
    pub(crate) allowed: u64,
    /// The policy refuses them, and so it was.
    pub(crate) denied: u64,
    /// The policy refuses them, and they passed because the rule is on trial.
    pub(crate) shadow_denied: u64,
}

impl From<Counts> for Numbers {
    fn from(counts: Counts) -> Self {
        let Counts { allowed, denied, spared } = counts;
        Self { requests: counts.total(), allowed, denied, shadow_denied: spared }
    }
}

/// Rows, the most used first.
#[derive(Debug, Serialize)]
pub(crate) struct Table<R> {
    /// As many as were asked for.
    pub(crate) rows: Vec<R>,
    /// How many further ones there are; at least that many where tallies were cut.
    pub(crate) more: usize,
    /// All that is not in a row.
    pub(crate) others: Numbers,
    /// Whether there were more names than there is room for: then numbers may be too low.
    pub(crate) is_cut: bool,
}

/// Requests of a name.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The name.
    pub(crate) name: String,
    /// Its requests.
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
}

/// Requests that a rule is for.
#[derive(Debug, Serialize)]
pub(crate) struct RuleRow {
    /// The rule; `null`: none.
    pub(crate) rule: Option<String>,
    /// Its match, as the log has it.
    pub(crate) route: Option<String>,
    /// Its requests.
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
    /// By method, the most used first.
    pub(crate) methods: Vec<(String, u64)>,
    /// Refusals by label of the reason, the most frequent first.
    pub(crate) refusals: Vec<(String, u64)>,
}

/// Requests with tokens of a provider.
#[derive(Debug, Serialize)]
pub(crate) struct ProviderRow {
    /// The provider.
    pub(crate) name: String,
    /// Its requests.
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
    /// Tokens that passed, by lifetime.
    pub(crate) lifetimes: Vec<(&'static str, u64)>,
    /// The longest of them, in seconds.
    pub(crate) longest_lifetime: Option<u64>,
    /// Tokens that passed and whose lifetime is not known.
    pub(crate) without_lifetime: u64,
}

/// A client whose tokens live long.
#[derive(Debug, Serialize)]
pub(crate) struct LongLived {
    /// The client.
    pub(crate) client: String,
    /// The longest lifetime, in seconds.
    pub(crate) lifetime: u64,
}

/// What a rule on trial would have refused.
#[derive(Debug, Serialize)]
pub(crate) struct Shadow {
    /// The rule.
    pub(crate) rule: String,
    /// All its requests.
    pub(crate) requests: u64,
    /// Those that it would have refused.
    pub(crate) shadow_denied: u64,
    /// By label of the reason, the most frequent first.
    pub(crate) refusals: Vec<(String, u64)>,
    /// By client, the most frequent first.
    pub(crate) clients: Vec<(String, u64)>,
}

/// What the policy on trial would decide otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Candidate {
    /// The rule that decided.
    pub(crate) rule: Option<String>,
    /// The rule that would have decided.
    pub(crate) candidate_rule: Option<String>,
    /// What it would have decided.
    pub(crate) decision: &'static str,
    /// With which label.
    pub(crate) outcome: String,
    /// How often.
    pub(crate) requests: u64,
    /// By client, the most frequent first.
    pub(crate) clients: Vec<(String, u64)>,
}

/// Requests over time.
#[derive(Debug, Serialize)]
pub(crate) struct OverTime {
    /// Seconds of a step.
    pub(crate) step_seconds: u64,
    /// Steps without a gap.
    pub(crate) steps: Vec<Step>,
}

/// Requests within a step.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    /// When it begins, in RFC 3339.
    pub(crate) at: String,
    /// Its requests.
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
}
