//! A provider: whose tokens, where they are looked for, what must be true of them.

#[cfg(feature = "tools")]
mod explain;

use std::sync::Arc;
use std::time::Duration;

use crate::cache::Room;
use crate::claims::{ClaimPath, Claims};
use crate::credential::Location;
use crate::crypto::Algorithm;
use crate::jws::{Stated, is_type};
use crate::keys::set::KeySet;
use crate::policy::matcher::TextMatcher;
use crate::rejection::{Demand, Malformed, Rejection};
use crate::remote::SourceId;
use crate::request::HeaderName;
use crate::revocation::RevocationList;
use crate::time::Timestamp;

/// A compiled provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// Accepted issuers; empty: any.
    pub issuers: Box<[Issuer]>,
    /// Accepted audiences, sanitised; empty: any.
    pub audiences: Box<[Box<str>]>,
    /// Accepted subjects.
    pub subjects: Option<TextMatcher>,
    /// Whether a token without `exp` is refused.
    pub require_expiration: bool,
    /// What must be left of a token's life at most.
    pub max_lifetime: Option<Duration>,
    /// Tolerated clock skew in seconds.
    pub skew: u64,
    /// Where the keys are.
    pub keys: Keys,
    /// Tokens that were taken back.
    pub revoked: RevocationList,
    /// Where more of those are.
    pub remote_revocations: Option<RemoteRevocations>,
    /// Where tokens are looked for, in the order of evaluation.
    pub locations: Box<[Location]>,
    /// Whether the token goes on to the upstream.
    pub forward: bool,
    /// The header for the payload.
    pub payload_header: Option<PayloadHeader>,
    /// Headers for claims.
    pub claim_headers: Box<[(HeaderName, ClaimPath)]>,
    /// What later filters of the proxy can read.
    pub exports: Exports,
    /// Whether the route is chosen again after a token was told to others.
    pub clear_route_cache: bool,
    /// Accepted algorithms; `None`: what the keys are for.
    pub algorithms: Option<Box<[Algorithm]>>,
    /// Whether tokens that are bound to a sender are taken without a look at the binding.
    pub accept_bound: bool,
    /// Claims with roles.
    pub role_claims: Box<[ClaimPath]>,
    /// Claims with scopes.
    pub scope_claims: Box<[ClaimPath]>,
    /// Claims that must be there.
    pub required_claims: Box<[Box<str>]>,
    /// Accepted `typ`s; empty: any.
    pub token_types: Box<[Box<str>]>,
    /// `realm` of the challenge.
    pub realm: Option<Box<str>>,
    /// `resource_metadata` of the challenge (RFC 9728).
    pub resource_metadata: Option<Box<str>>,
    /// Room for its verified tokens; `None`: they share that of the policy.
    pub token_cache: Option<Room>,
}

/// Where a provider's keys are.
#[derive(Clone, Debug)]
pub enum Keys {
    /// In the configuration.
    Local(Arc<KeySet>),
    /// Behind a URL.
    Remote(SourceId),
}

/// Where the list of a provider's revoked tokens is.
#[derive(Clone, Copy, Debug)]
pub struct RemoteRevocations {
    /// The source that brings it.
    pub source: SourceId,
    /// Whether tokens pass while it cannot be had.
    pub open: bool,
}

/// The header that takes the payload in base64url.
#[derive(Clone, Debug)]
pub struct PayloadHeader {
    /// Its name.
    pub name: HeaderName,
    /// Whether it is padded with `=`.
    pub padded: bool,
}

/// Names under which later filters of the proxy read what became of a token.
#[derive(Clone, Debug, Default)]
pub struct Exports {
    /// The claims.
    pub payload: Option<Box<str>>,
    /// The JOSE header.
    pub header: Option<Box<str>>,
    /// Why a token was refused.
    pub failure: Option<Box<str>>,
    /// Claims whose text is exported as a list of its words.
    pub split: Box<[Box<str>]>,
}

impl Exports {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.payload, &self.header, &self.failure].into_iter().flatten().map(|name| &**name)
    }
}

/// An accepted issuer.
#[derive(Clone, Debug)]
pub enum Issuer {
    /// This one.
    Exact(Box<str>),
    /// Text around one path segment.
    Template(Box<str>, Box<str>),
}

impl Issuer {
    fn accepts(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *issuer,
            Self::Template(before, after) => issuer
                .strip_prefix(&**before)
                .and_then(|rest| rest.strip_suffix(&**after))
                .is_some_and(is_tenant),
        }
    }
}

/// A tenant's name is one plain path segment.
fn is_tenant(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
        && !matches!(text, "." | "..")
}

