//! Why a request is refused, and the one place where a reason becomes an answer.

mod native;

use crate::time::Timestamp;

/// A reason to refuse a request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// No token was found where one is looked for.
    #[error("no token")]
    Missing,
    /// The token is not a well-formed JWT.
    #[error("malformed token: {0}")]
    Malformed(Malformed),
    /// The issuer is not one that is accepted here.
    #[error("issuer is not accepted")]
    UnknownIssuer,
    /// The token is not valid yet.
    #[error("token not valid for another {} s (leeway {leeway} s)", nbf.saturating_sub(now.as_secs()))]
    NotYetValid {
        /// The token's `nbf`.
        nbf: u64,
        /// When it was checked.
        now: Timestamp,
        /// Tolerated clock skew in seconds.
        leeway: u64,
    },
    /// The token's `exp` has passed.
    #[error("token expired {} s ago (leeway {leeway} s)", now.as_secs().saturating_sub(*exp))]
    Expired {
        /// The token's `exp`.
        exp: u64,
        /// When it was checked.
        now: Timestamp,
        /// Tolerated clock skew in seconds.
        leeway: u64,
    },
    /// None of the token's audiences is accepted.
    #[error("audience is not accepted")]
    Audience,
    /// Something else of the token is not as the provider asks.
    #[error("token does not fulfil {0}")]
    Demand(Demand),
    /// No key of the provider fits the token's `kid` and `alg`.
    #[error("no key fits the token's `kid` and `alg`")]
    UnknownKey,
    /// The signature does not belong to the token.
    #[error("signature does not match")]
    BadSignature,
    /// The keys of the provider could not be had.
    #[error("keys of the provider are unavailable")]
    KeysUnavailable,
    /// The token was taken back.
    #[error("token is revoked")]
    Revoked,
    /// The list of revoked tokens could not be had.
    #[error("the list of revoked tokens is unavailable")]
    RevocationsUnavailable,
    /// No rule names the request.
    #[error("no rule names the request")]
    NoRule,
    /// The path is read in two ways, and the policy says different things about them.
    #[error("the path has two readings under different rules")]
    AmbiguousPath,
    /// The same of the query.
    #[error("the query has two readings under different rules")]
    AmbiguousQuery,
    /// A name stands before the host, which some servers cut off and others do not.
    #[error("the host has a user name before it")]
    AmbiguousHost,
    /// The rule's `deny` holds, or cannot be decided.
    #[error("`deny` holds or is undecided")]
    Denied,
    /// The rule's `authorize` does not hold.
    #[error("`authorize` does not hold")]
    Unauthorized,
    /// Scopes are lacking; these are asked for.
    #[error("scope is insufficient")]
    Scope(Box<str>),
    /// A stronger or fresher sign-in is asked for (RFC 9470).
    #[error("sign-in is insufficient")]
    StepUp {
        /// Accepted `acr` values, separated by spaces; empty: any.
        acr_values: Box<str>,
        /// Greatest age of the sign-in in seconds.
        max_age: Option<u64>,
    },
    /// A header that only the gate may write came more than once, on a host that cannot remove it.
    #[error("a header that only the gate may write came more than once")]
    RepeatedOwnedHeader,
    /// The configuration has faults; nothing is let through.
    #[error("the configuration has faults")]
    Misconfigured,
}

