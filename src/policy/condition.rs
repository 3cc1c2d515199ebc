//! Conditions over verified claims: true, false, or undecided.
//!
//! A claim of the wrong type, or an absent one where a value is compared, decides nothing, and
//! `not` keeps it so. Only *true* authorizes and only *false* passes a `deny`. With `F < U < T`:
//! `all_of` is the least, `any_of` the greatest, `not` turns `T` and `F` round and leaves `U`.

#[cfg(feature = "tools")]
mod explain;

use std::time::Duration;

use crate::claims::{ClaimPath, texts};
use crate::json::{Number, Value};
use crate::jws::{VerifiedToken, is_type};
use crate::policy::matcher::TextMatcher;
use crate::policy::roles::RoleTable;
use crate::policy::template::Variables;
use crate::request::{HeaderName, RequestView};
use crate::time::Timestamp;

/// Three-valued truth, in order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It cannot be said.
    Undecided,
    /// It holds.
    True,
}

impl Truth {
    const fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Undecided => Self::Undecided,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A compiled condition.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Scopes that the token has.
    Scopes(Names),
    /// Roles that the token has.
    Roles(Names),
    /// Permissions that the token's roles and scopes grant.
    Permissions(Names),
    /// The value of a claim.
    Claim(ClaimPath, Test),
    /// How and when the user signed in (RFC 9470).
    Acr(Acr),
    /// The token's `typ`.
    TokenType(Box<[Box<str>]>),
    /// Every one of these.
    AllOf(Box<[Self]>),
    /// At least one of these.
    AnyOf(Box<[Self]>),
    /// Not this.
    Not(Box<Self>),
}

/// Names of which all or any are asked for.
#[derive(Clone, Debug)]
pub struct Names {
    /// Whether every one is needed.
    pub all: bool,
    /// The names.
    pub names: Box<[Box<str>]>,
}

impl Names {
    fn hold(&self, has: impl Fn(&str) -> bool) -> Truth {
        let mut names = self.names.iter();
        if self.all { names.all(|n| has(n)).into() } else { names.any(|n| has(n)).into() }
    }
}

/// What is asked of a claim's value.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is, or has as an element, one of these.
    AnyOf(Box<[Value]>),
    /// It has every one of these.
    AllOf(Box<[Value]>),
    /// It is none of these.
    NoneOf(Box<[Value]>),
    /// It is a text that passes.
    Text(TextMatcher),
    /// It is there, or it is not. Decided in every case.
    Present(bool),
    /// It is a number not below the first and not above the second.
    Between(Option<i64>, Option<i64>),
    /// It is the path variable of this name.
    Variable(Box<str>),
    /// It is the value of this header, which came once.
    Header(HeaderName),
}

/// How far the clock of an issuer may be ahead of ours where a sign-in's age is asked for.
const MAX_AHEAD: Duration = Duration::from_secs(60);

/// Demands on the sign-in.
#[derive(Clone, Debug)]
pub struct Acr {
    /// Accepted `acr` values; empty: any.
    pub any_of: Box<[Box<str>]>,
    /// Greatest age of the sign-in, by `auth_time`.
    pub max_age: Option<Duration>,
}

/// A verified token and where its provider puts scopes and roles.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The token.
    pub token: &'a VerifiedToken,
    /// Claims with scopes.
    pub scope_claims: &'a [ClaimPath],
    /// Claims with roles.
    pub role_claims: &'a [ClaimPath],
}

/// What a condition looks at.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a request view has none")]
pub struct Facts<'a> {
    /// The verified token. Claims of several tokens are never put together: what one token does
    /// not grant, two do not grant.
    pub subject: Subject<'a>,
    /// Variables of the path.
    pub variables: &'a Variables<'a, 'a>,
    /// The request.
    pub view: &'a dyn RequestView,
    /// What roles may do.
    pub roles: &'a RoleTable,
    /// The time.
    pub now: Timestamp,
    /// What is taken for granted, to find out what was lacking.
    pub granted: Granted,
}

/// Demands that are taken for fulfilled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Granted {
    /// Those for scopes.
    pub scopes: bool,
    /// Those for a sign-in.
    pub acr: bool,
}

