//! Files that are read, and places in them as an editor counts them.

use std::fs;
use std::io::{self, Read};

use crate::error::Error;

/// A text, and what it is called in messages.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    text: String,
}

/// A place in a text, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Source {
    /// Reads a file, or the standard input where `name` is `-`.
    pub(crate) fn read(name: &str) -> Result<Self, Error> {
        let octets = read(name).map_err(|source| Error::Read { name: name.to_owned(), source })?;
        let text = String::from_utf8(octets).map_err(|_| Error::NotText(name.to_owned()))?;
        // Some editors put a byte order mark before a text (RFC 8259, section 8.1).
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self { name: name.to_owned(), text })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the character number `at` is, counted from 0.
    pub(crate) fn position(&self, at: usize) -> Position {
        let before = self.text.chars().take(at);
        before.fold(Position { line: 1, column: 1 }, |position, c| match c {
            '\n' => Position { line: position.line.saturating_add(1), column: 1 },
            _ => Position { column: position.column.saturating_add(1), ..position },
        })
    }
}

/// The octets of a file or of the standard input.
fn read(name: &str) -> io::Result<Vec<u8>> {
    if name != "-" {
        return fs::read(name);
    }
    let mut octets = Vec::new();
    io::stdin().lock().read_to_end(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
impl Source {
    /// A text of a test.
    pub(crate) fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }
}
