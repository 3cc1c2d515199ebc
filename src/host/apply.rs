//! Effects become hostcalls: all header changes first, resuming last, nothing after.

use super::abi::{self, Status};
use super::nginx;
use super::view::{HostView, serialise_pairs};
use crate::effects::{Effects, HeaderOp, Reply};
use crate::policy::HostKind;
use crate::rejection::Rejection;
use crate::request::HeaderName;

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Applied {
    /// It may go on.
    Forward,
    /// It was answered as the effects say.
    Replied,
    /// It was to go on, and was answered all the same.
    Refused(Rejection),
}

/// Applies effects to the request of the effective context. What the host refuses to do ends in a
/// refusal of the request: with half of its headers changed it must not go on. `owned` are the
/// headers that only the gate may write.
pub(super) fn apply(
    kind: HostKind,
    view: &HostView,
    owned: &[HeaderName],
    effects: &Effects,
) -> Applied {
    let done = match effects {
        Effects::Forward(_) if view.is_broken() => Err(Status::INTERNAL_FAILURE),
        Effects::Forward(ops) if kind == HostKind::Nginx => nginx::forward(view, owned, ops),
        Effects::Forward(ops) => ops.iter().try_for_each(change).map(|()| Applied::Forward),
        Effects::Reply(reply) => answer(kind, reply),
    };
    done.unwrap_or_else(|status| {
        log::error!(
            "the proxy failed to show or change a request (status {}); it is answered 503",
            status.0
        );
        if let Effects::Reply(reply) = Effects::misconfigured() {
            // Should this fail as well, the request stays paused: it does not pass.
            let _ = answer(kind, &reply);
        }
        Applied::Refused(Rejection::Misconfigured)
    })
}

fn change(op: &HeaderOp) -> Result<(), Status> {
    match op {
        HeaderOp::Remove(name) => abi::remove_header(name.as_str()),
        HeaderOp::Add(name, value) => abi::add_header(name.as_str(), value),
        HeaderOp::SetPath(path) => abi::replace_header(":path", path),
    }
}

/// Answers a request in place of the upstream.
pub(super) fn answer(kind: HostKind, reply: &Reply) -> Result<Applied, Status> {
    let headers: Vec<_> =
        reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // NGINX shows the details to the client, as the reason phrase.
    let details = match kind {
        HostKind::Nginx => String::new(),
        HostKind::Envoy | HostKind::Bare => format!("jwt_gate_{}", reply.details),
    };
    abi::reply(reply.status, &details, &serialise_pairs(&headers), &reply.body)?;
    Ok(Applied::Replied)
}
