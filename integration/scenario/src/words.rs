//! The inside of a placeholder: words, some of them `name=value`, values quoted or not.

use std::iter::Peekable;
use std::str::CharIndices;

/// One word of a placeholder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Word {
    /// A word without `=`.
    Bare(String),
    /// `name=value`, the quotes of the value taken off.
    Named(String, String),
}

/// Why a placeholder cannot be split into words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WordsError {
    /// A quote that does not end.
    #[error("the quote after `{0}=` does not end")]
    OpenQuote(String),
    /// A character right after the closing quote.
    #[error("`{0}=…` goes on after its closing quote")]
    AfterQuote(String),
    /// A word that begins with `=`.
    #[error("a word has no name before its `=`")]
    NoName,
    /// A `name=value` where none may stand.
    #[error("`{0}=` may not stand here")]
    Unexpected(String),
    /// A word that is there twice.
    #[error("`{0}=` is there twice")]
    Twice(String),
}

/// Splits `text` into words.
pub(crate) fn words(text: &str) -> Result<Vec<Word>, WordsError> {
    let mut chars = text.char_indices().peekable();
    let mut words = Vec::new();
    loop {
        while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut chars)?);
    }
}

fn word(chars: &mut Peekable<CharIndices<'_>>) -> Result<Word, WordsError> {
    let name = take_while(chars, |c| c != '=' && !c.is_whitespace());
    if chars.next_if(|(_, c)| *c == '=').is_none() {
        return Ok(Word::Bare(name));
    }
    if name.is_empty() {
        return Err(WordsError::NoName);
    }
    let Some((_, quote)) = chars.next_if(|(_, c)| matches!(c, '"' | '\'')) else {
        return Ok(Word::Named(name, take_while(chars, |c| !c.is_whitespace())));
    };
    let value = take_while(chars, |c| c != quote);
    if chars.next().is_none() {
        return Err(WordsError::OpenQuote(name));
    }
    match chars.peek() {
        Some((_, c)) if !c.is_whitespace() => Err(WordsError::AfterQuote(name)),
        _ => Ok(Word::Named(name, value)),
    }
}

fn take_while(chars: &mut Peekable<CharIndices<'_>>, wanted: impl Fn(char) -> bool) -> String {
    let mut taken = String::new();
    while let Some((_, c)) = chars.next_if(|(_, c)| wanted(*c)) {
        taken.push(c);
    }
    taken
}

/// Length of the placeholder that `text` begins with, up to but without its `}`.
///
/// A `}` in quotes belongs to the value, and placeholders nest.
pub(crate) fn placeholder_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if before == '=' => quote = Some(c),
            (None, '{') if before == '$' => depth = depth.saturating_add(1),
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        before = c;
    }
    None
}

/// Adds the words that every token has to those of one which does not say otherwise. A text in place of the
/// claims or of the header is complete.
pub(crate) fn complete(words: &mut Vec<Word>, general: Vec<Word>) {
    let has = |words: &[Word], wanted: &str| {
        words.iter().any(|word| matches!(word, Word::Named(name, _) if name == wanted))
    };
    if has(words, "payload") || has(words, "rawheader") {
        return;
    }
    for word in general {
        if !matches!(&word, Word::Named(name, _) if has(words, name)) {
            words.push(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, value: &str) -> Word {
        Word::Named(name.to_owned(), value.to_owned())
    }

    #[test]
    fn words_are_split_at_blanks_outside_quotes() {
        let bare = |s: &str| Word::Bare(s.to_owned());
        let cases = [
            ("", vec![]),
            ("  a b ", vec![bare("a"), bare("b")]),
            ("exp=+600 kid=-", vec![named("exp", "+600"), named("kid", "-")]),
            ("scope=\"a b\" x=1", vec![named("scope", "a b"), named("x", "1")]),
            ("claims='{\"a\": \"}\"}'", vec![named("claims", "{\"a\": \"}\"}")]),
            ("empty= other=''", vec![named("empty", ""), named("other", "")]),
            ("iss=https://idp/?a=b", vec![named("iss", "https://idp/?a=b")]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn broken_words_are_refused() {
        let cases = [
            ("a='x", WordsError::OpenQuote("a".to_owned())),
            ("a='x'y", WordsError::AfterQuote("a".to_owned())),
            ("=x", WordsError::NoName),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_placeholder_ends_at_its_own_brace() {
        let cases = [
            ("idp}rest", Some(3)),
            ("token a='}' b=1}", Some(15)),
            ("base64 ${idp}}", Some(13)),
            ("open", None),
            ("open a='}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(placeholder_end(text), expected, "{text:?}");
        }
    }

    #[test]
    fn words_that_every_token_has_count_where_a_token_does_not_say_otherwise() {
        let rows = [
            ("sub=c", "sub=c iss=a"),
            ("", "iss=a sub=b"),
            ("payload='{}'", "payload='{}'"),
            ("rawheader='{}'", "rawheader='{}'"),
        ];
        for (own, expected) in rows {
            let mut came = words(own).unwrap();
            complete(&mut came, words("iss=a sub=b").unwrap());
            assert_eq!(came, words(expected).unwrap(), "{own}");
        }
    }
}
