//! What is counted.

use crate::rejection::Rejection;

/// A counter. There are as many as this type has values, whatever the traffic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counter {
    /// Requests that passed.
    Allowed,
    /// Requests that a shadow rule let pass although it would have refused them.
    ShadowDenied,
    /// Requests that were held for keys.
    Held,
    /// Requests that were refused, by the label of the reason.
    Denied(&'static str),
    /// Fetches that brought keys.
    Fetched,
    /// Fetches that brought none.
    FetchFailed,
}

impl Counter {
    /// Every counter.
    pub fn all() -> impl Iterator<Item = Self> {
        let fixed =
            [Self::Allowed, Self::ShadowDenied, Self::Held, Self::Fetched, Self::FetchFailed];
        fixed.into_iter().chain(Rejection::LABELS.iter().copied().map(Self::Denied))
    }

    /// Its name in the proxy, with the policy's own prefix where there is one.
    pub fn name(self, prefix: Option<&str>) -> String {
        let (dot, prefix) = prefix.map_or(("", ""), |prefix| (".", prefix));
        let (of, what) = match self {
            Self::Allowed => ("", "allowed"),
            Self::ShadowDenied => ("", "shadow_denied"),
            Self::Held => ("", "held"),
            Self::Denied(label) => ("denied.", label),
            Self::Fetched => ("jwks_fetch.", "success"),
            Self::FetchFailed => ("jwks_fetch.", "failure"),
        };
        format!("jwt_gate{dot}{prefix}.{of}{what}")
    }
}