impl Condition {
    /// Whether the condition holds.
    pub fn holds(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::AllOf(parts) => parts.iter().map(|p| p.holds(facts)).min().unwrap_or(Truth::True),
            Self::AnyOf(parts) => {
                parts.iter().map(|p| p.holds(facts)).max().unwrap_or(Truth::False)
            }
            Self::Not(part) => part.holds(facts).not(),
            Self::Scopes(_) if facts.granted.scopes => Truth::True,
            Self::Acr(_) if facts.granted.acr => Truth::True,
            Self::Scopes(_)
            | Self::Roles(_)
            | Self::Permissions(_)
            | Self::Claim(..)
            | Self::Acr(_)
            | Self::TokenType(_) => self.test(facts),
        }
    }

    /// A test of the token.
    fn test(&self, facts: &Facts<'_>) -> Truth {
        let subject = &facts.subject;
        let claims = subject.token.claims();
        match self {
            Self::Scopes(names) => match subject.names(subject.scope_claims, true) {
                Some(has) => names.hold(|name| has.contains(&name)),
                None => Truth::Undecided,
            },
            Self::Roles(names) => match subject.names(subject.role_claims, false) {
                Some(has) => names.hold(|name| has.contains(&name)),
                None => Truth::Undecided,
            },
            Self::Permissions(names) => {
                let roles = subject.names(subject.role_claims, false);
                let scopes = subject.names(subject.scope_claims, true);
                if roles.is_none() && scopes.is_none() {
                    return Truth::Undecided;
                }
                let has = [roles.unwrap_or_default(), scopes.unwrap_or_default()].concat();
                names.hold(|permission| facts.roles.grants(&has, permission))
            }
            Self::Claim(path, test) => test.holds(claims.at(path), facts),
            Self::Acr(acr) => acr.holds(subject, facts.now),
            Self::TokenType(types) => match subject.token.typ() {
                Some(typ) => types.iter().any(|wanted| is_type(typ, wanted)).into(),
                None => Truth::Undecided,
            },
            Self::AllOf(_) | Self::AnyOf(_) | Self::Not(_) => self.holds(facts),
        }
    }

    /// Whether it compares a claim with a variable of the path.
    pub fn uses_variables(&self) -> bool {
        match self {
            Self::Claim(_, test) => matches!(test, Test::Variable(_)),
            Self::AllOf(parts) | Self::AnyOf(parts) => parts.iter().any(Self::uses_variables),
            Self::Not(part) => part.uses_variables(),
            Self::Scopes(_)
            | Self::Roles(_)
            | Self::Permissions(_)
            | Self::Acr(_)
            | Self::TokenType(_) => false,
        }
    }

    /// The scopes that it asks for, outside of `not`.
    pub fn scopes<'c>(&'c self, found: &mut Vec<&'c str>) {
        match self {
            Self::Scopes(names) => {
                for name in &names.names {
                    if !found.contains(&&**name) {
                        found.push(name);
                    }
                }
            }
            Self::AllOf(parts) | Self::AnyOf(parts) => parts.iter().for_each(|p| p.scopes(found)),
            Self::Not(_)
            | Self::Roles(_)
            | Self::Permissions(_)
            | Self::Claim(..)
            | Self::Acr(_)
            | Self::TokenType(_) => {}
        }
    }

    /// The first demand for a sign-in, outside of `not`.
    pub fn acr(&self) -> Option<&Acr> {
        match self {
            Self::Acr(acr) => Some(acr),
            Self::AllOf(parts) | Self::AnyOf(parts) => parts.iter().find_map(Self::acr),
            Self::Not(_)
            | Self::Scopes(_)
            | Self::Roles(_)
            | Self::Permissions(_)
            | Self::Claim(..)
            | Self::TokenType(_) => None,
        }
    }
}

impl<'a> Subject<'a> {
    /// The names in the claims `paths`, strings being split at spaces where `spaced`. `None` when
    /// none of the claims is there, or one has another type than a string or a list of strings.
    fn names(&self, paths: &[ClaimPath], spaced: bool) -> Option<Vec<&'a str>> {
        let token: &'a VerifiedToken = self.token;
        let mut found = None::<Vec<&'a str>>;
        for value in paths.iter().flat_map(|path| token.claims().each_at(path)) {
            let names = texts(value)?.into_iter();
            let names: Vec<_> = if spaced && value.as_str().is_some() {
                names.flat_map(|text| text.split(' ')).filter(|name| !name.is_empty()).collect()
            } else {
                names.collect()
            };
            found.get_or_insert_default().extend(names);
        }
        found
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>, facts: &Facts<'_>) -> Truth {
        if let Self::Present(wanted) = self {
            return (value.is_some() == *wanted).into();
        }
        let Some(value) = value else { return Truth::Undecided };
        match self {
            Self::AllOf(wanted) => wanted
                .iter()
                .map(|w| any_element(value, |v| equal(v, w)))
                .min()
                .unwrap_or(Truth::True),
            Self::NoneOf(unwanted) => any_of(value, unwanted).not(),
            Self::AnyOf(wanted) => any_of(value, wanted),
            Self::Text(matcher) => any_element(value, |v| match v.as_str() {
                Some(text) => matcher.matches(text.as_bytes()).into(),
                None => Truth::Undecided,
            }),
            Self::Between(least, most) => any_element(value, |v| between(v, *least, *most)),
            Self::Variable(name) => {
                let variable = facts.variables.iter().find(|(known, _)| *known == &**name);
                equals_bytes(value, variable.map(|(_, found)| *found))
            }
            Self::Header(name) => equals_bytes(value, facts.view.lines(name).single()),
            Self::Present(wanted) => Truth::from(*wanted),
        }
    }
}

