//! The parts of the page that are tables and lists.

use super::markup::Html;
use crate::report::summary::{Report, Table};
use crate::report::words::{grouped, share, span};

/// A table: its caption, its columns (those that begin with `#` are numbers), and its rows.
fn table(html: &mut Html, caption: &str, columns: &[&str], rows: &[Vec<String>]) {
    let is_number = |column: &str| column.starts_with('#');
    html.markup("<div class=\"wide\"><table><caption>").text(caption);
    html.markup("</caption><thead><tr>");
    for column in columns {
        let class = if is_number(column) { " class=\"number\"" } else { "" };
        html.markup("<th scope=\"col\"").markup(class).markup(">");
        html.text(column.trim_start_matches('#'));
    }
    html.markup("<tbody>");
    for row in rows {
        html.markup("<tr>");
        for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
            html.markup(match (at, is_number(column)) {
                (0, _) => "<th scope=\"row\">",
                (_, true) => "<td class=\"number\">",
                (_, false) => "<td>",
            });
            html.text(cell);
        }
    }
    html.markup("</table></div>\n");
}

/// What is not in a table.
pub(super) fn more<R>(table: &Table<R>, html: &mut Html) {
    if table.others.requests > 0 {
        html.markup("<p class=\"soft\">and ");
        html.markup(if table.is_cut { "at least " } else { "" });
        html.number(table.more.try_into().unwrap_or(u64::MAX)).markup(" more with ");
        html.text(&grouped(table.others.requests)).markup(" requests</p>");
    }
    if table.is_cut {
        html.markup(
            "<p class=\"soft\">There are too many to count each: numbers may be too low.</p>",
        );
    }
}

/// Refusals that look like mistakes.
pub(super) fn findings(report: &Report, html: &mut Html) {
    if report.findings.is_empty() {
        return;
    }
    html.markup("<h2>Refusals that look like mistakes</h2><ul>");
    for finding in &report.findings {
        html.markup("<li>").text(&finding.what).markup("<p>").text(&finding.advice).markup("</p>");
    }
    html.markup("</ul>\n");
}

fn counts(counts: &[(String, u64)]) -> String {
    let counts: Vec<_> = counts.iter().map(|(name, n)| format!("{name} {}", grouped(*n))).collect();
    counts.join(", ")
}

fn rule_name(rule: &Option<String>) -> String {
    rule.clone().unwrap_or_else(|| "(no rule)".to_owned())
}

/// Requests by rule.
pub(super) fn rules(report: &Report, html: &mut Html) {
    html.markup("<h2>Rules</h2>");
    let rows = report.rules.rows.iter().map(|row| {
        let n = row.numbers;
        vec![
            rule_name(&row.rule),
            row.route.clone().unwrap_or_default(),
            counts(&row.methods),
            grouped(n.requests),
            grouped(n.denied),
            grouped(n.shadow_denied),
            share(n.denied.saturating_add(n.shadow_denied), n.requests),
            counts(&row.refusals),
        ]
    });
    let columns = [
        "rule",
        "route",
        "methods",
        "#requests",
        "#denied",
        "#shadow-denied",
        "#refused",
        "refused with",
    ];
    table(html, "Requests by rule", &columns, &rows.collect::<Vec<_>>());
    more(&report.rules, html);
}

/// Clients whose tokens live long.
pub(super) fn long_lived(report: &Report, html: &mut Html) {
    if !report.long_lived.is_empty() {
        let rows =
            report.long_lived.iter().map(|long| vec![long.client.clone(), span(long.lifetime)]);
        let caption = "Clients with tokens that live longer than an hour";
        table(html, caption, &["client", "#longest"], &rows.collect::<Vec<_>>());
    }
}

/// What rules and a policy on trial would have decided.
pub(super) fn trials(report: &Report, html: &mut Html) {
    if report.shadow.is_empty() && report.candidate.is_empty() {
        return;
    }
    html.markup("<h2>On trial</h2>");
    if !report.shadow.is_empty() {
        let rows = report.shadow.iter().map(|rule| {
            let (requests, refused) = (grouped(rule.requests), grouped(rule.shadow_denied));
            let (reasons, clients) = (counts(&rule.refusals), counts(&rule.clients));
            vec![rule.rule.clone(), requests, refused, reasons, clients]
        });
        let columns = ["rule", "#requests", "#refused", "with", "clients"];
        table(html, "Shadow rules would have refused", &columns, &rows.collect::<Vec<_>>());
    }
    if !report.candidate.is_empty() {
        let rows = report.candidate.iter().map(|trial| {
            let (rule, there) = (rule_name(&trial.rule), rule_name(&trial.candidate_rule));
            let decision = format!("{} ({})", trial.decision, trial.outcome);
            vec![rule, there, decision, grouped(trial.requests), counts(&trial.clients)]
        });
        let columns = ["rule", "rule there", "decision there", "#requests", "clients"];
        table(html, "shadow_policy would decide otherwise", &columns, &rows.collect::<Vec<_>>());
    }
}

/// What the policy grants in vain.
pub(super) fn unused(report: &Report, html: &mut Html) {
    let Some(unused) = &report.unused else { return };
    html.markup("<h2>Granted and never used in this log</h2><ul>");
    for (what, names) in [
        ("Rules that no request found", &unused.rules),
        ("Roles that no allowed caller had", &unused.roles),
    ] {
        if !names.is_empty() {
            html.markup("<li>").text(what).markup(": ").text(&names.join(", "));
        }
    }
    unused.untold.iter().for_each(|why| _ = html.markup("<li>").text(why));
    html.markup("</ul>");
    if !unused.permissions.is_empty() {
        let rows = unused
            .permissions
            .iter()
            .map(|grant| vec![grant.role.clone(), grant.permission.clone(), grant.used.join(", ")]);
        let columns = ["role", "permission", "used"];
        table(html, "Permissions that were not needed", &columns, &rows.collect::<Vec<_>>());
    }
}

/// The tighter policy.
pub(super) fn proposed(report: &Report, html: &mut Html) {
    let Some(proposed) = &report.proposed else { return };
    html.markup("<h2>A tighter policy</h2><ul>");
    proposed.changes.iter().for_each(|change| _ = html.markup("<li>").text(change));
    for withheld in &proposed.withheld {
        html.markup("<li>Not changed: ").text(withheld);
    }
    html.markup("</ul>");
    if proposed.diff.is_empty() {
        return;
    }
    html.markup("<pre>");
    for line in proposed.diff.lines() {
        let (open, close) = match line.as_bytes().first() {
            Some(b'+') => ("<ins>", "</ins>\n"),
            Some(b'-') => ("<del>", "</del>\n"),
            _ => ("", "\n"),
        };
        html.markup(open).text(line).markup(close);
    }
    html.markup("</pre>\n");
}
