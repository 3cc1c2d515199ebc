//! What is counted.

use crate::rejection::Rejection;

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
    /// Fetches that brought keys.
    Fetched,
    /// Fetches that brought none.
    FetchFailed,
}

impl Counter {
    /// Every counter.
    pub fn all() -> impl Iterator<Item = Self> {
        let fixed = [
            Self::Allowed,
            Self::CacheHit,
            Self::CacheMiss,
            Self::ShadowDenied,
            Self::Held,
            Self::Fetched,
            Self::FetchFailed,
        ];
        fixed.into_iter().chain(Rejection::LABELS.iter().copied().map(Self::Denied))
    }

    /// Its name in the proxy.
    pub fn name(self) -> String {
        match self {
            Self::Allowed => "jwt_gate.allowed".to_owned(),
            Self::CacheHit => "jwt_gate.token_cache.hit".to_owned(),
            Self::CacheMiss => "jwt_gate.token_cache.miss".to_owned(),
            Self::ShadowDenied => "jwt_gate.shadow_denied".to_owned(),
            Self::Held => "jwt_gate.held".to_owned(),
            Self::Denied(label) => format!("jwt_gate.denied.{label}"),
            Self::Fetched => "jwt_gate.jwks_fetch.success".to_owned(),
            Self::FetchFailed => "jwt_gate.jwks_fetch.failure".to_owned(),
        }
    }
}
