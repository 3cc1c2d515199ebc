//! A report as one HTML page, which loads nothing and runs nothing.

mod chart;
mod markup;
mod section;

use chart::{Chart, Point};
use markup::Html;

use super::summary::{Numbers, ProviderRow, Report, Row, Table};
use super::words::{grouped, share, span};

/// How requests ended, as series of a chart.
const ENDS: &[&str] = &["allowed", "denied", "shadow-denied"];

/// No page of ours loads or runs anything, whatever is in it.
const HEAD: &str = concat!(
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
    "<meta http-equiv=\"content-security-policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
    "<title>How the API is used</title><style>\n",
    include_str!("html/style.css"),
    "</style></head>\n<body><main><h1>How the API is used</h1>\n"
);

/// Writes the page.
pub(crate) fn page(report: &Report) -> String {
    let mut html = Html::default();
    html.markup(HEAD);
    head(report, &mut html);
    if report.requests.requests > 0 {
        over_time(report, &mut html);
        section::findings(report, &mut html);
        section::rules(report, &mut html);
        callers(report, &mut html);
        for (number, provider) in (1..).zip(&report.providers.rows) {
            lifetimes(number, provider, &mut html);
        }
        section::long_lived(report, &mut html);
        section::trials(report, &mut html);
        section::unused(report, &mut html);
        section::proposed(report, &mut html);
    }
    html.markup("</main></body></html>\n");
    html.finish()
}

fn head(report: &Report, html: &mut Html) {
    if let (Some(from), Some(until)) = (&report.from, &report.until) {
        html.markup("<p class=\"soft\">").text(from).markup(" to ").text(until).markup("</p>");
    }
    let Numbers { requests, allowed, denied, shadow_denied } = report.requests;
    html.markup("<dl>");
    for (name, count) in [
        ("requests", requests),
        ("allowed", allowed),
        ("denied", denied),
        ("shadow-denied", shadow_denied),
    ] {
        html.markup("<div><dt>").text(name).markup("</dt><dd>").text(&grouped(count));
        html.markup("</dd></div>");
    }
    html.markup("</dl>\n");
    for remark in report.lines.remarks() {
        html.markup("<p>").text(&remark).markup("</p>\n");
    }
}

fn over_time(report: &Report, html: &mut Html) {
    let step = span(report.over_time.step_seconds);
    let steps = &report.over_time.steps;
    let point = |values: fn(&Numbers) -> Vec<u64>| {
        let points = steps.iter();
        points
            .map(move |step| Point { label: step.at.clone(), values: values(&step.numbers) })
            .collect()
    };
    let busiest = steps.iter().max_by_key(|step| step.numbers.requests);
    let busiest = busiest.map_or_else(String::new, |step| {
        format!(" The most are {} from {} on.", grouped(step.numbers.requests), step.at)
    });
    html.markup("<h2>Over time</h2>");
    let all = Chart {
        id: "time",
        title: &format!("Requests, a column for {step}"),
        description: format!("Requests by how they ended, over {} columns.{busiest}", steps.len()),
        points_are: "from",
        series: ENDS,
        points: point(|n| vec![n.allowed, n.denied, n.shadow_denied]),
    };
    all.columns(html);
    let refused = Chart {
        id: "refused",
        title: &format!("Refused requests, a column for {step}"),
        description: "The same without the requests that were allowed, on a scale of its own."
            .to_owned(),
        points_are: "from",
        series: ENDS.get(1..).unwrap_or_default(),
        points: point(|n| vec![n.denied, n.shadow_denied]),
    };
    refused.columns(html);
}

fn callers(report: &Report, html: &mut Html) {
    html.markup("<h2>Reasons and callers</h2>");
    let charts = [
        ("outcomes", "Outcomes", "outcome", &report.outcomes),
        ("clients", "Clients", "client", &report.clients),
        ("roles", "Roles", "role", &report.roles),
        ("scopes", "Scopes", "scope", &report.scopes),
    ];
    for (id, title, points_are, table) in charts {
        names(id, title, points_are, table, html);
    }
    if report.without_client.requests > 0 {
        html.markup("<p class=\"soft\">").text(&grouped(report.without_client.requests));
        html.markup(" requests have no client in the log.</p>");
    }
}

fn names(
    id: &'static str,
    title: &str,
    points_are: &'static str,
    table: &Table<Row>,
    html: &mut Html,
) {
    let Some(first) = table.rows.first() else { return };
    let points = table.rows.iter().map(|row| {
        let Numbers { allowed, denied, shadow_denied, .. } = row.numbers;
        Point { label: row.name.clone(), values: vec![allowed, denied, shadow_denied] }
    });
    let description = format!(
        "The most requests, {}, are of {}; {} of them are refused.",
        grouped(first.numbers.requests),
        first.name,
        share(
            first.numbers.denied.saturating_add(first.numbers.shadow_denied),
            first.numbers.requests
        )
    );
    let points = points.collect();
    Chart { id, title, description, points_are, series: ENDS, points }.bars(html);
    section::more(table, html);
}

fn lifetimes(number: u32, provider: &ProviderRow, html: &mut Html) {
    let points = provider.lifetimes.iter();
    let points =
        points.map(|(label, count)| Point { label: (*label).to_owned(), values: vec![*count] });
    let longest = provider.longest_lifetime.map_or_else(|| "not known".to_owned(), span);
    let chart = Chart {
        id: &format!("lifetimes-{number}"),
        title: &format!("Lifetimes of tokens of {}", provider.name),
        description: format!("Tokens that passed, by lifetime. The longest is {longest}."),
        points_are: "lifetime",
        series: &["tokens"],
        points: points.collect(),
    };
    chart.bars(html);
}

#[cfg(test)]
mod tests;
