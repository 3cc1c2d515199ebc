//! The syntax of NGINX's configuration.

/// A directive with what it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Directive {
    /// Its name.
    pub(super) name: String,
    /// What stands behind it.
    pub(super) arguments: Vec<String>,
    /// The directives in its block.
    pub(super) block: Vec<Self>,
    /// Where it begins, from 1 on.
    pub(super) line: usize,
}

impl Directive {
    /// An argument; empty: there is none.
    pub(super) fn argument(&self, at: usize) -> &str {
        self.arguments.get(at).map_or("", String::as_str)
    }

    /// Its place for a person.
    pub(super) fn place(&self) -> String {
        format!("line {}: {}", self.line, self.name)
    }
}

/// A piece of the text.
enum Piece {
    Word(String),
    End,
    Open,
    Close,
}

/// Reads a configuration. The error is the line that is not understood.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, usize> {
    let mut blocks: Vec<(Directive, Vec<Directive>)> = Vec::new();
    let (mut done, mut words, mut begin) = (Vec::new(), Vec::<String>::new(), 1);
    for (piece, line) in pieces(text)? {
        match piece {
            Piece::Word(word) => {
                if words.is_empty() {
                    begin = line;
                }
                words.push(word);
            }
            Piece::End | Piece::Open if words.is_empty() => return Err(line),
            Piece::End => done.push(directive(&mut words, begin)),
            Piece::Open => blocks.push((directive(&mut words, begin), std::mem::take(&mut done))),
            Piece::Close => {
                let (mut whole, before) = blocks.pop().filter(|_| words.is_empty()).ok_or(line)?;
                whole.block = std::mem::replace(&mut done, before);
                done.push(whole);
            }
        }
    }
    if words.is_empty() && blocks.is_empty() { Ok(done) } else { Err(begin) }
}

fn directive(words: &mut Vec<String>, line: usize) -> Directive {
    let mut words = std::mem::take(words).into_iter();
    let name = words.next().unwrap_or_default();
    Directive { name, arguments: words.collect(), block: Vec::new(), line }
}

fn pieces(text: &str) -> Result<Vec<(Piece, usize)>, usize> {
    let (mut found, mut letters, mut line) = (Vec::new(), text.chars().peekable(), 1_usize);
    while let Some(c) = letters.next() {
        match c {
            '\n' => line = line.saturating_add(1),
            c if c.is_whitespace() => {}
            '#' => while letters.next_if(|c| *c != '\n').is_some() {},
            ';' => found.push((Piece::End, line)),
            '{' => found.push((Piece::Open, line)),
            '}' => found.push((Piece::Close, line)),
            quote @ ('"' | '\'') => {
                let (mut word, begin) = (String::new(), line);
                loop {
                    match letters.next().ok_or(begin)? {
                        c if c == quote => break,
                        '\\' => match letters.next().ok_or(begin)? {
                            c if c == quote || c == '\\' => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => {
                            line = line.saturating_add(usize::from(c == '\n'));
                            word.push(c);
                        }
                    }
                }
                found.push((Piece::Word(word), begin));
            }
            c => {
                let mut word = c.to_string();
                while let Some(c) =
                    letters.next_if(|c| !c.is_whitespace() && *c != ';' && *c != '{' && *c != '}')
                {
                    word.push(c);
                    // `${x}` and `{2,3}` of an expression are within a word.
                    if (c == '$' || c == '\\')
                        && letters.peek().is_some_and(|c| matches!(c, '{' | '}' | ';'))
                    {
                        word.extend(letters.by_ref().take(1));
                    }
                }
                found.push((Piece::Word(word), line));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_quotes_and_comments_are_read() {
        let text = "# c\nhttp {\n  map $a $b { default 0; \"x y\" 1; }\n  server { listen 80; location ~ \\.php$ { } }\n}\n";
        let came = parse(text).unwrap();
        let http = &came[0];
        assert_eq!((http.name.as_str(), http.line, http.block.len()), ("http", 2, 2));
        assert_eq!(http.block[0].block[1].name, "x y");
        let location = &http.block[1].block[1];
        assert_eq!(location.arguments, ["~", "\\.php$"]);
    }

    #[test]
    fn what_is_no_configuration_is_told_by_its_line() {
        for (text, line) in [("a {\n", 1), ("a;\n}\n", 2), ("a 'b", 1), ("a", 1), ("\n;", 2)] {
            assert_eq!(parse(text), Err(line), "{text:?}");
        }
    }
}
