//! A report as text for a terminal.

mod grid;

use std::fmt::{self, Formatter};

use grid::{Cell, Grid, left, right};

use super::summary::{Candidate, Numbers, OverTime, ProviderRow, Report, RuleRow, Shadow, Table};
use super::unused::Unused;
use super::words::{grouped, printable, share, span};
use crate::output::{BAD, DOUBTFUL, GOOD, NAME, styled};

/// Cells that the longest bar has.
const BAR: usize = 24;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(self, f)?;
        if self.requests.requests == 0 {
            return Ok(());
        }
        over_time(&self.over_time, f)?;
        rules(&self.rules, f)?;
        let named = [
            ("Outcomes", &self.outcomes),
            ("Clients", &self.clients),
            ("Roles", &self.roles),
            ("Scopes", &self.scopes),
        ];
        for (title, table) in named {
            let rows = table.rows.iter().map(|row| (printable(&row.name), row.numbers));
            names(title, rows.collect(), table.more, table.others, table.is_cut, f)?;
        }
        let unknown = self.without_client.requests;
        if unknown > 0 {
            writeln!(f, "\n{} requests have no client in the log", grouped(unknown))?;
        }
        lifetimes(&self.providers.rows, f)?;
        long_lived(self, f)?;
        shadow(&self.shadow, f)?;
        candidate(&self.candidate, f)?;
        findings(self, f)?;
        self.unused.iter().try_for_each(|unused| unused_grants(unused, f))?;
        proposed(self, f)
    }
}

fn title(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "\n{}", styled(NAME, text))
}

fn head(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    let Numbers { requests, allowed, denied, shadow_denied } = report.requests;
    write!(f, "{} requests", styled(NAME, grouped(requests)))?;
    if let (Some(from), Some(until)) = (&report.from, &report.until) {
        write!(f, " from {from} to {until}")?;
    }
    writeln!(f)?;
    let counts = [
        (GOOD, "allowed", allowed),
        (BAD, "denied", denied),
        (DOUBTFUL, "shadow-denied", shadow_denied),
    ];
    for (style, what, count) in counts {
        writeln!(
            f,
            "  {:>14}  {}  {}",
            what,
            styled(style, format!("{:>12}", grouped(count))),
            share(count, requests)
        )?;
    }
    let remarks = report.lines.remarks();
    remarks.iter().try_for_each(|remark| writeln!(f, "{}", styled(DOUBTFUL, remark)))
}

/// Eighths of a cell, so that a bar may end within one.
fn bar(part: u64, whole: u64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let all = u128::try_from(cells).unwrap_or(0).saturating_mul(8);
    let eighths = u128::from(part).saturating_mul(all).checked_div(u128::from(whole)).unwrap_or(0);
    let eighths = usize::try_from(eighths).unwrap_or(0).max(usize::from(part > 0));
    let (full, rest) = (eighths.div_euclid(8), eighths.rem_euclid(8));
    "█".repeat(full) + EIGHTHS.get(rest).copied().unwrap_or_default()
}

fn over_time(times: &OverTime, f: &mut Formatter<'_>) -> fmt::Result {
    const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    title(&format!("Over time, a column for {}", span(times.step_seconds)), f)?;
    let line = |of: fn(&Numbers) -> u64| {
        let most = times.steps.iter().map(|step| of(&step.numbers)).max().unwrap_or(0);
        let height = |count: u64| {
            let height = u128::from(count).saturating_mul(8).div_ceil(u128::from(most.max(1)));
            usize::try_from(height).ok().and_then(|at| HEIGHTS.get(at).copied()).unwrap_or('█')
        };
        (times.steps.iter().map(|step| height(of(&step.numbers))).collect::<String>(), most)
    };
    let lines = [
        (GOOD, "allowed", line(|n| n.allowed)),
        (BAD, "denied", line(|n| n.denied)),
        (DOUBTFUL, "shadow-denied", line(|n| n.shadow_denied)),
    ];
    for (style, what, (heights, most)) in lines.into_iter().filter(|(_, _, (_, most))| *most > 0) {
        writeln!(f, "  {what:>14}  {}  at most {}", styled(style, heights), grouped(most))?;
    }
    Ok(())
}

