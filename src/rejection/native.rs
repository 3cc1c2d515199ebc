//! The numbers that Envoy's own filter has for the reasons of a refusal.

use super::{Malformed, Rejection, TimeClaim};

impl Rejection {
    /// The native filter's status code for this reason; where it knows no such reason, the code of
    /// the nearest one. `None` when it was not the token that was refused.
    pub const fn native_code(&self) -> Option<u8> {
        match self {
            Self::Missing => Some(1),
            Self::NotYetValid { .. } => Some(2),
            Self::Expired { .. } => Some(3),
            Self::Malformed(what) => Some(what.native_code()),
            Self::UnknownIssuer => Some(24),
            Self::Audience => Some(25),
            Self::Demand(_) | Self::BadSignature | Self::Revoked => Some(26),
            Self::UnknownKey => Some(32),
            Self::KeysUnavailable | Self::RevocationsUnavailable => Some(40),
            Self::NoRule
            | Self::AmbiguousPath
            | Self::AmbiguousQuery
            | Self::AmbiguousHost
            | Self::Denied
            | Self::Unauthorized
            | Self::Scope(_)
            | Self::StepUp { .. }
            | Self::RepeatedOwnedHeader
            | Self::Misconfigured => None,
        }
    }
}

impl Malformed {
    const fn native_code(self) -> u8 {
        match self {
            Self::TooLarge | Self::Sections => 4,
            Self::HeaderBase64 => 5,
            Self::HeaderJson | Self::Type | Self::Critical | Self::Nested => 6,
            Self::AlgorithmType => 7,
            Self::Algorithm => 8,
            Self::KeyId => 9,
            Self::PayloadBase64 => 10,
            Self::PayloadJson => 11,
            Self::Issuer => 12,
            Self::Subject => 13,
            Self::TimeType(TimeClaim::Iat) => 14,
            Self::TimeRange(TimeClaim::Iat) => 15,
            Self::TimeType(TimeClaim::Nbf) => 16,
            Self::TimeRange(TimeClaim::Nbf) => 17,
            Self::TimeType(TimeClaim::Exp) => 18,
            Self::TimeRange(TimeClaim::Exp) => 19,
            Self::TokenId => 20,
            Self::Audience => 21,
            Self::SignatureBase64 => 22,
            Self::Ed25519Length => 23,
            Self::TooMany => 27,
        }
    }
}