fn any_of(value: &Value, wanted: &[Value]) -> Truth {
    wanted.iter().map(|w| any_element(value, |v| equal(v, w))).max().unwrap_or(Truth::False)
}

/// A list passes when one of its elements does.
fn any_element(value: &Value, test: impl Fn(&Value) -> Truth) -> Truth {
    match value.as_array() {
        Some(elements) => elements.iter().map(test).max().unwrap_or(Truth::False),
        None => test(value),
    }
}

/// Values of different types are not unequal: they cannot be compared.
fn equal(value: &Value, wanted: &Value) -> Truth {
    match (value, wanted) {
        (Value::String(a), Value::String(b)) => (a == b).into(),
        (Value::Bool(a), Value::Bool(b)) => (a == b).into(),
        (Value::Number(a), Value::Number(b)) => {
            (a == b || float(*a) == float(*b) && is_float(*a, *b)).into()
        }
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _)
        | (Value::Array(_) | Value::Object(_), _) => Truth::Undecided,
    }
}

/// Integers compare exactly; only where one of two numbers is a float both are taken for floats.
const fn is_float(a: Number, b: Number) -> bool {
    matches!(a, Number::Float(_)) || matches!(b, Number::Float(_))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "there is no `From` for it")]
const fn float(n: Number) -> f64 {
    match n {
        Number::Unsigned(n) => n as f64,
        Number::Negative(n) => n as f64,
        Number::Float(x) => x,
    }
}

fn between(value: &Value, least: Option<i64>, most: Option<i64>) -> Truth {
    let fits = |n: i128| {
        least.is_none_or(|least| i128::from(least) <= n)
            && most.is_none_or(|most| n <= i128::from(most))
    };
    match value.as_number() {
        Some(Number::Unsigned(n)) => fits(i128::from(n)).into(),
        Some(Number::Negative(n)) => fits(i128::from(n)).into(),
        Some(Number::Float(x)) => {
            let bound = |n: i64| {
                float(if n < 0 { Number::Negative(n) } else { Number::Unsigned(n.unsigned_abs()) })
            };
            (least.is_none_or(|n| bound(n) <= x) && most.is_none_or(|n| x <= bound(n))).into()
        }
        None => Truth::Undecided,
    }
}

fn equals_bytes(value: &Value, wanted: Option<&[u8]>) -> Truth {
    let Some(wanted) = wanted else { return Truth::Undecided };
    any_element(value, |v| match v.as_str() {
        Some(text) => (text.as_bytes() == wanted).into(),
        None => Truth::Undecided,
    })
}

impl Acr {
    fn holds(&self, subject: &Subject<'_>, now: Timestamp) -> Truth {
        let claims = subject.token.claims();
        let strong = match claims.get("acr").map(Value::as_str) {
            _ if self.any_of.is_empty() => Truth::True,
            Some(Some(acr)) => self.any_of.iter().any(|wanted| **wanted == *acr).into(),
            Some(None) | None => Truth::Undecided,
        };
        let Some(max_age) = self.max_age else { return strong };
        let fresh = match claims.get("auth_time").and_then(Value::as_number) {
            // A sign-in that is yet to come says nothing about its age.
            Some(Number::Unsigned(at)) if now.plus(MAX_AHEAD) < Timestamp::from_secs(at) => {
                Truth::Undecided
            }
            Some(Number::Unsigned(at)) => (now.since(Timestamp::from_secs(at)) <= max_age).into(),
            Some(Number::Negative(_) | Number::Float(_)) | None => Truth::Undecided,
        };
        strong.min(fresh)
    }
}

#[cfg(test)]
mod tests;
