//! Charts as SVG within the page, each with its numbers in a table behind it.

use super::markup::Html;
use crate::report::words::grouped;

/// Width of a chart, and height of a chart of columns, in its own units.
const WIDTH: u64 = 960;
const HEIGHT: u64 = 220;

/// Room for labels: left of the columns or bars, and below the columns.
const LEFT: u64 = 70;
const NAMES: u64 = 250;
const BELOW: u64 = 24;

/// Height of a bar with the gap after it.
const BAR: u64 = 26;

/// What is shown of a place: its label, and a number for each series.
pub(super) struct Point {
    /// Its name.
    pub(super) label: String,
    /// The numbers.
    pub(super) values: Vec<u64>,
}

/// A chart.
pub(super) struct Chart<'c> {
    /// Distinguishes it from others in the page.
    pub(super) id: &'c str,
    /// What it shows.
    pub(super) title: &'c str,
    /// What there is to see, in words.
    pub(super) description: String,
    /// What the points are.
    pub(super) points_are: &'static str,
    /// Names of the series; they are classes of the style sheet, too.
    pub(super) series: &'static [&'static str],
    /// The points.
    pub(super) points: Vec<Point>,
}

impl Point {
    fn total(&self) -> u64 {
        self.values.iter().fold(0, |sum, value| sum.saturating_add(*value))
    }
}

/// `part` of `whole` on a way of `length`.
fn scaled(part: u64, whole: u64, length: u64) -> u64 {
    let scaled = u128::from(part).saturating_mul(length.into()).checked_div(whole.into());
    scaled.and_then(|length| u64::try_from(length).ok()).unwrap_or(0)
}

