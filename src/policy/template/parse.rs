//! Reading a template's text.

use super::{Segment, Variable};

/// A template, half read.
#[derive(Default)]
struct Parser {
    segments: Vec<Segment>,
    variables: Vec<Variable>,
    /// Text of the segment that is being read: before its wildcard, after it.
    before: String,
    wildcard: Option<Wildcard>,
    /// Text after a wildcard within the braces that it is in.
    inner: String,
    after: String,
    open: Option<Open>,
    /// Whether braces were closed in this segment.
    closed: bool,
}

/// A variable whose braces are open.
struct Open {
    name: String,
    /// Its first segment.
    first: usize,
    /// How much text stands before the braces in the segment that is being read.
    outside: usize,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Wildcard {
    One,
    Rest,
}

/// Segments and variables of a template.
pub(super) fn parse(text: &str) -> Result<(Vec<Segment>, Vec<Variable>), String> {
    let Some(mut rest) = text.strip_prefix('/') else {
        return Err(format!("must begin with `/`, found `{text}`"));
    };
    let mut parser = Parser::default();
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '/' => {
                parser.slash()?;
                tail
            }
            '*' => parser.wildcard(tail)?,
            '{' => parser.brace(tail)?,
            '}' => {
                parser.close()?;
                tail
            }
            c => {
                parser.text(c)?;
                tail
            }
        };
    }
    parser.end(text)
}

impl Parser {
    /// A slash ends a segment, but after `**`, where it is text like any other.
    fn slash(&mut self) -> Result<(), String> {
        let is_empty = self.before.is_empty() && self.wildcard.is_none();
        if self.wildcard == Some(Wildcard::Rest) {
            self.tail().push('/');
        } else if self.open.is_some() && is_empty {
            return Err(self.mixed());
        } else {
            self.segment();
        }
        Ok(())
    }

    fn wildcard<'t>(&mut self, tail: &'t str) -> Result<&'t str, String> {
        if self.wildcard.is_some() || self.closed {
            return Err(self.second());
        }
        if self.open.as_ref().is_some_and(|open| open.outside < self.before.len()) {
            return Err(self.mixed());
        }
        let rest = tail.strip_prefix('*');
        self.wildcard = Some(if rest.is_some() { Wildcard::Rest } else { Wildcard::One });
        Ok(rest.unwrap_or(tail))
    }

    fn brace<'t>(&mut self, tail: &'t str) -> Result<&'t str, String> {
        let end = tail.find(['=', '}', '{', '/']).unwrap_or(tail.len());
        let (name, rest) = tail.split_at_checked(end).unwrap_or((tail, ""));
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || !name.bytes().all(word) {
            return Err(format!("a variable's name is letters, digits and `_`, found `{name}`"));
        }
        if self.variables.iter().any(|variable| *variable.name == *name) {
            return Err(format!("has the variable `{name}` twice"));
        }
        if self.open.is_some() || self.wildcard.is_some() || self.closed {
            return Err(self.second());
        }
        let (first, outside) = (self.segments.len(), self.before.len());
        self.open = Some(Open { name: name.to_owned(), first, outside });
        match rest.strip_prefix('=') {
            // Text before the braces is no part of the value, so that a wildcard has to follow.
            Some(pattern) if self.before.is_empty() || pattern.starts_with('*') => Ok(pattern),
            Some(_) => Err(self.mixed()),
            None if rest.starts_with('}') => {
                self.wildcard = Some(Wildcard::One);
                Ok(rest)
            }
            None => Err(format!("`{{{name}` has no `}}`")),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(Open { name, first, .. }) = self.open.take() else {
            return Err("has a `}` without its `{`".to_owned());
        };
        if self.before.is_empty() && self.wildcard.is_none() {
            return Err(format!("the variable `{name}` stands for nothing"));
        }
        self.variables.push(Variable { name: name.into(), first, last: self.segments.len() });
        self.closed = true;
        Ok(())
    }

    fn text(&mut self, c: char) -> Result<(), String> {
        let in_braces = self.open.is_some();
        match self.wildcard {
            // Within braces a segment is text or a wildcard, not both.
            Some(Wildcard::One) if in_braces => return Err(self.mixed()),
            Some(Wildcard::Rest) if in_braces && self.inner.is_empty() => return Err(self.mixed()),
            Some(_) => self.tail().push(c),
            None if self.closed => return Err(self.mixed()),
            None => self.before.push(c),
        }
        Ok(())
    }

    /// The text behind a wildcard that is being read.
    const fn tail(&mut self) -> &mut String {
        if self.open.is_some() { &mut self.inner } else { &mut self.after }
    }

    fn second(&self) -> String {
        match self.wildcard {
            Some(Wildcard::Rest) => "only text can follow `**`, which takes the rest".to_owned(),
            Some(Wildcard::One) | None => "has two wildcards in one segment".to_owned(),
        }
    }

    fn mixed(&self) -> String {
        let name = self.open.as_ref().map(|open| open.name.as_str());
        let name = name.or_else(|| self.variables.last().map(|variable| &*variable.name));
        let name = name.unwrap_or_default();
        format!("the variable `{name}` stands for whole segments, each of them text, `*` or `**`")
    }

    fn segment(&mut self) {
        let bytes = |text: &mut String| std::mem::take(text).into_bytes().into();
        let before = bytes(&mut self.before);
        let (inner, after) = (bytes(&mut self.inner), bytes(&mut self.after));
        self.segments.push(match self.wildcard.take() {
            None => Segment::Literal(before),
            Some(Wildcard::One) => Segment::One { before, after },
            Some(Wildcard::Rest) => Segment::Rest { before, inner, after },
        });
        self.closed = false;
        if let Some(open) = &mut self.open {
            open.outside = 0;
        }
    }

    fn end(mut self, text: &str) -> Result<(Vec<Segment>, Vec<Variable>), String> {
        if let Some(Open { name, .. }) = &self.open {
            return Err(format!("`{text}` has no `}}` for the variable `{name}`"));
        }
        self.segment();
        Ok((self.segments, self.variables))
    }
}
