//! The request target and its two readings.
//!
//! A policy that reads a path in one way and a back end that reads it in another are an open door.
//! So a rule is looked up for the path as it came and for its most liberal reading: what some
//! server behind the proxy may make of it. Where the two find different rules nobody passes.

use std::borrow::Cow;

/// How often percent-escapes are decoded at most; who escapes more deeply hides something.
const MAX_PASSES: usize = 4;

/// A request target (RFC 9112, section 3.2), split once; the bytes are those that came.
#[derive(Clone, Copy, Debug)]
pub struct Target<'r> {
    path: &'r [u8],
    query: Option<&'r [u8]>,
}

impl<'r> Target<'r> {
    /// Splits a target. A fragment has no place in a request and belongs to neither part.
    pub fn new(raw: &'r [u8]) -> Self {
        let raw = raw.split(|b| *b == b'#').next().unwrap_or_default();
        match raw.iter().position(|b| *b == b'?').and_then(|at| raw.split_at_checked(at)) {
            Some((path, query)) => Self { path, query: Some(query.get(1..).unwrap_or_default()) },
            None => Self { path: raw, query: None },
        }
    }

    /// The path, as it came.
    pub const fn path(&self) -> &'r [u8] {
        self.path
    }

    /// What follows the question mark, as it came.
    pub const fn query(&self) -> Option<&'r [u8]> {
        self.query
    }

    /// The most liberal reading of the path: percent-escapes decoded until none is left, `\` as
    /// `/`, `;parameters` cut off, slashes merged, dot segments resolved (RFC 3986, 5.2.4).
    /// `None` when no reading can be trusted: control characters, or escapes of escapes of escapes.
    pub fn liberal(&self) -> Option<Cow<'r, [u8]>> {
        if self.path.iter().any(u8::is_ascii_control) {
            return None;
        }
        if is_plain(self.path) {
            return Some(Cow::Borrowed(self.path));
        }
        let decoded = decode_fully(self.path)?;
        if decoded.iter().any(u8::is_ascii_control) {
            return None;
        }
        Some(Cow::Owned(resolve(&decoded)))
    }
}

/// Whether the liberal reading can only be the path itself.
fn is_plain(path: &[u8]) -> bool {
    let suspicious = |pair: &[u8]| matches!(pair, b"//" | b"/.");
    path.first() == Some(&b'/')
        && !path.iter().any(|b| matches!(b, b'%' | b'\\' | b';'))
        && !path.windows(2).any(suspicious)
}

fn decode_fully(path: &[u8]) -> Option<Vec<u8>> {
    let mut current = path.to_vec();
    for _ in 0..MAX_PASSES {
        let next = percent_decode(&current);
        if next == current {
            return Some(current);
        }
        current = next;
    }
    None
}

/// Decodes the valid percent-escapes, once; others stay as they are.
pub fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let byte = match (first, tail) {
            (b'%', [high, low, after @ ..]) => escape(*high, *low).inspect(|_| rest = after),
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
    }
    decoded
}

fn escape(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

fn resolve(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut directory = false;
    for segment in path.split(|b| matches!(b, b'/' | b'\\')) {
        let name = segment.split(|b| *b == b';').next().unwrap_or_default();
        directory = matches!(name, b"" | b"." | b"..");
        match name {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    let mut resolved = Vec::with_capacity(path.len());
    for segment in &kept {
        resolved.push(b'/');
        resolved.extend_from_slice(segment);
    }
    if directory || kept.is_empty() {
        resolved.push(b'/');
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_liberal_reading_is_what_some_server_may_see() {
        let cases = [
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/", "/"),
            ("", "/"),
            ("a/b", "/a/b"),
            ("//admin", "/admin"),
            ("/a//b", "/a/b"),
            ("/./admin", "/admin"),
            ("/x/../admin", "/admin"),
            ("/../../admin", "/admin"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/%61dmin", "/admin"),
            ("/public/%2e%2e/admin", "/admin"),
            ("/public/%252e%252e/admin", "/admin"),
            ("/public/..;/admin", "/admin"),
            ("/public/..;a=b/admin", "/admin"),
            ("/public/..%3bx/admin", "/admin"),
            ("/public%2f..%2fadmin", "/admin"),
            ("/public\\..\\admin", "/admin"),
            ("/public/%5c../admin", "/admin"),
            ("/a;v=1/b;w", "/a/b"),
            ("/a.b/c..d/...", "/a.b/c..d/..."),
            ("/100%", "/100%"),
            ("/%zz", "/%zz"),
        ];
        for (path, expected) in cases {
            let liberal = Target::new(path.as_bytes()).liberal().unwrap();
            assert_eq!(str::from_utf8(&liberal), Ok(expected), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_read_for_sure_has_no_liberal_reading() {
        for path in ["/a%00", "/a%0a", "/a\u{7f}", "/%2525252561"] {
            assert_eq!(Target::new(path.as_bytes()).liberal(), None, "{path:?}");
        }
    }

    #[test]
    fn query_and_fragment_are_no_part_of_the_path() {
        let cases: [(&str, &str, Option<&str>); 5] = [
            ("/a?b=/c", "/a", Some("b=/c")),
            ("/a?", "/a", Some("")),
            ("/a#b?c", "/a", None),
            ("/a?b#c", "/a", Some("b")),
            ("/a", "/a", None),
        ];
        for (raw, path, query) in cases {
            let target = Target::new(raw.as_bytes());
            assert_eq!(target.path(), path.as_bytes(), "{raw}");
            assert_eq!(target.query(), query.map(str::as_bytes), "{raw}");
        }
    }
}
