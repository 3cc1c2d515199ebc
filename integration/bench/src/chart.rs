//! The results as a chart.
//!
//! One row an algorithm, one mark a variant; the axis is logarithmic, as the costs lie three orders
//! of magnitude apart, and so there are marks and no bars, which would want a zero.

use std::fmt::Write as _;

use crate::{case::Section, measure::Outcome, stats::Spread, subject::Variant};

/// Width of the drawing, of what is left of the axes, and of the space between them.
const WIDTH: f64 = 860.0;
const LEFT: f64 = 70.0;
const GAP: f64 = 40.0;
/// Heights of the head, of a row, and of the foot.
const HEAD: f64 = 84.0;
const ROW: f64 = 30.0;
const FOOT: f64 = 56.0;
/// The powers of ten at both ends of the axis, in µs.
const DECADES: (f64, f64) = (0.0, 4.5);

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}\
.axis,.grid{stroke:#8c959f;stroke-width:1}.grid{stroke-opacity:.35}\
.native{fill:#0969da;stroke:#0969da}.cached{fill:none;stroke:#0969da;stroke-width:2}\
.gate{fill:#bc4c00;stroke:#bc4c00}.other{fill:none;stroke:#bc4c00;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}\
.native{fill:#58a6ff;stroke:#58a6ff}.cached{stroke:#58a6ff}\
.gate{fill:#ffa657;stroke:#ffa657}.other{stroke:#ffa657}}";

/// Draws what authentication costs, with tokens seen before and with new ones.
pub(crate) fn draw(outcomes: &[Outcome]) -> String {
    let panels =
        [(Section::Hot, "tokens seen before (64)"), (Section::Fresh, "tokens not seen before")];
    let of = |section| outcomes.iter().filter(move |outcome| outcome.case.section == section);
    let rows = panels.iter().map(|(section, _)| of(*section).count()).max().unwrap_or_default();
    let bottom = y(rows) - ROW / 2.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"CPU time of a request by algorithm\">\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"22\">What authentication costs a request: CPU time \
         of Envoy over no filter</text>\n",
        height = bottom + FOOT,
    );
    legend(&mut svg, outcomes);
    for (panel, (section, title)) in panels.into_iter().enumerate() {
        let panel = Panel::new(panel);
        panel.axis(&mut svg, title, bottom);
        for (row, outcome) in of(section).enumerate() {
            panel.row(&mut svg, y(row), outcome);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// One half of the chart.
#[derive(Debug, Clone, Copy)]
struct Panel {
    left: f64,
    right: f64,
}

impl Panel {
    fn new(number: usize) -> Self {
        let width = (WIDTH - 2.0 * LEFT - GAP) / 2.0 + 10.0;
        let left = if number == 0 { LEFT } else { LEFT + width + LEFT + GAP - 30.0 };
        Self { left, right: left + width }
    }

    /// Where so many µs are; what is off the axis is at its end.
    fn x(self, microseconds: f64) -> f64 {
        let (first, last) = DECADES;
        let place = (microseconds.max(1e-9).log10() - first) / (last - first);
        self.left + place.clamp(0.0, 1.0) * (self.right - self.left)
    }

    fn axis(self, svg: &mut String, title: &str, bottom: f64) {
        let Self { left, right } = self;
        let middle = f64::midpoint(left, right);
        _ = writeln!(svg, "<text x=\"{left}\" y=\"{:.0}\">{title}</text>", HEAD - 14.0);
        for tick in [1.0, 10.0, 100.0, 1_000.0, 10_000.0] {
            let x = self.x(tick);
            let top = HEAD - 6.0;
            _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
                bottom + 17.0
            );
        }
        _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">\
             µs per request, logarithmic; lines from least to most</text>",
            bottom + 38.0
        );
    }

    fn row(self, svg: &mut String, y: f64, outcome: &Outcome) {
        let (x, text) = (self.left - 8.0, y + 4.0);
        let name = &outcome.case.name;
        _ = writeln!(svg, "<text x=\"{x}\" y=\"{text}\" text-anchor=\"end\">{name}</text>");
        for variant in outcome.samples.keys().filter(|variant| variant.authenticates()) {
            if let Some(Spread { median, least, most }) = outcome.cost(*variant) {
                let (from, to, class) = (self.x(least), self.x(most), class(*variant));
                _ = write!(svg, "<path class=\"{class}\" d=\"M{from:.1} {y}H{to:.1}\"/>");
                let tip = format!("{name}, {}: {median:.1} µs", variant.label());
                mark(svg, *variant, self.x(median), y, &tip);
            }
        }
    }
}

fn legend(svg: &mut String, outcomes: &[Outcome]) {
    let authentication = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.case.section, Section::Hot | Section::Fresh));
    let mut variants: Vec<Variant> =
        authentication.flat_map(|outcome| outcome.samples.keys().copied()).collect();
    variants.retain(|variant| variant.authenticates());
    variants.sort_unstable();
    variants.dedup();
    let mut x = LEFT + 6.0;
    for variant in variants {
        let label = variant.label();
        mark(svg, variant, x, 42.0, label);
        _ = writeln!(svg, "<text x=\"{}\" y=\"46\">{label}</text>", x + 11.0);
        let letters = u32::try_from(label.len()).unwrap_or_default();
        x += 34.0 + 6.5 * f64::from(letters);
    }
}

/// Circles are the native filter's, squares the gate's: they are told apart without colour.
fn mark(svg: &mut String, variant: Variant, x: f64, y: f64, tip: &str) {
    let class = class(variant);
    let shape = match variant {
        Variant::Gate => {
            format!("<path class=\"{class}\" d=\"M{:.1} {:.1}h10v10h-10z\">", x - 5.0, y - 5.0)
        }
        Variant::GateUncached => {
            format!("<path class=\"{class}\" d=\"M{x:.1} {:.1}l6 6l-6 6l-6 -6z\">", y - 6.0)
        }
        Variant::GatePortable => {
            format!("<path class=\"{class}\" d=\"M{x:.1} {:.1}l6 11h-12z\">", y - 6.0)
        }
        Variant::Open | Variant::Empty | Variant::Native | Variant::NativeCached => {
            format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y}\" r=\"5\">")
        }
    };
    let end = if shape.starts_with("<c") { "circle" } else { "path" };
    _ = writeln!(svg, "{shape}<title>{tip}</title></{end}>");
}

const fn class(variant: Variant) -> &'static str {
    match variant {
        Variant::NativeCached => "cached",
        Variant::Open | Variant::Empty | Variant::Native => "native",
        Variant::Gate => "gate",
        Variant::GateUncached | Variant::GatePortable => "other",
    }
}

