//! The request target and its readings.
//!
//! A policy that reads a path in one way and a back end that reads it in another are an open door.
//! So a rule is looked up for the path as it came and for every reading that some server behind
//! the proxy may make of it. Where they find different rules, nobody passes.

use std::borrow::Cow;

/// A request target (RFC 9112, section 3.2), split once; the bytes are those that came.
#[derive(Clone, Copy, Debug)]
pub struct Target<'r> {
    path: &'r [u8],
    query: Option<&'r [u8]>,
    fragment: bool,
}

/// The readings of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readings<'r> {
    /// It can only be read as it came.
    Plain,
    /// It can be read in these ways as well; the last is the most liberal one: percent-escapes
    /// decoded, `\` as `/`, `;parameters` cut off, slashes merged, dot segments resolved.
    Several(Vec<Cow<'r, [u8]>>),
    /// Nobody can say how it is read: control characters, escaped escapes, forms of escapes that
    /// only some servers know; or it is so long that looking at all its readings is what an
    /// attacker would want.
    Untold,
}

/// Bytes of a path that are looked at; no server has to take more (RFC 9110, section 4.1).
const MAX_PATH: usize = 8 * 1024;

/// Bytes that all readings of a path may have together.
const MAX_READ: usize = 32 * 1024;

/// What servers may do to a path, each by itself.
#[derive(Clone, Copy, Debug)]
struct Liberties {
    decode: Decode,
    backslash: bool,
    cut_parameters: bool,
    merge: Merge,
    resolve_dots: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Decode {
    None,
    /// All escapes but those of slashes.
    ButSlashes,
    All,
    /// All, and what a decoded `?` or `#` begins is no part of the path.
    AllAndSplit,
}

/// When several slashes become one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Merge {
    Never,
    /// After dot segments were resolved: `/a//../b` is `/a/b`.
    AfterDots,
    /// Before: `/a//../b` is `/b`.
    BeforeDots,
}

