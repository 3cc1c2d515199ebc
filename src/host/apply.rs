//! Effects become hostcalls: all header changes first, resuming last, nothing after.

use super::abi::{self, Status};
use super::export::leave;
use super::nginx;
use super::view::{HostView, serialise_pairs};
use crate::effects::{Effects, Forward, HeaderOp, Reply};
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
        Effects::Forward(forward) => self::forward(kind, view, owned, forward),
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

fn forward(
    kind: HostKind,
    view: &HostView,
    owned: &[HeaderName],
    forward: &Forward,
) -> Result<Applied, Status> {
    let applied = match kind {
        HostKind::Nginx => nginx::forward(view, owned, &forward.headers)?,
        HostKind::Envoy | HostKind::Bare => {
            forward.headers.iter().try_for_each(change)?;
            Applied::Forward
        }
    };
    if applied == Applied::Forward {
        // A later filter may decide by what it reads: without it the request must not go on.
        forward.exports.iter().try_for_each(|export| leave(kind, export))?;
        if forward.reroute && kind == HostKind::Envoy {
            abi::call_foreign_function("clear_route_cache", b"")?;
        }
    }
    Ok(applied)
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
    for export in &reply.exports {
        // Only logs can read it; the answer does not wait for them.
        let _ = leave(kind, export);
    }
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
