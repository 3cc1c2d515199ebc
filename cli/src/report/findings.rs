//! Refusals that look like mistakes: of a client, of an identity provider, or of the policy.

use serde::Serialize;

use super::lens::Lens;
use super::tally::{ClientTally, Counts, ProviderTally, RuleTally, Tally};
use super::words::{grouped, moment, printable, share, span};

/// Requests below which nothing is said.
const FEW: u64 = 10;

/// Steps that a log is looked at in.
const STEPS: usize = 60;

/// Findings of a kind that are told.
const MOST: usize = 20;

/// Reasons that say something about the whole of a provider's tokens, when they begin all at once.
const SUDDEN: [&str; 6] =
    ["audience", "unknown_key", "bad_signature", "demand", "not_yet_valid", "expired"];

/// Reasons that the policy has, not the token.
const BY_POLICY: [&str; 3] = ["scope", "unauthorized", "denied"];

/// A refusal that looks like a mistake.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Refused requests.
    pub(crate) requests: u64,
    /// What is the case.
    pub(crate) what: String,
    /// What to look at.
    pub(crate) advice: String,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A client that is allowed elsewhere lacks something for one rule.
    Lacking,
    /// Many tokens that have expired come at a time.
    Expired,
    /// A provider's tokens are refused for a reason that was not there before.
    Sudden,
    /// A rule lets nobody pass.
    Closed,
}

/// All findings, by kind, the most frequent first.
pub(crate) fn findings(tally: &Tally, lens: Option<&Lens>) -> Vec<Finding> {
    let clients = tally.clients.ranked();
    let lacking = clients.iter().flat_map(|(name, client)| lacking(name, client, lens)).collect();
    let providers = tally.providers.ranked();
    let expired = providers.iter().filter_map(|(name, provider)| expired(name, provider)).collect();
    let sudden = providers.iter().flat_map(|(name, provider)| sudden(name, provider, tally));
    let rules = tally.rules.ranked();
    let closed = rules.iter().filter_map(|(name, rule)| closed(name, rule, lens)).collect();
    let mut all = Vec::new();
    for mut kind in [lacking, expired, sudden.collect(), closed] {
        let kind: &mut Vec<Finding> = &mut kind;
        kind.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.what.cmp(&b.what)));
        all.extend(kind.drain(..kind.len().min(MOST)));
    }
    all
}

/// Whether at least this many of a hundred are.
fn is_most(part: u64, whole: u64, percent: u64) -> bool {
    u128::from(part).saturating_mul(100) >= u128::from(whole).saturating_mul(percent.into())
}

fn lacking(name: &str, client: &ClientTally, lens: Option<&Lens>) -> Vec<Finding> {
    let refused = |rule: &str, reason: &str| {
        client.refusals.get(&(rule.into(), reason.into())).copied().unwrap_or(0)
    };
    let rules = client.rules.iter().filter_map(|(rule, counts)| {
        let by_policy: u64 = BY_POLICY.iter().map(|reason| refused(rule, reason)).sum();
        let elsewhere = Counts {
            allowed: client.counts.allowed.saturating_sub(counts.allowed),
            denied: client.counts.denied.saturating_sub(counts.denied),
            spared: client.counts.spared.saturating_sub(counts.spared),
        };
        let is_lacking = by_policy >= 3
            && is_most(by_policy, counts.total(), 80)
            && elsewhere.allowed >= FEW
            && is_most(elsewhere.allowed, elsewhere.total(), 80);
        is_lacking.then(|| Finding {
            kind: Kind::Lacking,
            requests: by_policy,
            what: format!(
                "client `{}` passes elsewhere ({} of its other requests), and rule `{}` refuses it: \
                 {} of {}",
                printable(name),
                share(elsewhere.allowed, elsewhere.total()),
                printable(rule),
                grouped(by_policy),
                grouped(counts.total())
            ),
            advice: demands(rule, lens),
        })
    });
    rules.collect()
}

/// What a rule asks for, as far as it has a name.
fn demands(rule: &str, lens: Option<&Lens>) -> String {
    let authorize = lens.and_then(|lens| lens.rule(rule)).and_then(|rule| rule.authorize.as_ref());
    let names = authorize.map(|authorize| authorize.names()).unwrap_or_default();
    if names.is_empty() {
        return "is it meant to pass, and does its token lack a scope or a role?".to_owned();
    }
    let names: Vec<_> = names.iter().map(|(kind, name)| format!("{kind} `{name}`")).collect();
    format!("the rule asks for {}: is the client meant to have it?", names.join(", "))
}

