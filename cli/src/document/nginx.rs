//! Configuration files of NGINX: directives, as far as finding the module's needs them.

use super::{Passage, SyntaxError};

/// A directive: its words, the name first, each with where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) words: Vec<Word>,
}

/// A word of a directive.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) at: usize,
    pub(crate) text: Passage,
}

impl Directive {
    /// The word number `index`; the name is number 0.
    pub(crate) fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index).map(|word| word.text.text())
    }
}

/// The directives of a file in their order, those within blocks after the one that opens the block.
pub(crate) fn directives(file: &Passage) -> Result<Vec<Directive>, SyntaxError> {
    let mut lexer = Lexer { chars: file.text().chars().collect(), at: 0, file };
    let mut directives = Vec::new();
    let mut words = Vec::new();
    while let Some(token) = lexer.token()? {
        match token {
            Token::Word(word) => words.push(word),
            Token::End => {
                if !words.is_empty() {
                    directives.push(Directive { words: std::mem::take(&mut words) });
                }
            }
        }
    }
    match words.first() {
        Some(Word { at, .. }) => {
            let message = "the directive is not ended by `;` or `{`".to_owned();
            Err(SyntaxError { at: *at, message })
        }
        None => Ok(directives),
    }
}

enum Token {
    Word(Word),
    /// `;`, `{` or `}`.
    End,
}

struct Lexer<'f> {
    chars: Vec<char>,
    at: usize,
    file: &'f Passage,
}

impl Lexer<'_> {
    fn here(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    fn token(&mut self) -> Result<Option<Token>, SyntaxError> {
        loop {
            match self.here() {
                None => return Ok(None),
                Some(c) if c.is_whitespace() => self.skip(1),
                Some('#') => {
                    while self.here().is_some_and(|c| c != '\n') {
                        self.skip(1)
                    }
                }
                Some(';' | '{' | '}') => {
                    self.skip(1);
                    return Ok(Some(Token::End));
                }
                Some(quote @ ('"' | '\'')) => return self.quoted(quote).map(Some),
                Some(_) => return Ok(Some(self.bare())),
            }
        }
    }

    /// A word without quotes.
    fn bare(&mut self) -> Token {
        let start = self.at;
        while self.here().is_some_and(|c| !c.is_whitespace() && !matches!(c, ';' | '{' | '}')) {
            self.skip(if self.here() == Some('\\') { 2 } else { 1 });
        }
        let end = self.at.min(self.chars.len());
        let text: String = self.chars.get(start..end).unwrap_or_default().iter().collect();
        let numbers = (start..end).map(|at| self.file.at(at)).collect();
        Token::Word(Word { at: self.file.at(start), text: Passage::of(text, numbers) })
    }

    /// A word in quotes. A backslash before a quote, a backslash, `t`, `r` or `n` is an escape, any other one is itself.
    fn quoted(&mut self, quote: char) -> Result<Token, SyntaxError> {
        let start = self.at;
        self.skip(1);
        let mut text = String::new();
        let mut numbers = Vec::new();
        loop {
            let at = self.at;
            let Some(c) = self.here() else {
                return Err(self.file.error(start, "the quote is not closed"));
            };
            self.skip(1);
            if c == quote {
                break;
            }
            let escaped = match (c, self.here()) {
                ('\\', Some(c @ ('"' | '\'' | '\\'))) => Some(c),
                ('\\', Some('t')) => Some('\t'),
                ('\\', Some('r')) => Some('\r'),
                ('\\', Some('n')) => Some('\n'),
                _ => None,
            };
            self.skip(usize::from(escaped.is_some()));
            text.push(escaped.unwrap_or(c));
            numbers.push(self.file.at(at));
        }
        Ok(Token::Word(Word { at: self.file.at(start), text: Passage::of(text, numbers) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        let directives = directives(&Passage::whole(text)).unwrap();
        let words = |d: &Directive| d.words.iter().map(|w| w.text.text().to_owned()).collect();
        directives.iter().map(words).collect()
    }

    #[test]
    fn directives_are_words_with_quotes_comments_and_escapes() {
        let text =
            "# a;\nhttp { server {\n  proxy_wasm jwt_gate '{\"a\": \"it\\'s\\\\d\\w\"}'; # x\n} }";
        let expected: [&[&str]; 3] =
            [&["http"], &["server"], &["proxy_wasm", "jwt_gate", "{\"a\": \"it's\\d\\w\"}"]];
        assert_eq!(words(text), expected);
    }

    #[test]
    fn what_is_not_ended_is_told() {
        let rows = [
            ("a 'b;", 2, "the quote is not closed"),
            ("a; b c", 3, "the directive is not ended by `;` or `{`"),
        ];
        for (text, at, message) in rows {
            let error = directives(&Passage::whole(text)).unwrap_err();
            assert_eq!(error, SyntaxError { at, message: message.to_owned() });
        }
    }
}