/// What is wrong with the form of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// Larger than `limits.max_token_bytes`.
    #[error("Jwt is too large")]
    TooLarge,
    /// More tokens than are looked at.
    #[error("Found multiple Jwt tokens")]
    TooMany,
    /// Not three parts.
    #[error("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    Sections,
    /// The header's encoding.
    #[error("Jwt header is an invalid Base64url encoded")]
    HeaderBase64,
    /// The header's JSON.
    #[error("Jwt header is an invalid JSON")]
    HeaderJson,
    /// `alg` is absent or no string.
    #[error("Jwt header [alg] field is required and must be a string")]
    AlgorithmType,
    /// `alg` is none of ours.
    #[error("Jwt header [alg] is not supported")]
    Algorithm,
    /// `kid` is no string.
    #[error("Jwt header [kid] field is not a string")]
    KeyId,
    /// `typ` is no string.
    #[error("Jwt header [typ] field is not a string")]
    Type,
    /// An extension that must be understood (RFC 7515, 4.1.11; RFC 7797, 7).
    #[error("Jwt header has a critical extension that is not supported")]
    Critical,
    /// A token within a token (RFC 7519, 5.2).
    #[error("Jwt header [cty] is not supported")]
    Nested,
    /// The payload's encoding.
    #[error("Jwt payload is an invalid Base64url encoded")]
    PayloadBase64,
    /// The payload's JSON.
    #[error("Jwt payload is an invalid JSON")]
    PayloadJson,
    /// `iss` is no string.
    #[error("Jwt payload [iss] field is not a string")]
    Issuer,
    /// `sub` is no string.
    #[error("Jwt payload [sub] field is not a string")]
    Subject,
    /// `jti` is no string.
    #[error("Jwt payload [jti] field is not a string")]
    TokenId,
    /// A time is no number.
    #[error("Jwt payload [{}] field is not an integer", .0.name())]
    TimeType(TimeClaim),
    /// A time is negative or beyond 64 bits.
    #[error("Jwt payload [{}] field is not a positive 64 bit integer", .0.name())]
    TimeRange(TimeClaim),
    /// `aud` is no string or list of strings.
    #[error("Jwt payload [aud] field is not a string or string list")]
    Audience,
    /// The signature's encoding.
    #[error("Jwt signature is an invalid Base64url encoded")]
    SignatureBase64,
    /// An Ed25519 signature is not 64 bytes long (RFC 8032, 5.1.6).
    #[error("Jwt ED25519 signature is wrong length")]
    Ed25519Length,
}

/// A claim that is a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimeClaim {
    /// Issued at.
    Iat,
    /// Not before.
    Nbf,
    /// Expires at.
    Exp,
}

impl TimeClaim {
    /// Its name in the token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iat => "iat",
            Self::Nbf => "nbf",
            Self::Exp => "exp",
        }
    }
}

/// A demand of a provider, beside issuer, audience and time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Demand {
    /// `subjects`
    #[error("`subjects`")]
    Subject,
    /// `require_expiration`
    #[error("`require_expiration`")]
    Expiration,
    /// `max_lifetime`
    #[error("`max_lifetime`")]
    Lifetime,
    /// `token_types`
    #[error("`token_types`")]
    TokenType,
    /// `required_claims`
    #[error("`required_claims`")]
    RequiredClaim,
    /// It is bound to a sender (RFC 7800), and the binding cannot be checked here.
    #[error("`accept_bound_tokens_unchecked`: it is bound to its sender")]
    Unbound,
}

/// The answer that a rejection becomes on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The challenge that goes with it.
    pub challenge: Challenge,
    /// Label in metrics and logs: one word, never from the request.
    pub label: &'static str,
}

/// Kind of `WWW-Authenticate` challenge (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// None.
    None,
    /// Without an error: no token was sent.
    Bare,
    /// With this `error`.
    Error(&'static str),
}

impl Rejection {
    /// Every label that [`Answer::label`] can have.
    pub const LABELS: [&'static str; 20] = [
        "missing",
        "malformed",
        "unknown_issuer",
        "not_yet_valid",
        "expired",
        "audience",
        "demand",
        "unknown_key",
        "bad_signature",
        "keys_unavailable",
        "revoked",
        "revocations_unavailable",
        "no_rule",
        "ambiguous_path",
        "denied",
        "unauthorized",
        "scope",
        "step_up",
        "repeated_owned_header",
        "misconfigured",
    ];

