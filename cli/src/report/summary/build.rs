//! From tallies to rows.

use std::collections::BTreeMap;

use super::super::findings::findings;
use super::super::lens::Lens;
use super::super::proposal::propose;
use super::super::tally::{
    Broken, ClientTally, Counts, LIFETIMES, ProviderTally, RuleTally, Tally, Unreadable,
};
use super::super::top::{Tallied, Top};
use super::super::unused::Unused;
use super::super::words::moment;
use super::{
    Candidate, Lines, LongLived, Numbers, OverTime, ProviderRow, Report, Row, RuleRow, Shadow,
    Step, Table,
};

/// Steps that a chart has at most.
const STEPS: usize = 60;

/// Seconds beyond which a token lives long: an hour.
const LONG: u64 = 3_600;

fn lines(tally: &Tally) -> Lines {
    let Unreadable { count, first } = &tally.unreadable;
    let first =
        first.as_ref().map(|Broken { name, line, why, .. }| format!("{name}:{line}: {why}"));
    Lines {
        audit: tally.counts.total(),
        other: tally.other_lines,
        unreadable: *count,
        first_unreadable: first,
    }
}

/// Makes the report on a log. A table has `top` rows.
pub(crate) fn summarize(tally: &Tally, policy: Option<(&str, &Lens)>, top: usize) -> Report {
    let (step_seconds, steps) = tally.times.within(STEPS);
    let span = steps.first().zip(steps.last());
    let until = span.map(|(_, (last, _))| moment(last.saturating_add(step_seconds)));
    let lens = policy.map(|(_, lens)| lens);
    Report {
        lines: lines(tally),
        from: span.map(|((first, _), _)| moment(*first)),
        until,
        requests: tally.counts.into(),
        over_time: OverTime {
            step_seconds,
            steps: steps
                .into_iter()
                .map(|(at, counts)| Step { at: moment(at), numbers: counts.into() })
                .collect(),
        },
        outcomes: table(&tally.outcomes, top, |counts| *counts, row),
        rules: table(&tally.rules, top, |rule| rule.counts, rule_row),
        clients: table(
            &tally.clients,
            top,
            |client| client.counts,
            |name, client| row(name, &client.counts),
        ),
        without_client: tally.anonymous.into(),
        roles: table(&tally.roles, top, |counts| *counts, row),
        scopes: table(&tally.scopes, top, |counts| *counts, row),
        providers: table(&tally.providers, top, |provider| provider.counts, provider_row),
        long_lived: long_lived(&tally.clients, top),
        shadow: shadow(&tally.rules, top),
        candidate: candidate(&tally.rules, top),
        findings: findings(tally, lens),
        unused: lens.map(|lens| Unused::of(tally, lens)),
        proposed: policy.map(|(name, lens)| propose(name, tally, lens)),
    }
}

fn table<V: Tallied, R>(
    tallies: &Top<V>,
    top: usize,
    counts: impl Fn(&V) -> Counts,
    row: impl Fn(&str, &V) -> R,
) -> Table<R> {
    let ranked = tallies.ranked();
    let (shown, further) = ranked.split_at_checked(top).unwrap_or((&ranked, &[]));
    let mut others = counts(tallies.rest());
    further.iter().for_each(|(_, tally)| others.absorb(counts(tally)));
    Table {
        rows: shown.iter().map(|(name, tally)| row(name, tally)).collect(),
        more: further.len(),
        others: others.into(),
        is_cut: tallies.is_cut(),
    }
}

fn row(name: &str, counts: &Counts) -> Row {
    Row { name: name.to_owned(), numbers: Numbers::from(*counts) }
}

fn rule_row(name: &str, rule: &RuleTally) -> RuleRow {
    let methods = rule.methods.iter().map(|(method, counts)| (method.to_string(), counts.total()));
    RuleRow {
        rule: some(name),
        route: rule.route.as_deref().map(str::to_owned),
        numbers: rule.counts.into(),
        methods: by_count(methods.collect()),
        refusals: counted(&rule.refusals),
    }
}

fn provider_row(name: &str, provider: &ProviderTally) -> ProviderRow {
    let bins = LIFETIMES.iter().zip(provider.lifetimes);
    ProviderRow {
        name: name.to_owned(),
        numbers: provider.counts.into(),
        lifetimes: bins.map(|((_, label), count)| (*label, count)).collect(),
        longest_lifetime: provider.longest,
        without_lifetime: provider.endless,
    }
}

fn long_lived(clients: &Top<ClientTally>, top: usize) -> Vec<LongLived> {
    let ranked = clients.ranked();
    let mut found: Vec<_> = ranked
        .iter()
        .filter_map(|(client, tally)| {
            let lifetime = tally.longest.filter(|longest| *longest > LONG)?;
            Some(LongLived { client: (*client).to_owned(), lifetime })
        })
        .collect();
    found.sort_by(|a, b| b.lifetime.cmp(&a.lifetime).then_with(|| a.client.cmp(&b.client)));
    found.truncate(top);
    found
}

fn shadow(rules: &Top<RuleTally>, top: usize) -> Vec<Shadow> {
    let ranked = rules.ranked();
    let tried = ranked.iter().filter(|(_, rule)| rule.counts.spared > 0);
    tried
        .map(|(name, rule)| {
            let clients = rule.clients.ranked().into_iter();
            let spared = clients.filter(|(_, counts)| counts.spared > 0);
            let spared = spared.map(|(client, counts)| (client.to_owned(), counts.spared));
            let mut clients = by_count(spared.collect());
            clients.truncate(top);
            Shadow {
                rule: (*name).to_owned(),
                requests: rule.counts.total(),
                shadow_denied: rule.counts.spared,
                refusals: counted(&rule.refusals),
                clients,
            }
        })
        .collect()
}

fn candidate(rules: &Top<RuleTally>, top: usize) -> Vec<Candidate> {
    let ranked = rules.ranked();
    let mut found: Vec<_> = ranked
        .iter()
        .flat_map(|(name, rule)| rule.trials.iter().map(move |trial| (name, trial)))
        .map(|(name, ((candidate, outcome), trial))| {
            let clients = trial.clients.ranked().into_iter().take(top);
            Candidate {
                rule: some(name),
                candidate_rule: some(candidate),
                decision: if trial.allows { "allow" } else { "deny" },
                outcome: outcome.to_string(),
                requests: trial.count,
                clients: clients.map(|(client, count)| (client.to_owned(), *count)).collect(),
            }
        })
        .collect();
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.requests));
    found
}

fn some(name: &str) -> Option<String> {
    Some(name).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn counted(counts: &BTreeMap<Box<str>, u64>) -> Vec<(String, u64)> {
    by_count(counts.iter().map(|(name, count)| (name.to_string(), *count)).collect())
}

/// The greatest first; among equals by name.
fn by_count(mut counts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    counts.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    counts
}