/// The middle of a row.
fn y(row: usize) -> f64 {
    let row = u32::try_from(row).unwrap_or_default();
    HEAD + ROW * (f64::from(row) + 0.5)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{case, measure::Sample};

    #[test]
    fn the_axis_is_logarithmic_and_ends() {
        let panel = Panel { left: 100.0, right: 550.0 };
        for (microseconds, x) in
            [(1.0, 100.0), (10.0, 200.0), (10_000.0, 500.0), (-3.0, 100.0), (1e9, 550.0)]
        {
            assert!((panel.x(microseconds) - x).abs() < 1e-9, "{microseconds}");
        }
    }

    #[test]
    fn every_variant_of_every_algorithm_has_its_mark() {
        let sample = |cpu| vec![Sample { cpu, p50: 0.0, p99: 0.0 }];
        let outcomes: Vec<_> = case::all(false, 1_000)
            .into_iter()
            .map(|case| {
                let costs = (1_u32..).map(|n| sample(f64::from(n) * 10.0));
                let samples: BTreeMap<_, _> = case.variants.iter().copied().zip(costs).collect();
                Outcome { case, samples }
            })
            .collect();
        let svg = draw(&outcomes);
        // Seven algorithms, with three variants and with five, and five in the legend.
        assert_eq!(svg.matches("<title>").count(), 7 * 3 + 7 * 5 + 5);
        assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
        assert!(svg.contains("µs per request") && svg.contains("RS256"), "{svg}");
    }
}
