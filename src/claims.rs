//! The claims of a token: the registered ones typed, all of them by path.

use crate::json::{self, Number, Object, Value, decimal};
use crate::rejection::{Malformed, TimeClaim};

/// A claims set (RFC 7519, section 4). Being one says nothing about who signed it.
#[derive(Clone, Debug)]
pub struct Claims {
    members: Object,
    /// `exp`, cut down to whole seconds.
    pub exp: Option<u64>,
    /// `nbf`, rounded up to whole seconds.
    pub nbf: Option<u64>,
    /// `iat`, cut down to whole seconds.
    pub iat: Option<u64>,
}

impl Claims {
    /// Reads a payload. A registered claim of the wrong type refuses the token: it is never taken
    /// for absent.
    pub fn parse(payload: &[u8], max_depth: usize) -> Result<Self, Malformed> {
        let Ok(Value::Object(members)) = json::parse(payload, max_depth) else {
            return Err(Malformed::PayloadJson);
        };
        for (name, error) in [("iss", Malformed::Issuer), ("sub", Malformed::Subject)] {
            string(&members, name).map_err(|()| error)?;
        }
        let iat = seconds(&members, TimeClaim::Iat, f64::floor)?;
        let nbf = seconds(&members, TimeClaim::Nbf, f64::ceil)?;
        let exp = seconds(&members, TimeClaim::Exp, f64::floor)?;
        string(&members, "jti").map_err(|()| Malformed::TokenId)?;
        if members.get("aud").is_some_and(|aud| texts(aud).is_none()) {
            return Err(Malformed::Audience);
        }
        Ok(Self { members, exp, nbf, iat })
    }

    /// All claims, by name.
    pub const fn members(&self) -> &Object {
        &self.members
    }

    /// Bytes on the heap that they take, about.
    pub(crate) fn size(&self) -> usize {
        json::size(&self.members)
    }

    /// The claim `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// `iss`; empty when absent.
    pub fn issuer(&self) -> &str {
        self.get("iss").and_then(Value::as_str).unwrap_or_default()
    }

    /// `sub`; empty when absent.
    pub fn subject(&self) -> &str {
        self.get("sub").and_then(Value::as_str).unwrap_or_default()
    }

    /// The audiences, a single one being a list of one.
    pub fn audiences(&self) -> Vec<&str> {
        self.get("aud").and_then(texts).unwrap_or_default()
    }

    /// The claims at `path`, whose one step `*` stands for every member:
    /// `resource_access.*.roles` are the roles of every client.
    pub fn each_at(&self, path: &ClaimPath) -> Vec<&Value> {
        let ClaimPath::Dotted(name) = path else { return self.at(path).into_iter().collect() };
        match (self.at(path), name.split_once(".*.")) {
            (None, Some((head, tail))) => {
                let members = dotted(&self.members, head).and_then(Value::as_object);
                let members = members.into_iter().flat_map(Object::values);
                members.filter_map(|member| dotted(member.as_object()?, tail)).collect()
            }
            (found, _) => found.into_iter().collect(),
        }
    }

    /// The claim at `path`.
    pub fn at(&self, path: &ClaimPath) -> Option<&Value> {
        match path {
            ClaimPath::Dotted(name) => dotted(&self.members, name),
            ClaimPath::Steps(steps) => {
                let (last, parents) = steps.split_last()?;
                let mut object = &self.members;
                for step in parents {
                    object = object.get(step)?.as_object()?;
                }
                object.get(last)
            }
        }
    }
}

/// Where a claim is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimPath {
    /// Split at dots, the longest literal match first: a claim really named `a.b` is found.
    Dotted(Box<str>),
    /// Member by member.
    Steps(Box<[Box<str>]>),
}

fn dotted<'o>(object: &'o Object, name: &str) -> Option<&'o Value> {
    if let Some(value) = object.get(name) {
        return Some(value);
    }
    name.rmatch_indices('.').find_map(|(at, _)| {
        let (head, tail) = name.split_at_checked(at)?;
        dotted(object.get(head)?.as_object()?, tail.get(1..)?)
    })
}

/// A string or a list of strings, as a list.
pub fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(one) => Some(vec![one]),
        Value::Array(elements) => elements.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn string(members: &Object, name: &str) -> Result<(), ()> {
    if members.get(name).is_none_or(|value| value.as_str().is_some()) { Ok(()) } else { Err(()) }
}

