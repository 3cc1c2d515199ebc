//! Which host it is, found out without side effects.

use super::abi::{self, Status};
use crate::policy::HostKind;

/// The host, by how it answers in a root context: NGINX has no properties there at all; a host
/// without timers is a bare one. `timers` says whether the tick could be set.
pub(super) fn detect(timers: bool) -> HostKind {
    match abi::property("source\0address") {
        Err(Status::INTERNAL_FAILURE) => HostKind::Nginx,
        Ok(_) | Err(_) if timers => HostKind::Envoy,
        Ok(_) | Err(_) => HostKind::Bare,
    }
}
