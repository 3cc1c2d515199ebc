//! Where tokens are looked for, and how one that was found is taken out of the request.

use std::borrow::Cow;
use std::iter::Chain;
use std::{fmt, option, vec};

use crate::policy::path::{Target, percent_decode};
use crate::policy::query::{is_parameter, parameters};
use crate::request::{HeaderName, Pseudo, RequestView};

/// A place in a request where a token may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// A header, after a prefix.
    Header(HeaderName, Prefix),
    /// A query parameter.
    Parameter(Box<str>),
    /// A cookie.
    Cookie(Box<str>),
}

/// What stands before the token in a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Prefix {
    /// An authentication scheme: letters have no case, one or more spaces follow (RFC 9110, 11.4).
    Scheme(Box<str>),
    /// This text, perhaps none.
    Literal(Box<str>),
}

/// A token as the request carried it: no part of it is trusted.
#[derive(Eq, PartialEq)]
pub struct Credential<'r>(Cow<'r, [u8]>);

impl<'r> Credential<'r> {
    /// The compact form, as it came.
    pub fn token(&self) -> &[u8] {
        &self.0
    }

    fn of(value: Cow<'r, [u8]>, take: impl Fn(&[u8]) -> Option<&[u8]>) -> Option<Self> {
        match value {
            Cow::Borrowed(bytes) => take(bytes).map(|token| Self(Cow::Borrowed(token))),
            Cow::Owned(bytes) => take(&bytes).map(|token| Self(Cow::Owned(token.to_vec()))),
        }
    }
}

/// The tokens at one place: mostly one at most, which takes no list.
#[derive(Debug)]
pub struct Credentials<'r> {
    first: Option<Credential<'r>>,
    others: Vec<Credential<'r>>,
}

impl<'r> FromIterator<Credential<'r>> for Credentials<'r> {
    fn from_iter<I: IntoIterator<Item = Credential<'r>>>(found: I) -> Self {
        let mut found = found.into_iter();
        Self { first: found.next(), others: found.collect() }
    }
}

impl<'r> IntoIterator for Credentials<'r> {
    type Item = Credential<'r>;
    type IntoIter = Chain<option::IntoIter<Credential<'r>>, vec::IntoIter<Credential<'r>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.others)
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} bytes)", self.0.len())
    }
}

impl Location {
    /// The tokens at this place: one for each header line, parameter or cookie of that name. Of
    /// header lines the last comes first, as the native filter looks at them.
    pub fn find<'r>(&self, view: &'r dyn RequestView) -> Credentials<'r> {
        match self {
            Self::Header(name, prefix) => view
                .lines(name)
                .into_iter()
                .rev()
                .filter_map(|line| Credential::of(line, |value| prefix.token(value)))
                .collect(),
            Self::Parameter(name) => {
                let path = view.pseudo(Pseudo::Path).unwrap_or_default();
                parameters(Target::new(&path).query())
                    .filter(|(raw, _)| is_parameter(raw, name))
                    .map(|(_, value)| Credential(Cow::Owned(percent_decode(value))))
                    .collect()
            }
            Self::Cookie(name) => view
                .lines(&HeaderName::COOKIE)
                .as_slice()
                .iter()
                .flat_map(|line| cookies(line))
                .filter(|(_, found, _)| *found == name.as_bytes())
                .map(|(_, _, value)| Credential(Cow::Owned(unquoted(value).to_vec())))
                .collect(),
        }
    }
}

impl Prefix {
    fn token<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        match self {
            Self::Literal(prefix) => {
                let token = value.strip_prefix(prefix.as_bytes())?;
                // The native filter looks for the token behind a prefix such as `jwt`: `jwt="…`.
                let start =
                    token.iter().position(|b| is_token_byte(*b)).filter(|_| !prefix.is_empty());
                token.get(start.unwrap_or(0)..)
            }
            Self::Scheme(scheme) => scheme_token(value, scheme.as_bytes()),
        }
    }
}

const fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

/// What follows the scheme. Something that only looks like the scheme, or hides it behind another
/// one, is no absent token: it is handed on as a whole, to be refused as no token either.
fn scheme_token<'v>(value: &'v [u8], scheme: &[u8]) -> Option<&'v [u8]> {
    let begins = |text: &[u8]| {
        text.split_at_checked(scheme.len())
            .is_some_and(|(head, rest)| head.eq_ignore_ascii_case(scheme) && !rest.is_empty())
    };
    if !begins(value) {
        let mut later = value.split(|b| *b == b',').skip(1).map(<[u8]>::trim_ascii);
        return later.any(begins).then_some(value);
    }
    let rest = value.get(scheme.len()..)?;
    match rest.first() {
        Some(b' ') => Some(rest.trim_ascii_start()).filter(|token| !token.is_empty()),
        // Another scheme, whose name begins so.
        Some(b) if is_token_byte(*b) => None,
        Some(_) => Some(value),
        None => None,
    }
}

