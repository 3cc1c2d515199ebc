//! Who sent the request: tokens found, looked at, verified.

use super::{Accepted, Case, Failure, Findings, Gate};
use crate::credential::{Credential, Location};
use crate::jws::Jws;
use crate::policy::provider::{Keys, Provider};
use crate::policy::rule::Rule;
use crate::rejection::{Malformed, Rejection};
use crate::requirement::{Leaf, Place, Verdict};

/// Places that one demand finds a token at; who sends more is refused.
const MAX_TOKENS: usize = 4;

const TOO_MANY: Verdict<Accepted<'static>> =
    Verdict::Refused(Rejection::Malformed(Malformed::TooMany));

impl Gate {
    /// What the rule's requirement comes to.
    pub(super) fn authenticate<'g>(
        &'g self,
        case: Case<'_>,
        rule: &'g Rule,
        findings: &mut Findings<'g>,
    ) -> Verdict<Accepted<'g>> {
        match &rule.requires {
            Some(requirement) => requirement.decide(&mut |leaf| self.leaf(case, leaf, findings)),
            None => Verdict::Valid(Vec::new()),
        }
    }

    fn leaf<'g>(
        &'g self,
        case: Case<'_>,
        leaf: &'g Leaf,
        findings: &mut Findings<'g>,
    ) -> Verdict<Accepted<'g>> {
        let failures = &mut findings.failures;
        match leaf {
            Leaf::Open => Verdict::Valid(Vec::new()),
            Leaf::Provider { id, audiences } => match self.policy.provider(*id) {
                Some(provider) => self.provider(case, provider, audiences.as_deref(), failures),
                None => Verdict::Refused(Rejection::Misconfigured),
            },
            Leaf::AllowMissing(places) => self.optional(case, places, false, failures),
            Leaf::AllowMissingOrFailed { places, status } => {
                let before = failures.len();
                let verdict = self.optional(case, places, true, failures);
                let mut new = failures.iter().skip(before);
                if new.any(|failure| failure.why != Rejection::Missing) {
                    findings.unverified.extend(status);
                }
                verdict
            }
        }
    }

    /// One provider's token is asked for; every token at its places must be good.
    fn provider<'g>(
        &'g self,
        case: Case<'_>,
        provider: &'g Provider,
        audiences: Option<&[Box<str>]>,
        failures: &mut Vec<Failure<'g>>,
    ) -> Verdict<Accepted<'g>> {
        let mut failed = |provider, why: &Rejection| {
            failures.push(Failure { provider, why: why.clone() });
        };
        let mut verdict = Verdict::Refused(Rejection::Missing);
        let mut tokens = Vec::new();
        for location in &provider.locations {
            for credential in location.find(case.view) {
                let token = match Jws::parse(credential.token(), self.policy.limits.token) {
                    Ok(token) => self.token(case, token, provider, location, audiences),
                    Err(why) => Verdict::Refused(Rejection::Malformed(why)),
                };
                verdict = if tokens.is_empty() { token } else { verdict.and(token) };
                tokens.push(credential);
                // Which of two tokens speaks for the caller, nobody could say (RFC 6750, 2).
                let differs = tokens.first().is_some_and(|t| tokens.last() != Some(t));
                if differs || tokens.len() > MAX_TOKENS {
                    verdict = verdict.and(TOO_MANY);
                }
                if let Verdict::Refused(why) = &verdict {
                    failed(Some(provider), why);
                    return verdict;
                }
            }
        }
        if let Verdict::Refused(why) = &verdict {
            failed(None, why);
        }
        verdict
    }

    /// No token is asked for, but those that came are looked at.
    fn optional<'g>(
        &'g self,
        case: Case<'_>,
        places: &[Place],
        may_fail: bool,
        failures: &mut Vec<Failure<'g>>,
    ) -> Verdict<Accepted<'g>> {
        let mut found = false;
        let mut verdict = Verdict::Valid(Vec::new());
        let mut seen = Vec::<(Option<&Provider>, Credential<'_>)>::new();
        for place in places {
            for credential in place.location.find(case.view) {
                let (provider, token) = self.at_place(case, credential.token(), place);
                // One provider, two tokens: which one speaks for the caller, nobody could say.
                let differs = |(other, before): &(Option<&Provider>, Credential<'_>)| {
                    provider.zip(*other).is_some_and(|(a, b)| std::ptr::eq(a, b))
                        && *before != credential
                };
                let token = if seen.len() >= MAX_TOKENS || seen.iter().any(differs) {
                    TOO_MANY
                } else {
                    token
                };
                found = true;
                if let Verdict::Refused(why) = &token {
                    failures.push(Failure { provider, why: why.clone() });
                }
                if !(may_fail && matches!(token, Verdict::Refused(_))) {
                    verdict = verdict.and(token);
                    seen.push((provider, credential));
                }
                if matches!(verdict, Verdict::Refused(_)) {
                    return verdict;
                }
            }
        }
        if !found {
            failures.push(Failure { provider: None, why: Rejection::Missing });
        }
        verdict
    }

    /// A token at a place that several providers may share is the one's that names its issuer, or
    /// else the first one's that takes any issuer.
    fn at_place<'g>(
        &'g self,
        case: Case<'_>,
        token: &[u8],
        place: &Place,
    ) -> (Option<&'g Provider>, Verdict<Accepted<'g>>) {
        let token = match Jws::parse(token, self.policy.limits.token) {
            Ok(token) => token,
            Err(why) => return (None, Verdict::Refused(Rejection::Malformed(why))),
        };
        let issuer = token.unverified_claims().issuer();
        let providers = || place.providers.iter().filter_map(|id| self.policy.provider(*id));
        let named = providers().find(|provider| provider.names_issuer(issuer));
        let provider = named.or_else(|| providers().find(|provider| provider.issuers.is_empty()));
        let location = |p: &'g Provider| p.locations.iter().find(|l| **l == place.location);
        match provider.and_then(|provider| Some((provider, location(provider)?))) {
            Some((provider, location)) => {
                (Some(provider), self.token(case, token, provider, location, None))
            }
            None => (None, Verdict::Refused(Rejection::UnknownIssuer)),
        }
    }

    /// A token of a provider: looked at as a whole, then verified with that provider's keys only.
    fn token<'g>(
        &'g self,
        case: Case<'_>,
        token: Jws<'_>,
        provider: &'g Provider,
        location: &'g Location,
        audiences: Option<&[Box<str>]>,
    ) -> Verdict<Accepted<'g>> {
        let moment = case.moment;
        if let Err(why) = provider.screen(moment.now, &token, audiences) {
            return Verdict::Refused(why);
        }
        let accepted = |token| self.accept(moment, provider, location, token);
        let id = match &provider.keys {
            Keys::Local(keys) => {
                return token
                    .verify(keys, case.lent.crypto)
                    .map_or_else(Verdict::Refused, accepted);
            }
            Keys::Remote(id) => *id,
        };
        let (why, fresh_keys_may_help) = match self.keys(moment.now, id) {
            None => (Rejection::KeysUnavailable, true),
            Some(keys) => {
                let unknown = token.kid().is_some_and(|kid| !keys.has_kid(kid));
                match token.verify(keys, case.lent.crypto) {
                    Ok(token) => return accepted(token),
                    Err(why) => (why, unknown),
                }
            }
        };
        let may_bring = self.source(id).is_some_and(|source| source.may_bring(moment.now));
        if moment.may_wait && fresh_keys_may_help && may_bring {
            Verdict::Unknown(id)
        } else {
            Verdict::Refused(why)
        }
    }
}
