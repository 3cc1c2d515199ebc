//! Who sent the request: tokens found, looked at, verified.

use std::sync::Arc;

use super::{Accepted, Case, Failure, Findings, Judge, Moment};
use crate::cache::Remembered;
use crate::credential::{Credential, Location};
use crate::jws::{Jws, Stated, VerifiedToken};
use crate::keys::absent::KidHash;
use crate::keys::set::KeySet;
use crate::policy::provider::{Keys, Provider};
use crate::policy::rule::Rule;
use crate::rejection::{Malformed, Rejection};
use crate::remote::Lack;
use crate::requirement::{Leaf, Place, ProviderId, Verdict};

/// Places that one demand finds a token at; who sends more is refused.
const MAX_TOKENS: usize = 4;

const TOO_MANY: Verdict<Accepted<'static>> =
    Verdict::Refused(Rejection::Malformed(Malformed::TooMany));

/// A token that has not been screened.
pub(super) enum Candidate<'t> {
    Parsed(Jws<'t>),
    Remembered(Remembered),
}

impl Candidate<'_> {
    fn stated(&self) -> &Stated {
        match self {
            Self::Parsed(token) => token.stated(),
            Self::Remembered(known) => known.token.stated(),
        }
    }
}

/// A provider, and its number.
pub(super) type Numbered<'g> = (ProviderId, &'g Provider);

