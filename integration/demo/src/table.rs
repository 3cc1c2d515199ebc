//! The table that the demo prints.

use std::env;

use comfy_table::{Cell, Color, ColumnConstraint, Table, Width, presets::UTF8_FULL_CONDENSED};

use crate::cases::Row;

/// Widths of the columns with their padding; with the lines between them, a terminal's 120. The
/// widest challenge is not broken.
const WIDTHS: [u16; 6] = [3, 22, 19, 19, 29, 21];

/// The rows as a table; coloured where standard output is a terminal and `NO_COLOR` is not set.
pub(crate) fn render(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        table.force_no_tty();
    }
    table.set_header(["", "what", "expected", "came", "challenge", "what the upstream saw"]);
    table.set_constraints(WIDTHS.map(|width| ColumnConstraint::Absolute(Width::Fixed(width))));
    for row in rows {
        let mark = if row.as_expected {
            Cell::new("✓").fg(Color::Green)
        } else {
            Cell::new("✗").fg(Color::Red)
        };
        let texts = [row.what, &row.expected, &row.came, &row.challenge, &row.upstream];
        table.add_row(std::iter::once(mark).chain(texts.map(Cell::new)));
    }
    table
}

/// One line about all rows.
pub(crate) fn summary(rows: usize, wrong: usize) -> String {
    match wrong {
        0 => format!("All {rows} requests fared as expected."),
        _ => format!("{wrong} of {rows} requests did not fare as expected (✗)."),
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, render, summary};

    #[test]
    fn the_table_fits_a_terminal_of_120_columns() {
        let long = "a long text, with words and a-word-that-will-not-break-by-itself ".repeat(3);
        let row = |as_expected| Row {
            what: "what",
            expected: long.clone(),
            came: long.clone(),
            challenge: long.clone(),
            upstream: long.clone(),
            as_expected,
        };
        let table = render(&[row(true), row(false)]).to_string();
        let widest = table.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|width| width <= 120), "{table}");
        assert!(table.contains('✓') && table.contains('✗'), "{table}");
    }

    #[test]
    fn the_summary_counts_what_went_wrong() {
        assert_eq!(summary(3, 0), "All 3 requests fared as expected.");
        assert_eq!(summary(3, 1), "1 of 3 requests did not fare as expected (✗).");
    }
}