impl Provider {
    /// Whether `issuer` is one of its own, named as such.
    pub fn names_issuer(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|accepted| accepted.accepts(issuer))
    }

    /// Headers that only the gate may write, on behalf of this provider.
    pub fn written(&self) -> impl Iterator<Item = &HeaderName> {
        let payload = self.payload_header.iter().map(|header| &header.name);
        payload.chain(self.claim_headers.iter().map(|(name, _)| name))
    }

    /// Looks at everything but the signature, in the native filter's order: what it lets pass may
    /// still be forged.
    pub fn screen(
        &self,
        now: Timestamp,
        token: &Stated,
        audiences: Option<&[Box<str>]>,
    ) -> Result<(), Rejection> {
        let claims = token.claims();
        self.screen_issuer(claims)?;
        self.screen_time(now, claims)?;
        Self::screen_audience(claims, self.wanted_audiences(audiences))?;
        self.screen_demands(now, token).map_err(Rejection::Demand)?;
        self.screen_algorithm(token)
    }

    fn screen_issuer(&self, claims: &Claims) -> Result<(), Rejection> {
        let accepted = self.issuers.is_empty() || self.names_issuer(claims.issuer());
        if accepted { Ok(()) } else { Err(Rejection::UnknownIssuer) }
    }

    /// The audiences that a rule asks for, or else the provider's own.
    fn wanted_audiences<'a>(&'a self, of_rule: Option<&'a [Box<str>]>) -> &'a [Box<str>] {
        of_rule.filter(|audiences| !audiences.is_empty()).unwrap_or(&self.audiences)
    }

    fn screen_audience(claims: &Claims, audiences: &[Box<str>]) -> Result<(), Rejection> {
        let is_known = |aud: &&str| audiences.iter().any(|known| **known == *sanitised(aud));
        let accepted = audiences.is_empty() || claims.audiences().iter().any(is_known);
        if accepted { Ok(()) } else { Err(Rejection::Audience) }
    }

    fn screen_algorithm(&self, token: &Stated) -> Result<(), Rejection> {
        let allowed = self.algorithms.as_ref().is_none_or(|a| a.contains(&token.algorithm()));
        if allowed { Ok(()) } else { Err(Rejection::Malformed(Malformed::Algorithm)) }
    }

    /// The last second in which a token of these claims passes [`Self::screen`].
    pub fn ends(&self, claims: &Claims) -> u64 {
        claims.exp.map_or(u64::MAX, |exp| exp.saturating_add(self.skew))
    }

    /// Whole seconds, both bounds inclusive, as the native filter has it.
    fn screen_time(&self, now: Timestamp, claims: &Claims) -> Result<(), Rejection> {
        let leeway = self.skew;
        match (claims.nbf, claims.exp) {
            (Some(nbf), _) if now.as_secs().saturating_add(leeway) < nbf => {
                Err(Rejection::NotYetValid { nbf, now, leeway })
            }
            (_, Some(exp)) if self.ends(claims) < now.as_secs() => {
                Err(Rejection::Expired { exp, now, leeway })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    fn screen_demands(&self, now: Timestamp, token: &Stated) -> Result<(), Demand> {
        let claims = token.claims();
        self.screen_subject(claims)?;
        self.screen_lifetime(now, claims)?;
        self.screen_required(claims)?;
        self.screen_type(token)?;
        self.screen_binding(claims)
    }

    fn screen_subject(&self, claims: &Claims) -> Result<(), Demand> {
        let accepts = |subjects: &TextMatcher| subjects.matches(claims.subject().as_bytes());
        if self.subjects.as_ref().is_none_or(accepts) { Ok(()) } else { Err(Demand::Subject) }
    }

    fn screen_lifetime(&self, now: Timestamp, claims: &Claims) -> Result<(), Demand> {
        match (claims.exp, self.max_lifetime) {
            (None, Some(_)) => Err(Demand::Lifetime),
            (None, None) if self.require_expiration => Err(Demand::Expiration),
            (Some(exp), Some(most)) if exp.saturating_sub(now.as_secs()) >= most.as_secs() => {
                Err(Demand::Lifetime)
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    fn screen_required(&self, claims: &Claims) -> Result<(), Demand> {
        let all = self.required_claims.iter().all(|name| claims.get(name).is_some());
        if all { Ok(()) } else { Err(Demand::RequiredClaim) }
    }

    fn screen_type(&self, token: &Stated) -> Result<(), Demand> {
        let is_wanted = |typ: &str| self.token_types.iter().any(|wanted| is_type(typ, wanted));
        let accepted = self.token_types.is_empty() || token.typ().is_some_and(is_wanted);
        if accepted { Ok(()) } else { Err(Demand::TokenType) }
    }

    fn screen_binding(&self, claims: &Claims) -> Result<(), Demand> {
        let accepted = self.accept_bound || claims.get("cnf").is_none();
        if accepted { Ok(()) } else { Err(Demand::Unbound) }
    }
}

/// An audience as the native filter compares it: without one scheme and one closing slash.
pub fn sanitised(audience: &str) -> &str {
    let rest = audience
        .strip_prefix("https://")
        .or_else(|| audience.strip_prefix("http://"))
        .unwrap_or(audience);
    rest.strip_suffix('/').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_are_compared_without_scheme_and_slash() {
        let cases = [
            ("aud1", "aud1"),
            ("http://aud1/", "aud1"),
            ("https://aud1", "aud1"),
            ("aud1//", "aud1/"),
            ("HTTP://aud1", "HTTP://aud1"),
        ];
        for (audience, expected) in cases {
            assert_eq!(sanitised(audience), expected, "{audience}");
        }
    }

    #[test]
    fn a_template_stands_for_one_segment() {
        let issuer = Issuer::Template("https://l.example/".into(), "/v2.0".into());
        let cases = [
            ("https://l.example/t1/v2.0", true),
            ("https://l.example/9f-3_a.b~/v2.0", true),
            ("https://l.example//v2.0", false),
            ("https://l.example/a/b/v2.0", false),
            ("https://l.example/../v2.0", false),
            ("https://l.example/a@evil/v2.0", false),
            ("https://l.example/a/v2.0/", false),
            ("https://l.example/v2.0", false),
        ];
        for (text, expected) in cases {
            assert_eq!(issuer.accepts(text), expected, "{text}");
        }
    }
}
