//! Requirements that are generated.

use serde_json::{Value, json};

use super::config::NAMES;

/// A requirement.
#[derive(Clone, Debug)]
pub(super) enum Need {
    Nothing,
    Provider(usize),
    Audiences(usize, &'static [&'static str]),
    Any(Vec<Self>),
    All(Vec<Self>),
    Optional,
    Whatever,
}

impl Need {
    pub(super) fn json(&self) -> Value {
        let list = |parts: &[Self]| parts.iter().map(Self::json).collect::<Vec<_>>();
        let name = |i: &usize| NAMES.get(*i).copied().unwrap_or_default();
        match self {
            Self::Nothing => json!({}),
            Self::Provider(i) => json!({ "provider_name": name(i) }),
            Self::Audiences(i, audiences) => json!({ "provider_and_audiences": {
                "provider_name": name(i), "audiences": audiences } }),
            Self::Any(parts) => json!({ "requires_any": { "requirements": list(parts) } }),
            Self::All(parts) => json!({ "requires_all": { "requirements": list(parts) } }),
            Self::Optional => json!({ "allow_missing": {} }),
            Self::Whatever => json!({ "allow_missing_or_failed": {} }),
        }
    }

    /// Whether it looks at a token for its own sake.
    pub(super) const fn demands(&self) -> bool {
        !matches!(self, Self::Nothing | Self::Optional | Self::Whatever)
    }

    /// Whether all are asked for, and a part that may fail looks at a token of another part: then the
    /// native filter takes back what the token said.
    pub(super) fn looks_again(&self) -> bool {
        let Self::All(parts) = self else { return false };
        let fails = |part: &Self, others: &[&Self]| match part {
            Self::Whatever => true,
            Self::Any(within) => {
                let of_another = |i: &usize| others.iter().any(|other| other.looks_at(*i));
                within.iter().any(|part| part.has(|need| matches!(need, Self::Whatever)))
                    || (0..NAMES.len()).any(|i| part.looks_at(i) && of_another(&i))
            }
            Self::Nothing
            | Self::Provider(_)
            | Self::Audiences(..)
            | Self::All(_)
            | Self::Optional => part.has(|need| matches!(need, Self::Whatever)),
        };
        parts.iter().enumerate().any(|(at, part)| {
            let others = parts.iter().enumerate().filter(|(other, _)| *other != at);
            fails(part, &others.map(|(_, other)| other).collect::<Vec<_>>())
        })
    }

    /// Whether it looks at the tokens of this provider.
    fn looks_at(&self, provider: usize) -> bool {
        match self {
            Self::Provider(i) | Self::Audiences(i, _) => *i == provider,
            Self::Any(parts) | Self::All(parts) => parts.iter().any(|p| p.looks_at(provider)),
            Self::Nothing => false,
            Self::Optional | Self::Whatever => true,
        }
    }

    /// Whether it has a part like that.
    pub(super) fn has(&self, wanted: fn(&Self) -> bool) -> bool {
        let within = match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().any(|part| part.has(wanted)),
            Self::Nothing
            | Self::Provider(_)
            | Self::Audiences(..)
            | Self::Optional
            | Self::Whatever => false,
        };
        wanted(self) || within
    }
}