impl<'g> Judge<'g> {
    /// What the rule's requirement comes to.
    pub(super) fn authenticate(
        self,
        case: Case<'_>,
        rule: &'g Rule,
        findings: &mut Findings<'g>,
    ) -> Verdict<Accepted<'g>> {
        match &rule.requires {
            Some(requirement) => requirement.decide(&mut |leaf| self.leaf(case, leaf, findings)),
            None => Verdict::Valid(Vec::new()),
        }
    }

    pub(super) fn leaf(
        self,
        case: Case<'_>,
        leaf: &'g Leaf,
        findings: &mut Findings<'g>,
    ) -> Verdict<Accepted<'g>> {
        let failures = &mut findings.failures;
        match leaf {
            Leaf::Open => Verdict::Valid(Vec::new()),
            Leaf::Provider { id, audiences } => match self.policy.provider(*id) {
                Some(provider) => {
                    self.provider(case, (*id, provider), audiences.as_deref(), failures)
                }
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
    fn provider(
        self,
        case: Case<'_>,
        provider: Numbered<'g>,
        audiences: Option<&[Box<str>]>,
        failures: &mut Vec<Failure<'g>>,
    ) -> Verdict<Accepted<'g>> {
        let mut failed = |provider, why: &Rejection| {
            failures.push(Failure { provider, why: why.clone() });
        };
        let mut verdict = Verdict::Refused(Rejection::Missing);
        let mut first = None::<Credential<'_>>;
        let mut count = 0_usize;
        for location in &provider.1.locations {
            for credential in location.find(case.view) {
                let token = match self.candidate(case, credential.token(), &[provider.0]) {
                    Ok(token) => self.token(case, token, provider, location, audiences),
                    Err(why) => Verdict::Refused(Rejection::Malformed(why)),
                };
                verdict = if first.is_none() { token } else { verdict.and(token) };
                // Which of two tokens speaks for the caller, nobody could say (RFC 6750, 2).
                let differs = first.as_ref().is_some_and(|first| *first != credential);
                count = count.saturating_add(1);
                if differs || count > MAX_TOKENS {
                    verdict = verdict.and(TOO_MANY);
                }
                if let Verdict::Refused(why) = &verdict {
                    failed(Some(provider.1), why);
                    return verdict;
                }
                first.get_or_insert(credential);
            }
        }
        if let Verdict::Refused(why) = &verdict {
            failed(None, why);
        }
        verdict
    }

    /// No token is asked for, but those that came are looked at.
    fn optional(
        self,
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
    pub(super) fn at_place(
        self,
        case: Case<'_>,
        token: &[u8],
        place: &Place,
    ) -> (Option<&'g Provider>, Verdict<Accepted<'g>>) {
        let token = match self.candidate(case, token, &place.providers) {
            Ok(token) => token,
            Err(why) => return (None, Verdict::Refused(Rejection::Malformed(why))),
        };
        let issuer = token.stated().claims().issuer();
        let providers =
            || place.providers.iter().filter_map(|id| Some((*id, self.policy.provider(*id)?)));
        let named = providers().find(|(_, provider)| provider.names_issuer(issuer));
        let any = || providers().find(|(_, provider)| provider.issuers.is_empty());
        let location = |p: &'g Provider| p.locations.iter().find(|l| **l == place.location);
        match named.or_else(any).and_then(|found| Some((found, location(found.1)?))) {
            Some((provider, location)) => {
                (Some(provider.1), self.token(case, token, provider, location, None))
            }
            None => (None, Verdict::Refused(Rejection::UnknownIssuer)),
        }
    }

    /// A token that may be one of these providers': remembered, or else parsed.
    pub(super) fn candidate<'t>(
        self,
        case: Case<'_>,
        token: &'t [u8],
        providers: &[ProviderId],
    ) -> Result<Candidate<'t>, Malformed> {
        let known = case
            .lent
            .cache
            .and_then(|cache| providers.iter().find_map(|id| cache.find(*id, token)));
        match known {
            Some(known) => Ok(Candidate::Remembered(known)),
            None => Jws::parse(token, self.policy.limits.token).map(Candidate::Parsed),
        }
    }

    /// A token of a provider: looked at as a whole, then verified with that provider's keys only.
    pub(super) fn token(
        self,
        case: Case<'_>,
        token: Candidate<'_>,
        provider: Numbered<'g>,
        location: &'g Location,
        audiences: Option<&[Box<str>]>,
    ) -> Verdict<Accepted<'g>> {
        let moment = case.moment;
        if let Err(why) = provider.1.screen(moment.now, token.stated(), audiences) {
            forget_ended(case, &token, provider);
            return Verdict::Refused(why);
        }
        let accepted = |token| self.accept(moment, provider.1, location, token);
        let id = match &provider.1.keys {
            Keys::Local(keys) => {
                let verified = self.verify(case, token, provider, keys);
                return verified.map_or_else(Verdict::Refused, accepted);
            }
            Keys::Remote(id) => *id,
        };
        let Some(keys) = self.gate.keys(moment.now, id) else {
            let source = self.gate.first_lacking(moment.now, id);
            let kid = token.stated().kid().filter(|_| source == id).map(KidHash::new);
            return self.lacking(moment, Lack { source, kid });
        };
        let unknown = match token.stated().kid() {
            // No endpoint gives a shared secret, whatever its name.
            Some(kid) if !keys.has_kid(kid) && !token.stated().algorithm().is_symmetric() => {
                Some(KidHash::new(kid))
            }
            Some(_) | None => None,
        };
        match (self.verify(case, token, provider, keys), unknown) {
            (Ok(token), _) => accepted(token),
            (Err(_), Some(kid)) if self.gate.may_be_published(moment.now, id, kid) => {
                self.lacking(moment, Lack { source: id, kid: Some(kid) })
            }
            (Err(why), _) => Verdict::Refused(why),
        }
    }

    /// Keys are lacking: waiting may bring them, or else nobody can say whether the token is good.
    fn lacking(self, moment: Moment, lack: Lack) -> Verdict<Accepted<'g>> {
        if moment.may_wait && self.gate.may_bring(moment.now, lack.source) {
            Verdict::Unknown(lack)
        } else {
            Verdict::Refused(Rejection::KeysUnavailable)
        }
    }

    /// Verifies a token's signature, unless these very keys have done so before.
    fn verify(
        self,
        case: Case<'_>,
        token: Candidate<'_>,
        provider: Numbered<'_>,
        keys: &Arc<KeySet>,
    ) -> Result<VerifiedToken, Rejection> {
        let known = match token {
            Candidate::Parsed(token) => return verify_anew(case, token, provider, keys),
            Candidate::Remembered(known) => known,
        };
        let Some(cache) = case.lent.cache else { return Err(Rejection::BadSignature) };
        let compact = known.token.compact();
        // It may have been found as a token of another provider at the same place.
        let by_these = |known: &Remembered| known.is_by(keys);
        let own = || cache.find(provider.0, compact).filter(by_these);
        if let Some(known) = Some(known.clone()).filter(by_these).or_else(own) {
            cache.hit();
            return Ok(known.token);
        }
        let token = Jws::parse(compact, self.policy.limits.token).map_err(Rejection::Malformed)?;
        verify_anew(case, token, provider, keys)
    }
}

fn verify_anew(
    case: Case<'_>,
    token: Jws<'_>,
    (id, provider): Numbered<'_>,
    keys: &Arc<KeySet>,
) -> Result<VerifiedToken, Rejection> {
    let Some(cache) = case.lent.cache else { return token.verify(keys, case.lent.crypto) };
    cache.missed(id);
    let verified = token.verify(keys, case.lent.crypto)?;
    cache.keep(case.moment.now, id, &verified, keys, provider.ends(verified.claims()));
    Ok(verified)
}

/// No token is remembered beyond its end.
fn forget_ended(case: Case<'_>, token: &Candidate<'_>, (id, provider): Numbered<'_>) {
    if let (Candidate::Remembered(known), Some(cache)) = (token, case.lent.cache)
        && provider.ends(token.stated().claims()) < case.moment.now.as_secs()
    {
        cache.forget(id, &known.token);
    }
}
