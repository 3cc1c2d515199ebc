//! Whom a clause is about.

use serde_json::Value;

use crate::migrate::provider::all_of;

/// Who makes a request, as far as tokens tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Caller {
    /// Nobody at all.
    Nobody,
    /// Everybody, with a token or without.
    Anyone,
    /// Whoever has a token.
    AnyToken,
    /// Whoever has none.
    WithoutToken,
    /// Whoever has a token for which one of these holds.
    With(Vec<Value>),
    /// Whoever has no token, or one for which one of these holds.
    Either(Vec<Value>),
}

impl Caller {
    /// Whoever is one of these.
    pub(super) fn one_of<'c>(callers: impl Iterator<Item = &'c Self>) -> Self {
        callers.fold(Self::Nobody, |all, caller| all.or(caller))
    }

    fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Nobody, caller) => caller.clone(),
            (caller, Self::Nobody) => caller,
            (Self::Anyone, _) | (_, Self::Anyone) => Self::Anyone,
            (Self::AnyToken, Self::AnyToken | Self::With(_)) | (Self::With(_), Self::AnyToken) => {
                Self::AnyToken
            }
            (Self::AnyToken, Self::WithoutToken | Self::Either(_))
            | (Self::WithoutToken | Self::Either(_), Self::AnyToken) => Self::Anyone,
            (Self::WithoutToken, Self::WithoutToken) => Self::WithoutToken,
            (Self::With(a), Self::With(b)) => Self::With([a, b.clone()].concat()),
            (Self::With(a), Self::WithoutToken) => Self::Either(a),
            (Self::WithoutToken, Self::With(a) | Self::Either(a)) => Self::Either(a.clone()),
            (Self::Either(a), Self::WithoutToken) => Self::Either(a),
            (Self::With(a) | Self::Either(a), Self::Either(b))
            | (Self::Either(a), Self::With(b)) => Self::Either([a, b.clone()].concat()),
        }
    }

    /// Whoever is both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Anyone, caller) | (caller, Self::Anyone) => caller,
            (Self::AnyToken, Self::AnyToken) => Self::AnyToken,
            (Self::AnyToken, Self::With(c) | Self::Either(c))
            | (Self::With(c) | Self::Either(c), Self::AnyToken) => Self::With(c),
            (Self::WithoutToken, Self::WithoutToken | Self::Either(_))
            | (Self::Either(_), Self::WithoutToken) => Self::WithoutToken,
            (Self::Nobody, _)
            | (_, Self::Nobody)
            | (Self::WithoutToken, Self::AnyToken | Self::With(_))
            | (Self::AnyToken | Self::With(_), Self::WithoutToken) => Self::Nobody,
            (Self::Either(a), Self::Either(b)) => Self::Either(products(&a, &b)),
            (Self::With(a), Self::With(b) | Self::Either(b)) | (Self::Either(a), Self::With(b)) => {
                Self::With(products(&a, &b))
            }
        }
    }
}

/// One of these and one of those.
fn products(a: &[Value], b: &[Value]) -> Vec<Value> {
    let each = a.iter().flat_map(|a| b.iter().map(move |b| all_of(vec![a.clone(), b.clone()])));
    each.flatten().collect()
}