    /// The one place where a reason becomes a status, a challenge and a label.
    pub const fn answer(&self) -> Answer {
        const INVALID: Challenge = Challenge::Error("invalid_token");
        let (status, challenge, label) = match self {
            Self::Missing => (401, Challenge::Bare, "missing"),
            Self::Malformed(_) => (401, INVALID, "malformed"),
            Self::UnknownIssuer => (401, INVALID, "unknown_issuer"),
            Self::NotYetValid { .. } => (401, INVALID, "not_yet_valid"),
            Self::Expired { .. } => (401, INVALID, "expired"),
            Self::Audience => (403, INVALID, "audience"),
            Self::Demand(_) => (401, INVALID, "demand"),
            Self::UnknownKey => (401, INVALID, "unknown_key"),
            Self::BadSignature => (401, INVALID, "bad_signature"),
            Self::KeysUnavailable => (503, Challenge::None, "keys_unavailable"),
            Self::Revoked => (401, INVALID, "revoked"),
            Self::RevocationsUnavailable => (503, Challenge::None, "revocations_unavailable"),
            Self::NoRule => (403, Challenge::None, "no_rule"),
            Self::AmbiguousPath => (400, Challenge::None, "ambiguous_path"),
            Self::AmbiguousQuery => (400, Challenge::None, "ambiguous_query"),
            Self::AmbiguousHost => (400, Challenge::None, "ambiguous_host"),
            Self::Denied => (403, Challenge::None, "denied"),
            Self::Unauthorized => (403, Challenge::None, "unauthorized"),
            Self::Scope(_) => (403, Challenge::Error("insufficient_scope"), "scope"),
            Self::StepUp { .. } => {
                (401, Challenge::Error("insufficient_user_authentication"), "step_up")
            }
            Self::RepeatedOwnedHeader => (400, Challenge::None, "repeated_owned_header"),
            Self::Misconfigured => (503, Challenge::None, "misconfigured"),
        };
        Answer { status, challenge, label }
    }

    /// Body of the answer: the native filter's own words wherever it has some.
    pub fn body(&self) -> String {
        match self {
            Self::Missing => "Jwt is missing".to_owned(),
            Self::Malformed(what) => what.to_string(),
            Self::UnknownIssuer => "Jwt issuer is not configured".to_owned(),
            Self::NotYetValid { .. } => "Jwt not yet valid".to_owned(),
            Self::Expired { .. } => "Jwt is expired".to_owned(),
            Self::Audience => "Audiences in Jwt are not allowed".to_owned(),
            Self::Demand(_) | Self::BadSignature | Self::Revoked => {
                "Jwt verification fails".to_owned()
            }
            Self::UnknownKey => "Jwks doesn't have key to match kid or alg from Jwt".to_owned(),
            Self::KeysUnavailable => "Jwks remote fetch is failed".to_owned(),
            Self::RevocationsUnavailable => "Revocation list is unavailable".to_owned(),
            Self::NoRule
            | Self::Denied
            | Self::Unauthorized
            | Self::Scope(_)
            | Self::StepUp { .. } => "RBAC: access denied".to_owned(),
            Self::AmbiguousPath
            | Self::AmbiguousQuery
            | Self::AmbiguousHost
            | Self::RepeatedOwnedHeader => "Bad Request".to_owned(),
            Self::Misconfigured => "Service Unavailable".to_owned(),
        }
    }

    /// The one of two refusals that tells more, the later one of equals: any other reason tells
    /// more than a foreign issuer, that more than no token. Keys and lists that could not be had come before
    /// all, because the token may be good.
    #[must_use]
    pub fn telling(self, later: Self) -> Self {
        if self.weight() > later.weight() { self } else { later }
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::UnknownIssuer => 1,
            Self::KeysUnavailable | Self::RevocationsUnavailable => 3,
            Self::Malformed(_)
            | Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::Audience
            | Self::Demand(_)
            | Self::UnknownKey
            | Self::BadSignature
            | Self::Revoked
            | Self::NoRule
            | Self::AmbiguousPath
            | Self::AmbiguousQuery
            | Self::AmbiguousHost
            | Self::Denied
            | Self::Unauthorized
            | Self::Scope(_)
            | Self::StepUp { .. }
            | Self::RepeatedOwnedHeader
            | Self::Misconfigured => 2,
        }
    }
}