fn numbers(numbers: Numbers, most: u64) -> [Cell; 5] {
    let refused = numbers.denied.saturating_add(numbers.shadow_denied);
    [
        right(grouped(numbers.requests)),
        right(grouped(numbers.denied)),
        right(grouped(numbers.shadow_denied)),
        right(share(refused, numbers.requests)),
        left(bar(numbers.requests, most, BAR)),
    ]
}

const HEADS: [&str; 5] = ["requests", "denied", "shadow", "refused", ""];

fn rules(table: &Table<RuleRow>, f: &mut Formatter<'_>) -> fmt::Result {
    title("Rules", f)?;
    let mut grid = Grid::new(&[
        "rule",
        "route",
        "methods",
        HEADS[0],
        HEADS[1],
        HEADS[2],
        HEADS[3],
        "refused with",
    ]);
    for row in &table.rows {
        let [requests, denied, spared, refused, _] = numbers(row.numbers, 0);
        let name = row.rule.as_deref().map_or_else(|| "(no rule)".to_owned(), printable);
        let methods: Vec<_> = row.methods.iter().take(4).map(|(m, _)| printable(m)).collect();
        let reasons = row.refusals.iter().take(3);
        let reasons: Vec<_> =
            reasons.map(|(reason, n)| format!("{} {}", printable(reason), grouped(*n))).collect();
        let route = left(row.route.as_deref().map(printable).unwrap_or_default());
        let (methods, reasons) = (left(methods.join(" ")), left(reasons.join(", ")));
        grid.row([left(name), route, methods, requests, denied, spared, refused, reasons]);
    }
    write!(f, "{grid}")?;
    more(table.more, table.others, table.is_cut, f)
}

fn names(
    heading: &str,
    rows: Vec<(String, Numbers)>,
    further: usize,
    others: Numbers,
    is_cut: bool,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let Some(most) = rows.iter().map(|(_, numbers)| numbers.requests).max() else { return Ok(()) };
    title(heading, f)?;
    let mut grid = Grid::new(&["", HEADS[0], HEADS[1], HEADS[2], HEADS[3], HEADS[4]]);
    for (name, row) in rows {
        let [requests, denied, spared, refused, bar] = numbers(row, most);
        grid.row([left(name), requests, denied, spared, refused, bar]);
    }
    write!(f, "{grid}")?;
    more(further, others, is_cut, f)
}

/// What is not in the table.
fn more(further: usize, others: Numbers, is_cut: bool, f: &mut Formatter<'_>) -> fmt::Result {
    if others.requests > 0 {
        let (names, requests) =
            (grouped(further.try_into().unwrap_or(u64::MAX)), grouped(others.requests));
        let at_least = if is_cut { "at least " } else { "" };
        writeln!(f, "  and {at_least}{names} more with {requests} requests")?;
    }
    if is_cut {
        writeln!(f, "  There are too many to count each: numbers may be too low.")?;
    }
    Ok(())
}

fn lifetimes(providers: &[ProviderRow], f: &mut Formatter<'_>) -> fmt::Result {
    for provider in providers {
        title(&format!("Lifetimes of tokens of {}", printable(&provider.name)), f)?;
        let most = provider.lifetimes.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let mut grid = Grid::new(&["", "passed", ""]);
        for (label, count) in provider.lifetimes.iter().filter(|(_, count)| *count > 0) {
            grid.row([
                left((*label).to_owned()),
                right(grouped(*count)),
                left(bar(*count, most, BAR)),
            ]);
        }
        if provider.without_lifetime > 0 {
            let count = right(grouped(provider.without_lifetime));
            grid.row([left("not known".to_owned()), count, left(String::new())]);
        }
        write!(f, "{grid}")?;
    }
    Ok(())
}

fn long_lived(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    if report.long_lived.is_empty() {
        return Ok(());
    }
    title("Clients with tokens that live longer than an hour", f)?;
    let mut grid = Grid::new(&["", "longest"]);
    for long in &report.long_lived {
        grid.row([left(printable(&long.client)), right(span(long.lifetime))]);
    }
    write!(f, "{grid}")
}

