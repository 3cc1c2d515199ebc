//! Whose tokens a rule asks for, and how the answers combine.

use crate::credential::Location;
use crate::rejection::Rejection;
use crate::remote::Lack;
use crate::request::HeaderName;

/// Index of a provider in the policy.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ProviderId(pub usize);

/// Whose tokens a rule asks for.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// One demand.
    Leaf(Leaf),
    /// One of these, tried in order.
    Any(Box<[Self]>),
    /// All of these.
    All(Box<[Self]>),
    /// This, or what is left where it is not fulfilled.
    Optional(Box<Self>, Lenience),
}

/// What may be wrong where a token is optional beside demands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lenience {
    /// The token may be missing, and nothing else.
    Missing,
    /// Anything.
    Failed,
}

/// A single demand.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// None.
    Open,
    /// A token of this provider; each one found at its places must be good.
    Provider {
        /// The provider.
        id: ProviderId,
        /// Audiences in place of the provider's own.
        audiences: Option<Box<[Box<str>]>>,
    },
    /// No token, or good ones: every token found at these places must be good.
    AllowMissing(Box<[Place]>),
    /// Anything; good tokens are made use of.
    AllowMissingOrFailed {
        /// Where tokens are looked for.
        places: Box<[Place]>,
        /// The header that tells the upstream of a token that is not good.
        status: Option<HeaderName>,
    },
}

impl Leaf {
    /// The header that tells the upstream of a token which is not good.
    pub const fn status(&self) -> Option<&HeaderName> {
        match self {
            Self::AllowMissingOrFailed { status, .. } => status.as_ref(),
            Self::Open | Self::Provider { .. } | Self::AllowMissing(_) => None,
        }
    }
}

/// A place, and the providers whose tokens may be there.
#[derive(Clone, Debug)]
pub struct Place {
    /// The place.
    pub location: Location,
    /// The providers.
    pub providers: Vec<ProviderId>,
}

/// What a demand comes to.
#[derive(Debug, Eq, PartialEq)]
#[must_use]
pub enum Verdict<T> {
    /// It is fulfilled, by these tokens.
    Valid(Vec<T>),
    /// It is not.
    Refused(Rejection),
    /// Keys are on their way that may decide it.
    Unknown(Lack),
}

impl Requirement {
    /// Combines the verdicts as three-valued logic, `Refused < Unknown < Valid`: `Any` takes the
    /// greatest, `All` the least. Of several refusals the most telling one is kept.
    pub fn decide<'r, T>(&'r self, ask: &mut dyn FnMut(&'r Leaf) -> Verdict<T>) -> Verdict<T> {
        match self {
            Self::Leaf(leaf) => ask(leaf),
            Self::Any(parts) => {
                let mut best = Verdict::Refused(Rejection::Missing);
                for part in parts {
                    best = best.or(part.decide(ask));
                    if matches!(best, Verdict::Valid(_)) {
                        break;
                    }
                }
                best
            }
            Self::All(parts) => {
                let mut least = Verdict::Valid(Vec::new());
                for part in parts {
                    least = least.and(part.decide(ask));
                    if matches!(least, Verdict::Refused(_)) {
                        break;
                    }
                }
                least
            }
            Self::Optional(firm, lenience) => match (firm.decide(ask), lenience) {
                (Verdict::Refused(Rejection::Missing), Lenience::Missing)
                | (Verdict::Refused(_), Lenience::Failed) => Verdict::Valid(Vec::new()),
                (verdict, Lenience::Missing | Lenience::Failed) => verdict,
            },
        }
    }

    /// The demands in it.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::Leaf(leaf) => vec![leaf],
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Optional(firm, _) => firm.leaves(),
        }
    }
}

impl<T> Verdict<T> {
    /// Either: the greater one.
    pub fn or(self, later: Self) -> Self {
        match (self, later) {
            (valid @ Self::Valid(_), _) | (_, valid @ Self::Valid(_)) => valid,
            (Self::Refused(a), Self::Refused(b)) => Self::Refused(a.telling(b)),
            (unknown @ Self::Unknown(_), _) | (_, unknown @ Self::Unknown(_)) => unknown,
        }
    }

    /// Both: the lesser one, the tokens of both where both are valid.
    pub fn and(self, later: Self) -> Self {
        match (self, later) {
            (refused @ Self::Refused(_), _) | (_, refused @ Self::Refused(_)) => refused,
            (unknown @ Self::Unknown(_), _) | (_, unknown @ Self::Unknown(_)) => unknown,
            (Self::Valid(mut tokens), Self::Valid(more)) => {
                tokens.extend(more);
                Self::Valid(tokens)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::SourceId;

    fn valid() -> Verdict<u8> {
        Verdict::Valid(vec![1])
    }

    fn refused() -> Verdict<u8> {
        Verdict::Refused(Rejection::BadSignature)
    }

    fn unknown() -> Verdict<u8> {
        Verdict::Unknown(Lack { source: SourceId(7), kid: None })
    }

    fn combine(all: bool, verdicts: [fn() -> Verdict<u8>; 2]) -> Verdict<u8> {
        let parts = [0, 1]
            .map(|i| Requirement::Leaf(Leaf::Provider { id: ProviderId(i), audiences: None }));
        let requirement =
            if all { Requirement::All(parts.into()) } else { Requirement::Any(parts.into()) };
        requirement.decide(&mut |leaf| match leaf {
            Leaf::Provider { id, .. } => verdicts[id.0](),
            Leaf::Open | Leaf::AllowMissing(_) | Leaf::AllowMissingOrFailed { .. } => refused(),
        })
    }

    #[test]
    fn verdicts_combine_as_three_valued_logic() {
        let both = || Verdict::Valid(vec![1, 1]);
        type Say = fn() -> Verdict<u8>;
        let rows: [(Say, Say, Verdict<u8>, Verdict<u8>); 6] = [
            (valid, valid, valid(), both()),
            (valid, unknown, valid(), unknown()),
            (valid, refused, valid(), refused()),
            (unknown, unknown, unknown(), unknown()),
            (unknown, refused, unknown(), refused()),
            (refused, refused, refused(), refused()),
        ];
        for (a, b, any, all) in rows {
            assert_eq!(combine(false, [a, b]), any);
            assert_eq!(combine(false, [b, a]), any);
            assert_eq!(combine(true, [a, b]), all);
            assert_eq!(combine(true, [b, a]), all);
        }
    }

    #[test]
    fn the_more_telling_refusal_is_kept_and_the_later_of_equals() {
        use Rejection::{BadSignature, KeysUnavailable, Missing, UnknownIssuer, UnknownKey};
        let rows = [
            (Missing, UnknownKey, UnknownKey),
            (UnknownKey, Missing, UnknownKey),
            (UnknownKey, UnknownIssuer, UnknownKey),
            (Missing, UnknownIssuer, UnknownIssuer),
            (UnknownKey, BadSignature, BadSignature),
            (KeysUnavailable, BadSignature, KeysUnavailable),
        ];
        for (first, later, expected) in rows {
            assert_eq!(first.clone().telling(later.clone()), expected, "{first:?} {later:?}");
        }
    }
}