/// A NumericDate (RFC 7519, section 2), rounded never in the holder's favour.
fn seconds(
    members: &Object,
    claim: TimeClaim,
    round: fn(f64) -> f64,
) -> Result<Option<u64>, Malformed> {
    let Some(value) = members.get(claim.name()) else { return Ok(None) };
    match value.as_number() {
        None => Err(Malformed::TimeType(claim)),
        Some(Number::Unsigned(n)) => Ok(Some(n)),
        Some(Number::Negative(_)) => Err(Malformed::TimeRange(claim)),
        Some(Number::Float(x)) => decimal::magnitude(round(x))
            .filter(|_| x >= 0.0)
            .map(Some)
            .ok_or(Malformed::TimeRange(claim)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Claims, Malformed> {
        Claims::parse(text.as_bytes(), 64)
    }

    #[test]
    fn a_registered_claim_of_the_wrong_type_is_never_taken_for_absent() {
        let cases = [
            ("[]", Malformed::PayloadJson),
            ("null", Malformed::PayloadJson),
            (r#"{"iss":1}"#, Malformed::Issuer),
            (r#"{"iss":null}"#, Malformed::Issuer),
            (r#"{"sub":[]}"#, Malformed::Subject),
            (r#"{"jti":1}"#, Malformed::TokenId),
            (r#"{"aud":5}"#, Malformed::Audience),
            (r#"{"aud":["a",5]}"#, Malformed::Audience),
            (r#"{"aud":null}"#, Malformed::Audience),
            (r#"{"exp":"1"}"#, Malformed::TimeType(TimeClaim::Exp)),
            (r#"{"exp":null}"#, Malformed::TimeType(TimeClaim::Exp)),
            (r#"{"nbf":true}"#, Malformed::TimeType(TimeClaim::Nbf)),
            (r#"{"iat":[]}"#, Malformed::TimeType(TimeClaim::Iat)),
            (r#"{"exp":-1}"#, Malformed::TimeRange(TimeClaim::Exp)),
            (r#"{"exp":-0.5}"#, Malformed::TimeRange(TimeClaim::Exp)),
            (r#"{"exp":18446744073709551616}"#, Malformed::TimeRange(TimeClaim::Exp)),
            (r#"{"exp":1e300}"#, Malformed::TimeRange(TimeClaim::Exp)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn fractions_are_rounded_against_the_holder() {
        let claims = parse(r#"{"exp":10.9,"nbf":10.1,"iat":1.7e9}"#).unwrap();
        assert_eq!((claims.exp, claims.nbf), (Some(10), Some(11)));
        assert_eq!(parse(r#"{"exp":0.5}"#).unwrap().exp, Some(0));
        assert_eq!(parse(r#"{"exp":18446744073709551615}"#).unwrap().exp, Some(u64::MAX));
    }

    #[test]
    fn a_dotted_path_finds_the_longest_literal_name_first() {
        let claims =
            parse(r#"{"a.b":1,"a":{"b":2,"c.d":{"e":3}},"https://x/roles":["r"]}"#).unwrap();
        let cases = [
            ("a.b", Some("1")),
            ("a.c.d.e", Some("3")),
            ("a.x", None),
            ("https://x/roles", Some(r#"["r"]"#)),
        ];
        for (path, expected) in cases {
            let found = claims.at(&ClaimPath::Dotted(path.into())).map(ToString::to_string);
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        let steps = ClaimPath::Steps(["a".into(), "b".into()].into());
        assert_eq!(claims.at(&steps).map(ToString::to_string).as_deref(), Some("2"));
    }

    #[test]
    fn a_star_stands_for_every_member() {
        let text = r#"{"ra":{"a":{"roles":["x"]},"b":{"roles":["y"]},"c":1},"r.*.s":"literal"}"#;
        let claims = parse(text).unwrap();
        let each = |path: &str| {
            let found = claims.each_at(&ClaimPath::Dotted(path.into()));
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let cases = [
            ("ra.*.roles", r#"["x"] ["y"]"#),
            ("ra.a.roles", r#"["x"]"#),
            ("ra.*.none", ""),
            ("none.*.roles", ""),
            ("r.*.s", r#""literal""#),
        ];
        for (path, expected) in cases {
            assert_eq!(each(path), expected, "{path}");
        }
    }
}