impl Chart<'_> {
    /// Columns, from left to right, parts of one above each other.
    pub(super) fn columns(&self, html: &mut Html) {
        self.begin(html, HEIGHT.saturating_add(BELOW));
        let most = self.most();
        self.lines(html, most);
        let count = u64::try_from(self.points.len()).unwrap_or(1).max(1);
        let width = WIDTH.saturating_sub(LEFT);
        for (at, point) in (0_u64..).zip(&self.points) {
            let x = LEFT.saturating_add(scaled(at, count, width));
            let next = LEFT.saturating_add(scaled(at.saturating_add(1), count, width));
            let mut below = 0_u64;
            for (series, value) in self.series.iter().zip(&point.values) {
                let (low, high) = (below, below.saturating_add(*value));
                below = high;
                let (low, high) = (scaled(low, most, HEIGHT), scaled(high, most, HEIGHT));
                let y = HEIGHT.saturating_sub(high);
                rect(
                    html,
                    series,
                    (x, y),
                    (next.saturating_sub(x).max(2).saturating_sub(1), high.saturating_sub(low)),
                );
                tooltip(html, &point.label, series, *value);
            }
        }
        self.times(html);
        self.end(html);
    }

    /// Bars, from top to bottom, parts of one beside each other.
    pub(super) fn bars(&self, html: &mut Html) {
        let count = u64::try_from(self.points.len()).unwrap_or(0);
        self.begin(html, count.saturating_mul(BAR));
        let most = self.most();
        let width = WIDTH.saturating_sub(NAMES).saturating_sub(LEFT);
        for (at, point) in (0_u64..).zip(&self.points) {
            let y = at.saturating_mul(BAR);
            let line = y.saturating_add(17);
            label(html, "name", NAMES.saturating_sub(10), line, &shortened(&point.label));
            let mut left = 0_u64;
            for (series, value) in self.series.iter().zip(&point.values) {
                let (low, high) = (left, left.saturating_add(*value));
                left = high;
                let (low, high) = (scaled(low, most, width), scaled(high, most, width));
                let at = (NAMES.saturating_add(low), y.saturating_add(3));
                rect(html, series, at, (high.saturating_sub(low), BAR.saturating_sub(6)));
                tooltip(html, &point.label, series, *value);
            }
            let end = NAMES.saturating_add(scaled(left, most, width)).saturating_add(6);
            label(html, "value", end, line, &grouped(point.total()));
        }
        self.end(html);
    }

    fn most(&self) -> u64 {
        self.points.iter().map(Point::total).max().unwrap_or(0).max(1)
    }

    fn begin(&self, html: &mut Html, height: u64) {
        html.markup("<figure><figcaption>").text(self.title).markup("</figcaption>");
        if self.series.len() > 1 {
            html.markup("<p class=\"legend\">");
            for series in self.series {
                html.markup("<span><i class=\"").text(series).markup("\"></i>").text(series);
                html.markup("</span> ");
            }
            html.markup("</p>");
        }
        html.markup("<svg role=\"img\" viewBox=\"0 0 ").number(WIDTH).markup(" ").number(height);
        html.markup("\" aria-labelledby=\"").text(self.id).markup("-title ").text(self.id);
        html.markup("-description\"><title id=\"").text(self.id).markup("-title\">");
        html.text(self.title).markup("</title><desc id=\"").text(self.id);
        html.markup("-description\">").text(&self.description).markup("</desc>");
    }

    /// Lines for the greatest value, and for half of it.
    fn lines(&self, html: &mut Html, most: u64) {
        for value in [most, most.div_euclid(2)] {
            let y = HEIGHT.saturating_sub(scaled(value, most, HEIGHT));
            html.markup("<path class=\"line\" d=\"M").number(LEFT).markup(" ").number(y);
            html.markup("H").number(WIDTH).markup("\"/>");
            label(
                html,
                "name",
                LEFT.saturating_sub(8),
                y.max(8).saturating_add(4),
                &grouped(value),
            );
        }
    }

    /// The labels of the first point, of one in the middle, and of the last.
    fn times(&self, html: &mut Html) {
        let y = HEIGHT.saturating_add(18);
        let middle = self.points.get(self.points.len().div_euclid(2));
        let (first, last) = (self.points.first(), self.points.last());
        let places = [
            ("value", LEFT, first),
            ("middle", LEFT.midpoint(WIDTH), middle),
            ("name", WIDTH, last),
        ];
        for (class, x, point) in places {
            if let Some(point) = point {
                label(html, class, x, y, &point.label);
            }
        }
    }

    fn end(&self, html: &mut Html) {
        html.markup("</svg><details><summary>Numbers</summary><div class=\"wide\"><table><thead><tr><th scope=\"col\">");
        html.text(self.points_are);
        for series in self.series {
            html.markup("<th scope=\"col\" class=\"number\">").text(series);
        }
        html.markup("<tbody>");
        for point in &self.points {
            html.markup("<tr><th scope=\"row\">").text(&point.label);
            for value in &point.values {
                html.markup("<td class=\"number\">").text(&grouped(*value));
            }
        }
        html.markup("</table></div></details></figure>\n");
    }
}

fn rect(html: &mut Html, series: &str, (x, y): (u64, u64), (width, height): (u64, u64)) {
    html.markup("<rect class=\"").text(series).markup("\" x=\"").number(x).markup("\" y=\"");
    html.number(y).markup("\" width=\"").number(width).markup("\" height=\"").number(height);
    html.markup("\">");
}

/// What a pointer over the last shape is told; ends the shape.
fn tooltip(html: &mut Html, label: &str, series: &str, value: u64) {
    html.markup("<title>").text(label).markup(": ").text(&grouped(value)).markup(" ");
    html.text(series).markup("</title></rect>");
}

fn label(html: &mut Html, class: &str, x: u64, y: u64, text: &str) {
    html.markup("<text class=\"").text(class).markup("\" x=\"").number(x).markup("\" y=\"");
    html.number(y).markup("\">").text(text).markup("</text>");
}

/// As much of a name as there is room for.
fn shortened(name: &str) -> String {
    let mut letters = name.chars();
    let short: String = letters.by_ref().take(34).collect();
    if letters.next().is_some() { short + "…" } else { short }
}
