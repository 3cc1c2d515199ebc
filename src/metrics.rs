//! What is counted and shown, and its names in the proxy.

use crate::rejection::Rejection;
use crate::remote::Remote;
use crate::remote::fetch::FetchError;

/// A counter. There are as many as this type has values, whatever the traffic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counter {
    /// Requests that passed.
    Allowed,
    /// Tokens whose signature had been checked before.
    CacheHit,
    /// Tokens whose signature had to be checked, where such are remembered.
    CacheMiss,
    /// Requests that a shadow rule let pass although it would have refused them.
    ShadowDenied,
    /// Requests that were held for keys.
    Held,
    /// Requests that were refused, by the label of the reason.
    Denied(&'static str),
}

impl Counter {
    /// Every counter.
    pub fn all() -> impl Iterator<Item = Self> {
        let fixed =
            [Self::Allowed, Self::CacheHit, Self::CacheMiss, Self::ShadowDenied, Self::Held];
        fixed.into_iter().chain(Rejection::LABELS.iter().copied().map(Self::Denied))
    }

    /// Its name in the proxy, with the policy's own prefix where there is one.
    pub fn name(self, prefix: Option<&str>) -> String {
        let (dot, prefix) = prefix.map_or(("", ""), |prefix| (".", prefix));
        let (of, what) = match self {
            Self::Allowed => ("", "allowed"),
            Self::CacheHit => ("token_cache.", "hit"),
            Self::CacheMiss => ("token_cache.", "miss"),
            Self::ShadowDenied => ("", "shadow_denied"),
            Self::Held => ("", "held"),
            Self::Denied(label) => ("denied.", label),
        };
        format!("jwt_gate{dot}{prefix}.{of}{what}")
    }
}

/// How a fetch ended, as it is counted for each remote document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// With a document.
    Success,
    /// With a status that is not 200.
    Status,
    /// Without a complete answer.
    NoAnswer,
    /// With too large a body.
    TooLarge,
    /// With a body that is no such document.
    NotADocument,
    /// Before it began: the proxy did not send the request.
    NotSent,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Status,
        Self::NoAnswer,
        Self::TooLarge,
        Self::NotADocument,
        Self::NotSent,
    ];

    /// The outcome of a fetch that failed so.
    pub const fn of(why: &FetchError) -> Self {
        match why {
            FetchError::NotSent { .. } => Self::NotSent,
            FetchError::NoAnswer => Self::NoAnswer,
            FetchError::Status(_) => Self::Status,
            FetchError::TooLarge { .. } => Self::TooLarge,
            FetchError::NotADocument(_) => Self::NotADocument,
        }
    }

    /// The name of its counter in the proxy.
    pub fn name(self, remote: &Remote) -> String {
        let outcome = match self {
            Self::Success => "success",
            Self::Status => "status",
            Self::NoAnswer => "no_answer",
            Self::TooLarge => "too_large",
            Self::NotADocument => "not_a_document",
            Self::NotSent => "not_sent",
        };
        name("fetches", remote, outcome)
    }
}

/// How a remote document stands, as the gauges of its source show it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// When it was fetched, in Unix seconds; 0: there is none that is served.
    pub fetched_at: u64,
    /// How many entries of it are used: keys of a key set.
    pub entries: u64,
    /// 1 while it is served although it should have been fetched again by now.
    pub stale: u64,
}

impl Health {
    /// The gauges: names in the proxy and values.
    pub fn gauges(self, remote: &Remote) -> [(String, u64); 3] {
        let Self { fetched_at, entries, stale } = self;
        let gauge = |what, value| (name("documents", remote, what), value);
        [gauge("fetched_at_seconds", fetched_at), gauge("entries", entries), gauge("stale", stale)]
    }
}

/// `jwt_gate.<family>.<provider>.<kind>.<what>`: each part is free of dots, so that a pattern can
/// tell them apart.
fn name(family: &str, remote: &Remote, what: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    // NGINX bounds the length of names.
    let provider: String = remote.provider.chars().take(64).map(plain).collect();
    format!("jwt_gate.{family}.{provider}.{}.{what}", remote.kind.name())
}
