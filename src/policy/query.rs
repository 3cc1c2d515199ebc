//! The query: its parameters, and how those who look at them read it.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::policy::matcher::TextMatcher;
use crate::policy::path::percent_decode;

/// A query, decoded once and only if somebody asks.
#[derive(Debug)]
pub struct Query<'r> {
    raw: Option<&'r [u8]>,
    decoded: OnceCell<Vec<Decoded<'r>>>,
}

/// A parameter: its name decoded, its value not.
type Decoded<'r> = (Cow<'r, [u8]>, &'r [u8]);

/// How a query is read by those who look at its parameters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// Undecoded; of several parameters of one name the first counts. So does the native filter.
    AsItCame,
    /// Decoded, the first counts.
    First,
    /// Decoded, the last counts.
    Last,
}

/// A condition on a query parameter.
#[derive(Clone, Debug)]
pub struct QueryMatcher {
    as_it_came: Wanted,
    /// The same for those who decode.
    decoded: Wanted,
    /// For a presence test: whether it must be there.
    present: bool,
}

/// A parameter, and what its value must be; `None`: it need only be there.
#[derive(Clone, Debug)]
struct Wanted {
    name: Box<[u8]>,
    test: Option<TextMatcher>,
}

impl<'r> Query<'r> {
    /// A query as it came, if there is one.
    pub const fn new(raw: Option<&'r [u8]>) -> Self {
        Self { raw, decoded: OnceCell::new() }
    }

    /// The readings beside the one as it came.
    pub fn readings(&self) -> &'static [Reading] {
        let is_read = |b: &u8| matches!(b, b'%' | b'+' | b'&');
        let several = self.raw.is_some_and(|query| query.iter().any(is_read));
        if several { &[Reading::First, Reading::Last] } else { &[] }
    }

    fn decoded(&self) -> &[Decoded<'r>] {
        self.decoded.get_or_init(|| {
            parameters(self.raw).map(|(name, value)| (form_decode(name), value)).collect()
        })
    }
}

impl QueryMatcher {
    /// A condition on the parameter `name`: a test of its value, or without one that it is there
    /// where it is to be `present`, and not there where it is not.
    pub fn new(name: &[u8], test: Option<TextMatcher>, present: bool) -> Self {
        let decoded = Wanted {
            name: form_decode(name).into(),
            test: test.as_ref().map(TextMatcher::decoded),
        };
        Self { as_it_came: Wanted { name: name.into(), test }, decoded, present }
    }

    /// The parameter, as the configuration has it.
    pub fn name(&self) -> &[u8] {
        &self.as_it_came.name
    }

    /// Whether the query passes in this reading.
    pub fn matches(&self, query: &Query<'_>, reading: Reading) -> bool {
        let wanted = match reading {
            Reading::AsItCame => {
                let name = &*self.as_it_came.name;
                let found = parameters(query.raw).find(|(other, _)| *other == name);
                return self.holds(&self.as_it_came, found.map(|(_, value)| value));
            }
            Reading::First | Reading::Last => &self.decoded,
        };
        let mut found = query.decoded().iter().filter(|(other, _)| **other == *wanted.name);
        let one = if reading == Reading::Last { found.next_back() } else { found.next() };
        let value = one.map(|(_, value)| form_decode(value));
        self.holds(wanted, value.as_deref())
    }

    fn holds(&self, wanted: &Wanted, value: Option<&[u8]>) -> bool {
        match (value, &wanted.test) {
            (Some(value), Some(test)) => test.matches(value),
            (found, None) => found.is_some() == self.present,
            (None, Some(_)) => false,
        }
    }
}

/// Parameters of a query, undecoded; one without `=` has an empty value.
pub fn parameters(query: Option<&[u8]>) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = query.unwrap_or_default().split(|b| *b == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).unwrap_or((pair, b""));
        (name, value.get(1..).unwrap_or_default())
    })
}

/// Whether the undecoded parameter name says `name`.
pub fn is_parameter(raw: &[u8], name: &str) -> bool {
    // Nothing that is decoded becomes longer, or shorter than a third.
    let fits = name.len() < raw.len() && raw.len() <= name.len().saturating_mul(3);
    raw == name.as_bytes() || fits && raw.contains(&b'%') && percent_decode(raw) == name.as_bytes()
}

/// Decodes a name or a value of a query as forms encode them.
pub fn form_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|b| matches!(b, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let text: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    Cow::Owned(percent_decode(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_in_each_reading() {
        let matcher = |name: &str, value: Option<&str>| {
            let test = value.map(|value| TextMatcher::exact(value, false));
            QueryMatcher::new(name.as_bytes(), test, true)
        };
        let (named, one) = (matcher("a b", None), matcher("x", Some("1")));
        let escaped = matcher("x", Some("a%20b"));
        let rows = [
            (&one, "x=1", [true, true, true]),
            (&one, "x=1&x=2", [true, true, false]),
            (&one, "x=2&x=1", [false, false, true]),
            (&one, "%78=1", [false, true, true]),
            (&one, "x=%31", [false, true, true]),
            (&one, "y&x=1&%78=2", [true, true, false]),
            (&named, "a+b", [false, true, true]),
            (&named, "a%20b=1", [false, true, true]),
            (&named, "a b", [true, true, true]),
            (&escaped, "x=a%20b", [true, true, true]),
            (&escaped, "x=a+b", [false, true, true]),
        ];
        for (matcher, text, expected) in rows {
            let query = Query::new(Some(text.as_bytes()));
            let readings = [Reading::AsItCame, Reading::First, Reading::Last];
            assert_eq!(
                readings.map(|reading| matcher.matches(&query, reading)),
                expected,
                "{text}"
            );
        }
        assert_eq!(Query::new(Some(b"x=1")).readings(), []);
        assert_eq!(Query::new(None).readings(), []);
    }
}