/// `name (count)` for the first few.
fn few(counts: &[(String, u64)]) -> String {
    let few = counts.iter().take(3);
    let few: Vec<_> = few.map(|(name, n)| format!("{} {}", printable(name), grouped(*n))).collect();
    few.join(", ")
}

fn shadow(rules: &[Shadow], f: &mut Formatter<'_>) -> fmt::Result {
    if rules.is_empty() {
        return Ok(());
    }
    title("Shadow rules would have refused", f)?;
    let mut grid = Grid::new(&["rule", "requests", "refused", "", "with", "clients"]);
    for rule in rules {
        let (requests, refused) = (grouped(rule.requests), grouped(rule.shadow_denied));
        let share = right(share(rule.shadow_denied, rule.requests));
        let (reasons, clients) = (left(few(&rule.refusals)), left(few(&rule.clients)));
        grid.row([
            left(printable(&rule.rule)),
            right(requests),
            right(refused),
            share,
            reasons,
            clients,
        ]);
    }
    write!(f, "{grid}")
}

fn candidate(trials: &[Candidate], f: &mut Formatter<'_>) -> fmt::Result {
    if trials.is_empty() {
        return Ok(());
    }
    title("shadow_policy would decide otherwise", f)?;
    let mut grid = Grid::new(&["rule", "there", "decision", "outcome", "requests", "clients"]);
    for trial in trials {
        let name = |rule: &Option<String>| {
            left(rule.as_deref().map_or_else(|| "(no rule)".to_owned(), printable))
        };
        let style = if trial.decision == "deny" { BAD } else { GOOD };
        let decision = left(trial.decision.to_owned()).in_style(style);
        let (outcome, clients) = (left(printable(&trial.outcome)), left(few(&trial.clients)));
        let requests = right(grouped(trial.requests));
        grid.row([
            name(&trial.rule),
            name(&trial.candidate_rule),
            decision,
            outcome,
            requests,
            clients,
        ]);
    }
    write!(f, "{grid}")
}

fn findings(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    if report.findings.is_empty() {
        return Ok(());
    }
    title("Refusals that look like mistakes", f)?;
    for finding in &report.findings {
        writeln!(f, "  {} {}", styled(DOUBTFUL, "•"), finding.what)?;
        writeln!(f, "    {}", finding.advice)?;
    }
    Ok(())
}

fn unused_grants(unused: &Unused, f: &mut Formatter<'_>) -> fmt::Result {
    let Unused { rules, permissions, roles, untold } = unused;
    if rules.is_empty() && permissions.is_empty() && roles.is_empty() && untold.is_empty() {
        return Ok(());
    }
    title("Granted and never used in this log", f)?;
    if !rules.is_empty() {
        writeln!(f, "  rules that no request found: {}", rules.join(", "))?;
    }
    if !roles.is_empty() {
        writeln!(f, "  roles that no allowed caller had: {}", roles.join(", "))?;
    }
    let mut grid = Grid::new(&["role", "permission", "used"]);
    for grant in permissions {
        let used = if grant.used.is_empty() { "-".to_owned() } else { grant.used.join(", ") };
        grid.row([left(grant.role.clone()), left(grant.permission.clone()), left(used)]);
    }
    write!(f, "{grid}")?;
    untold.iter().try_for_each(|why| writeln!(f, "  {why}"))
}

fn proposed(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    let Some(proposed) = &report.proposed else { return Ok(()) };
    title("A tighter policy", f)?;
    if proposed.changes.is_empty() {
        writeln!(f, "  nothing to propose")?;
    }
    for change in &proposed.changes {
        writeln!(f, "  {} {}", styled(GOOD, "+"), printable(change))?;
    }
    for withheld in &proposed.withheld {
        writeln!(f, "  {} not changed: {}", styled(DOUBTFUL, "•"), printable(withheld))?;
    }
    if !proposed.diff.is_empty() {
        writeln!(f)?;
    }
    for line in proposed.diff.lines() {
        match line.as_bytes().first() {
            Some(b'+') => writeln!(f, "{}", styled(GOOD, line))?,
            Some(b'-') => writeln!(f, "{}", styled(BAD, line))?,
            _ => writeln!(f, "{line}")?,
        }
    }
    Ok(())
}
