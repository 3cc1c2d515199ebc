//! Texts within documents: a configuration often stands in a string of another file.

use super::SyntaxError;

/// A text, and where each of its characters stands in the file.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    text: String,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    /// It is the file.
    Whole,
    /// The numbers of the characters in the file.
    Each(Vec<usize>),
}

impl Passage {
    /// All of a file.
    pub(crate) fn whole(text: &str) -> Self {
        Self { text: text.to_owned(), origin: Origin::Whole }
    }

    /// A text whose characters have these numbers in the file.
    pub(super) const fn of(text: String, numbers: Vec<usize>) -> Self {
        Self { text, origin: Origin::Each(numbers) }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the character number `at` stands in the file; its end for one that is not there.
    pub(crate) fn at(&self, at: usize) -> usize {
        match &self.origin {
            Origin::Whole => at,
            Origin::Each(numbers) => {
                let end = || numbers.last().map_or(0, |last| last.saturating_add(1));
                numbers.get(at).copied().unwrap_or_else(end)
            }
        }
    }

    /// An error at the character number `at`.
    pub(crate) fn error(&self, at: usize, message: &str) -> SyntaxError {
        SyntaxError { at: self.at(at), message: message.to_owned() }
    }

    /// A text that stands in this one from the character `start` on, written as `raw`: in quotes, as a
    /// block, or plain.
    pub(crate) fn part(&self, text: &str, start: usize, raw: &str) -> Self {
        let raw: Vec<char> = raw.chars().collect();
        let numbers = align(text, &raw).into_iter().map(|at| self.at(start.saturating_add(at)));
        Self::of(text.to_owned(), numbers.collect())
    }
}

/// Where each character of `text` stands in `raw`. Line breaks that are folded and indentation have no part in
/// the text; an escape is one character.
fn align(text: &str, raw: &[char]) -> Vec<usize> {
    let mut walk = Walk { raw, at: 0, quote: None };
    walk.head();
    text.chars().map(|c| walk.next(c)).collect()
}

struct Walk<'r> {
    raw: &'r [char],
    at: usize,
    quote: Option<char>,
}

impl Walk<'_> {
    fn here(&self) -> Option<char> {
        self.raw.get(self.at).copied()
    }

    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.raw.len());
    }

    /// Passes what stands before the text: a quote, or the line that begins a block.
    fn head(&mut self) {
        match self.here() {
            Some(quote @ ('"' | '\'')) => {
                self.quote = Some(quote);
                self.skip(1);
            }
            Some('|' | '>') => {
                let line = self.raw.iter().take_while(|c| **c != '\n').count();
                self.skip(line.saturating_add(1));
            }
            Some(_) | None => {}
        }
    }

    /// Passes the next character of the text, and says where it stands.
    fn next(&mut self, wanted: char) -> usize {
        loop {
            let at = self.at;
            match self.here() {
                Some('\\') if self.quote == Some('"') => {
                    let length = self.escape();
                    self.skip(length);
                    // A line break that is escaped is nothing.
                    if self.raw.get(at.saturating_add(1)) == Some(&'\n') {
                        continue;
                    }
                    return at;
                }
                Some('\'') if self.quote == Some('\'') => {
                    self.skip(2);
                    return at;
                }
                Some(c) if c == wanted => {
                    self.skip(1);
                    return at;
                }
                // A folded line break is a space.
                Some('\n') if wanted == ' ' => {
                    self.skip(1);
                    return at;
                }
                Some(c) if c.is_whitespace() => self.skip(1),
                Some(_) | None => {
                    self.skip(1);
                    return at.min(self.raw.len().saturating_sub(1));
                }
            }
        }
    }

    /// How long the escape is that begins here.
    fn escape(&self) -> usize {
        let is_surrogate = |at: usize| {
            let second = self.raw.get(at.saturating_add(3)).map(char::to_ascii_lowercase);
            let first = self.raw.get(at.saturating_add(2)).map(char::to_ascii_lowercase);
            first == Some('d') && matches!(second, Some('8' | '9' | 'a' | 'b'))
        };
        match self.raw.get(self.at.saturating_add(1)) {
            Some('u') if is_surrogate(self.at) => 12,
            Some('u') => 6,
            Some('U') => 10,
            Some('x') => 4,
            Some(_) | None => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in `raw` at the character of `text` that is `wanted`.
    fn rest(text: &str, raw: &str, wanted: char) -> String {
        let chars: Vec<char> = raw.chars().collect();
        let number = text.chars().position(|c| c == wanted).unwrap();
        chars[align(text, &chars)[number]..].iter().collect()
    }

    #[test]
    fn a_character_is_found_where_it_stands_however_the_text_is_written() {
        let rows = [
            ("{\"a\": 1}", r#""{\"a\": 1}""#, "1}\""),
            ("\u{1f600}\n\u{e9}1", r#""\ud83d\ude00\n\u00e91""#, "1\""),
            ("it's 1", "'it''s 1'", "1'"),
            ("\\ 1", "'\\ 1'", "1'"),
            ("\\ 1", r#""\\ 1""#, "1\""),
            ("{\n  \"a\": 1\n}\n", "|\n      {\n        \"a\": 1\n      }\n", "1\n      }\n"),
            ("a b 1", ">-\n  a\n  b\n  1\n", "1\n"),
            ("a b1", "\"a\n   b\\\n   1\"", "1\""),
            ("a 1", "a 1", "1"),
        ];
        for (text, raw, expected) in rows {
            assert_eq!(rest(text, raw, '1'), expected, "{raw}");
        }
    }
}