/// `target` without the parameters `names`: their bytes and one `&` each are cut out, and nothing
/// else is touched. `None` when there is nothing to cut.
pub fn without_parameters(target: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let at = target.iter().position(|b| *b == b'?')?;
    let (path, rest) = target.split_at_checked(at)?;
    let end = rest.iter().position(|b| *b == b'#').unwrap_or(rest.len());
    let (query, fragment) = rest.get(1..)?.split_at_checked(end.saturating_sub(1))?;
    let cut = |pair: &&[u8]| {
        parameters(Some(pair)).any(|(raw, _)| names.iter().any(|name| is_parameter(raw, name)))
    };
    if !query.split(|b| *b == b'&').any(|pair| cut(&pair)) {
        return None;
    }
    let kept: Vec<&[u8]> = query.split(|b| *b == b'&').filter(|pair| !cut(pair)).collect();
    let kept = kept.join(b"&".as_slice());
    let mark: &[u8] = if kept.is_empty() { b"" } else { b"?" };
    Some([path, mark, &kept, fragment].concat())
}

/// A `Cookie` line without the cookies `names`; empty when no other is left. `None` when there is
/// nothing to cut.
pub fn without_cookies(line: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let cut = |name: &[u8]| names.iter().any(|cut| cut.as_bytes() == name);
    if !cookies(line).any(|(_, name, _)| cut(name)) {
        return None;
    }
    let kept: Vec<&[u8]> =
        cookies(line).filter(|(_, name, _)| !cut(name)).map(|(whole, _, _)| whole).collect();
    Some(kept.join(b"; ".as_slice()))
}

/// The cookies of a line (RFC 6265, section 4.2.1): the whole pair, its name, its value.
fn cookies(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
    line.split(|b| *b == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).unwrap_or((pair, b""));
        (pair, name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii())
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(location: &Location, request: &[(&str, &str)]) -> Vec<String> {
        let found = location.find(&request);
        found.into_iter().map(|c| String::from_utf8_lossy(c.token()).into_owned()).collect()
    }

    #[test]
    fn a_scheme_has_no_case_and_is_parted_by_spaces() {
        let auth = HeaderName::parse("authorization").unwrap();
        let location = Location::Header(auth, Prefix::Scheme("Bearer".into()));
        let one = ["Bearer t", "bearer t", "BEARER   t"];
        let none = ["", "Bearer", "Bearer ", "Basic t", "Bearert", "Béarer t", "XBearer t"];
        let whole = ["Bearer\tt", "Bearer,t", "Basic x, Bearer t", "Basic x,bearer t"];
        for value in one {
            assert_eq!(found(&location, &[("authorization", value)]), ["t"], "{value:?}");
        }
        for value in none {
            assert_eq!(found(&location, &[("authorization", value)]), [""; 0], "{value:?}");
        }
        for value in whole {
            assert_eq!(found(&location, &[("authorization", value)]), [value], "{value:?}");
        }
    }

    #[test]
    fn each_line_parameter_and_cookie_is_a_token() {
        let header =
            Location::Header(HeaderName::parse("x-jwt").unwrap(), Prefix::Literal("t=".into()));
        let parameter = Location::Parameter("a b".into());
        let cookie = Location::Cookie("c".into());
        let request = [
            (":path", "/?a%20b=1&a b=%32&c=3"),
            ("x-jwt", "t=1"),
            ("X-Jwt", "t=2"),
            ("x-jwt", "3"),
            ("cookie", "c=1; d=2; c=\"3\""),
            ("cookie", "c = 4"),
        ];
        assert_eq!(found(&header, &request), ["2", "1"]);
        assert_eq!(found(&parameter, &request), ["1", "2"]);
        assert_eq!(found(&cookie, &request), ["1", "3", "4"]);
    }

    #[test]
    fn a_parameter_is_cut_byte_by_byte() {
        let cases = [
            ("/a?t=x", Some("/a")),
            ("/a?x=%41&t=x&y=b+c", Some("/a?x=%41&y=b+c")),
            ("/a?t=x&&y", Some("/a?&y")),
            ("/a?y=1&t=x", Some("/a?y=1")),
            ("/a?t=1&t=2", Some("/a")),
            ("/a?%74=1&b", Some("/a?b")),
            ("/a?tt=1", None),
            ("/a", None),
            ("/a?t=x#f", Some("/a#f")),
        ];
        for (target, expected) in cases {
            let cut = without_parameters(target.as_bytes(), &["t"]);
            assert_eq!(cut.as_deref(), expected.map(str::as_bytes), "{target}");
        }
    }

    #[test]
    fn a_cookie_is_cut_and_the_others_stay() {
        let cases =
            [("c=1", Some("")), ("a=1; c=2; b=\"3\"", Some("a=1; b=\"3\"")), ("cc=1", None)];
        for (line, expected) in cases {
            let cut = without_cookies(line.as_bytes(), &["c"]);
            assert_eq!(cut.as_deref(), expected.map(str::as_bytes), "{line}");
        }
    }
}
