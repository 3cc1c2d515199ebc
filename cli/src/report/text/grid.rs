//! Tables whose columns stand below each other.

use std::fmt::{self, Formatter};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::output::styled;

/// Columns of the widest cell, beyond which a text is cut.
const WIDEST: usize = 44;

/// A cell.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    is_right: bool,
    style: Option<Style>,
}

/// A cell whose text begins at the left.
pub(super) fn left(text: String) -> Cell {
    Cell { text: cut(text), is_right: false, style: None }
}

/// A cell whose text ends at the right.
pub(super) fn right(text: String) -> Cell {
    Cell { text: cut(text), is_right: true, style: None }
}

impl Cell {
    /// The same in this style.
    pub(super) fn in_style(self, style: Style) -> Self {
        Self { style: Some(style), ..self }
    }
}

/// A table; without rows it is nothing at all.
#[derive(Debug)]
pub(super) struct Grid {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// A table with these columns.
    pub(super) fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let head = self.heads.get(column).map_or(0, |head| head.width());
        cells.map(|cell| cell.text.width()).max().unwrap_or(0).max(head)
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(first) = self.rows.first() else { return Ok(()) };
        let is_right = |column: usize| first.get(column).is_some_and(|cell| cell.is_right);
        let heads = self.heads.iter().enumerate().map(|(column, head)| Cell {
            text: (*head).to_owned(),
            is_right: is_right(column),
            style: Some(Style::new().dimmed()),
        });
        let widths: Vec<_> = (0..self.heads.len()).map(|column| self.width(column)).collect();
        for row in std::iter::once(&heads.collect()).chain(&self.rows) {
            let last = row.iter().rposition(|cell| !cell.text.is_empty());
            let shown = row.iter().take(last.map_or(0, |last| last.saturating_add(1)));
            for (column, (cell, width)) in shown.zip(&widths).enumerate() {
                let gap = " ".repeat(width.saturating_sub(cell.text.width()));
                let text = match cell.style {
                    Some(style) => styled(style, &cell.text),
                    None => cell.text.clone(),
                };
                match (cell.is_right, Some(column) == last) {
                    (true, _) => write!(f, "  {gap}{text}")?,
                    (false, true) => write!(f, "  {text}")?,
                    (false, false) => write!(f, "  {text}{gap}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn cut(text: String) -> String {
    if text.width() <= WIDEST {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        if cut.width() >= WIDEST.saturating_sub(1) {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}