/// Expired tokens that come all at once. Whose they are is not known: of a token that is refused
/// no claim is told.
fn expired(name: &str, provider: &ProviderTally) -> Option<Finding> {
    let expired = provider.refusals.get("expired")?;
    let (step, steps) = expired.within(STEPS);
    let total: u64 = steps.iter().map(|(_, count)| *count).sum();
    let (at, peak) = steps.iter().max_by_key(|(at, count)| (*count, std::cmp::Reverse(*at)))?;
    let others = u64::try_from(steps.len()).unwrap_or(u64::MAX).saturating_sub(1);
    let usual = total.saturating_sub(*peak).checked_div(others)?;
    let is_burst = *peak >= FEW && *peak >= usual.saturating_mul(4);
    is_burst.then(|| Finding {
        kind: Kind::Expired,
        requests: *peak,
        what: format!(
            "{} expired tokens of provider `{}` came within {} from {} on, where {} are usual",
            grouped(*peak),
            printable(name),
            span(step),
            moment(*at),
            grouped(usual)
        ),
        advice: "does a client fetch a new token before the old one ends, and again after a 401?"
            .to_owned(),
    })
}

fn sudden(name: &str, provider: &ProviderTally, tally: &Tally) -> Vec<Finding> {
    let Some((begin, end)) = tally.times.span() else { return Vec::new() };
    // What is there from the beginning on is no news.
    let quiet = end.saturating_sub(begin).checked_div(10).unwrap_or(0).max(tally.times.step());
    let told = SUDDEN.iter().filter_map(|reason| {
        let refusals = provider.refusals.get(*reason)?;
        let (first, _) = refusals.span()?;
        let count: u64 = refusals.steps().map(|(_, count)| *count).sum();
        let steps = tally.times.steps().filter(|(at, _)| *at < first);
        let before: u64 = steps.map(|(_, counts)| counts.total()).sum();
        let after = tally.counts.total().saturating_sub(before);
        // As many as there would have been before, had it always been so.
        let expected = u128::from(count).saturating_mul(before.into()).checked_div(after.into());
        let is_news = count >= FEW
            && first >= begin.saturating_add(quiet)
            && expected.is_some_and(|expected| expected >= FEW.into());
        is_news.then(|| Finding {
            kind: Kind::Sudden,
            requests: count,
            what: format!(
                "tokens of provider `{}` are refused with `{reason}` from {} on: {} times, never before",
                printable(name),
                moment(first),
                grouped(count)
            ),
            advice: cause(reason).to_owned(),
        })
    });
    told.collect()
}

/// What is probably behind a reason that begins all at once.
fn cause(reason: &str) -> &'static str {
    match reason {
        "audience" => {
            "did a deployment ask for tokens of another audience, or is one missing in `audiences`?"
        }
        "unknown_key" | "bad_signature" => {
            "were keys changed, and does `remote_jwks` fetch the new ones?"
        }
        "demand" => {
            "did the identity provider change what its tokens hold (`typ`, `sub`, lifetime, `cnf`)?"
        }
        "not_yet_valid" => "does a clock go wrong? `clock_skew_seconds` is what is tolerated",
        _ => "did a client stop to fetch new tokens, or does a clock go wrong?",
    }
}

fn closed(name: &str, rule: &RuleTally, lens: Option<&Lens>) -> Option<Finding> {
    let by_policy = BY_POLICY.iter().filter_map(|reason| rule.refusals.get(*reason)).sum::<u64>();
    let is_closed =
        !name.is_empty() && by_policy >= 20 && is_most(by_policy, rule.counts.total(), 95);
    is_closed.then(|| Finding {
        kind: Kind::Closed,
        requests: by_policy,
        what: format!(
            "rule `{}` refuses {} of {} requests, whoever asks",
            printable(name),
            grouped(by_policy),
            grouped(rule.counts.total())
        ),
        advice: demands(name, lens),
    })
}

#[cfg(test)]
mod tests;