impl<'r> Target<'r> {
    /// Splits a target. A fragment has no place in a request; one that has it is told apart.
    pub fn new(raw: &'r [u8]) -> Self {
        let mut parts = raw.splitn(2, |b| *b == b'#');
        let raw = parts.next().unwrap_or_default();
        let fragment = parts.next().is_some();
        match raw.iter().position(|b| *b == b'?').and_then(|at| raw.split_at_checked(at)) {
            Some((path, query)) => {
                Self { path, query: Some(query.get(1..).unwrap_or_default()), fragment }
            }
            None => Self { path: raw, query: None, fragment },
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

    /// The readings of the path, beside the one as it came, each once. Cost: linear in its length,
    /// which is bounded, times a hundred at the most for a path that uses every liberty there is.
    pub fn readings(&self) -> Readings<'r> {
        if self.path.len() > MAX_PATH {
            return Readings::Untold;
        }
        if !self.fragment && is_plain(self.path) {
            return Readings::Plain;
        }
        if self.fragment || self.path.iter().any(u8::is_ascii_control) {
            return Readings::Untold;
        }
        let decoded = percent_decode(self.path);
        if !is_told(self.path, &decoded) {
            return Readings::Untold;
        }
        let mut readings = Vec::new();
        let mut room = MAX_READ;
        for liberties in liberties(self.path, &decoded) {
            let reading: Cow<'r, [u8]> = Cow::Owned(liberties.read(self.path));
            match readings.iter().position(|known| *known == reading) {
                // The most liberal one is the last, also where it is another one's reading.
                Some(at) => drop(readings.remove(at)),
                None => match room.checked_sub(reading.len()) {
                    Some(left) => room = left,
                    None => return Readings::Untold,
                },
            }
            readings.push(reading);
        }
        Readings::Several(readings)
    }
}

/// Whether the path can only be read in one way. Nearly every request comes by here, and most get
/// no further: it is one pass.
fn is_plain(path: &[u8]) -> bool {
    let mut before = b' ';
    let plain = path.iter().all(|b| {
        let suspicious = matches!((before, *b), (_, b'%' | b'\\' | b';') | (b'/', b'/' | b'.'));
        before = *b;
        !suspicious && matches!(b, b' '..=b'~')
    });
    plain && path.first() == Some(&b'/')
}

/// Whether one decoding tells all that escapes can say.
fn is_told(path: &[u8], decoded: &[u8]) -> bool {
    let control = decoded.iter().any(u8::is_ascii_control);
    let escaped_escape = percent_decode(decoded) != decoded;
    // Overlong UTF-8 and `%uXXXX` are letters to some servers and rubbish to others.
    let overlong = is_overlong(decoded);
    let wide = path.windows(2).any(|pair| matches!(pair, b"%u" | b"%U"));
    // `/a;%2fb` depends on whether parameters are cut before or after decoding.
    let separators = |text: &[u8]| text.iter().filter(|b| matches!(b, b'/' | b'\\')).count();
    let hidden = separators(decoded) != separators(path);
    !(control || escaped_escape || overlong || wide || hidden && decoded.contains(&b';'))
}

/// Whether a character is written in more octets than it takes (RFC 3629, section 3).
fn is_overlong(text: &[u8]) -> bool {
    let begins = |pair: &[u8]| {
        matches!(
            pair,
            [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f] | [0xf8, 0x80..=0x87] | [0xfc, 0x80..=0x83]
        )
    };
    text.iter().any(|b| matches!(b, 0xc0 | 0xc1)) || text.windows(2).any(begins)
}

/// Every combination of the liberties that make a difference; the most liberal one comes last.
fn liberties(path: &[u8], decoded: &[u8]) -> impl Iterator<Item = Liberties> + use<> {
    let mut decodings = vec![Decode::None];
    if decoded != path {
        decodings.extend([Decode::ButSlashes, Decode::AllAndSplit, Decode::All]);
    }
    let either = |there: bool| if there { vec![false, true] } else { vec![true] };
    let backslash = either(decoded.contains(&b'\\'));
    let cut = either(decoded.contains(&b';'));
    let mut all = Vec::new();
    for decode in decodings {
        for backslash in &backslash {
            for cut_parameters in &cut {
                for merge in [Merge::Never, Merge::AfterDots, Merge::BeforeDots] {
                    for resolve_dots in [false, true] {
                        let (backslash, cut_parameters) = (*backslash, *cut_parameters);
                        let taken =
                            Liberties { decode, backslash, cut_parameters, merge, resolve_dots };
                        all.push(taken);
                    }
                }
            }
        }
    }
    all.into_iter()
}

impl Liberties {
    fn read(self, path: &[u8]) -> Vec<u8> {
        let decoded = match self.decode {
            Decode::None => path.to_vec(),
            Decode::ButSlashes => decode(path, |b| !matches!(b, b'/' | b'\\')),
            Decode::All => percent_decode(path),
            Decode::AllAndSplit => {
                let decoded = percent_decode(path);
                let end = decoded.iter().position(|b| matches!(b, b'?' | b'#'));
                decoded.get(..end.unwrap_or(decoded.len())).unwrap_or_default().to_vec()
            }
        };
        let is_slash = |b: &u8| *b == b'/' || self.backslash && *b == b'\\';
        let mut kept: Vec<&[u8]> = Vec::new();
        // What stands before the first slash is nothing, or is read as if it came after one.
        let first = decoded.strip_prefix(b"/").unwrap_or(&decoded);
        let segments: Vec<&[u8]> = first.split(is_slash).collect();
        let last = segments.len().saturating_sub(1);
        for (i, segment) in segments.into_iter().enumerate() {
            let name = match segment.iter().position(|b| *b == b';') {
                Some(at) if self.cut_parameters => segment.get(..at).unwrap_or_default(),
                Some(_) | None => segment,
            };
            let ends = i == last;
            match name {
                b"." | b".." if self.resolve_dots => {
                    if name == b".." {
                        kept.pop();
                    }
                    if ends {
                        kept.push(b"");
                    }
                }
                b"" if self.merge == Merge::BeforeDots && !ends => {}
                name => kept.push(name),
            }
        }
        if self.merge == Merge::AfterDots {
            kept = merged(&kept);
        }
        kept.iter().flat_map(|segment| [b"/".as_slice(), segment].concat()).collect()
    }
}

/// The segments without empty ones, save the last.
fn merged<'s>(segments: &[&'s [u8]]) -> Vec<&'s [u8]> {
    let Some((last, others)) = segments.split_last() else { return Vec::new() };
    others.iter().filter(|segment| !segment.is_empty()).chain([last]).copied().collect()
}

/// Decodes the valid percent-escapes, once; others stay as they are.
pub fn percent_decode(text: &[u8]) -> Vec<u8> {
    decode(text, |_| true)
}

/// Decodes the valid percent-escapes of bytes that are `wanted`.
fn decode(text: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let byte = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                escape(*high, *low).filter(|b| wanted(*b)).inspect(|_| rest = after)
            }
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

#[cfg(test)]
mod tests;
