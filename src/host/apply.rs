//! Effects become hostcalls: all header changes first, resuming last, nothing after.

use super::abi::{self, Map, Status};
use super::export::leave;
use super::nginx;
use super::view::{HostView, serialise_pairs};
use crate::effects::{Effects, Forward, HeaderOp, Reply};
use crate::policy::HostKind;
use crate::rejection::Rejection;
use crate::request::HeaderName;

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Applied {
    /// It may go on.
    Forward,
    /// It was answered.
    Replied,
}

/// Why effects were not applied.
pub(super) enum Failure {
    /// The host did not do what it was told.
    Host(Status),
    /// The request is one that this host cannot forward safely.
    Request(Rejection),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Host(status)
    }
}

/// Applies effects to the request of the effective context. The error is why it has to be refused
/// all the same: with half of its headers changed it must not go on. `owned` are the headers that
/// only the gate may write.
pub(super) fn apply(
    kind: HostKind,
    view: &HostView,
    owned: &[HeaderName],
    effects: &Effects,
) -> Result<Applied, Rejection> {
    let done = match effects {
        Effects::Forward(_) if view.is_broken() => Err(Status::INTERNAL_FAILURE.into()),
        Effects::Forward(forward) => self::forward(kind, view, owned, forward),
        Effects::Reply(reply) => answer(kind, reply).map_err(Failure::Host),
    };
    done.map_err(|failure| match failure {
        Failure::Request(why) => why,
        Failure::Host(status) => {
            log::error!(
                "the proxy failed to show or change a request (status {}); it is answered 503",
                status.0
            );
            Rejection::Misconfigured
        }
    })
}

fn forward(
    kind: HostKind,
    view: &HostView,
    owned: &[HeaderName],
    forward: &Forward,
) -> Result<Applied, Failure> {
    match kind {
        HostKind::Nginx => nginx::forward(view, owned, &forward.headers)?,
        HostKind::Envoy | HostKind::Bare => forward.headers.iter().try_for_each(change)?,
    }
    // A later filter may decide by what it reads: without it the request must not go on.
    forward.exports.iter().try_for_each(|export| leave(kind, export))?;
    if forward.reroute && kind == HostKind::Envoy {
        abi::call_foreign_function("clear_route_cache", b"")?;
    }
    Ok(Applied::Forward)
}

fn change(op: &HeaderOp) -> Result<(), Status> {
    match op {
        HeaderOp::Remove(name) => abi::remove_header(Map::Request, name.as_str()),
        HeaderOp::Add(name, value) => abi::add_header(name.as_str(), value),
        HeaderOp::SetPath(path) => abi::replace_header(":path", path),
    }
}

/// Answers a request in place of the upstream.
fn answer(kind: HostKind, reply: &Reply) -> Result<Applied, Status> {
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
