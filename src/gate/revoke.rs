//! Tokens that a key vouches for, and that were taken back.

use super::{Accepted, Judge, Moment};
use crate::credential::Location;
use crate::jws::VerifiedToken;
use crate::policy::provider::Provider;
use crate::rejection::Rejection;
use crate::remote::Lack;
use crate::remote::document::Document;
use crate::requirement::Verdict;

impl<'g> Judge<'g> {
    /// A verified token is accepted unless it was revoked, or that cannot be told.
    pub(super) fn accept(
        self,
        moment: Moment,
        provider: &'g Provider,
        location: &'g Location,
        token: VerifiedToken,
    ) -> Verdict<Accepted<'g>> {
        if provider.revoked.revokes(&token) {
            return Verdict::Refused(Rejection::Revoked);
        }
        let accepted = |token| Verdict::Valid(vec![Accepted { provider, location, token }]);
        let Some(remote) = provider.remote_revocations else { return accepted(token) };
        let Some(source) = self.gate.source(remote.source) else {
            return Verdict::Refused(Rejection::RevocationsUnavailable);
        };
        let may_bring = moment.may_wait && self.gate.may_bring(moment.now, remote.source);
        match source.document(moment.now) {
            Some(Document::Revocations(list)) if list.revokes(&token) => {
                Verdict::Refused(Rejection::Revoked)
            }
            Some(Document::Revocations(_)) => accepted(token),
            // Who goes on without the list waits for a first answer all the same, but not for an
            // endpoint that is down.
            None if may_bring && !(remote.open && source.has_failed()) => {
                Verdict::Unknown(Lack { source: remote.source, kid: None })
            }
            None if remote.open => accepted(token),
            Some(Document::Discovery(_) | Document::Keys(_)) | None => {
                Verdict::Refused(Rejection::RevocationsUnavailable)
            }
        }
    }
}
