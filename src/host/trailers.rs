//! Trailers: what only the gate may write does not come in at the end of a request, either.

use super::abi::{self, Map, Status};
use super::view::Pairs;
use crate::effects::is_same_variable;
use crate::request::HeaderName;

/// Removes owned names from the request's trailers, in every spelling that a server may take for
/// the same.
pub(super) fn strip(owned: &[HeaderName]) -> Result<(), Status> {
    if owned.is_empty() {
        return Ok(());
    }
    let pairs = Pairs::parse(abi::headers(Map::RequestTrailers)?);
    let pairs = pairs.ok_or(Status::INTERNAL_FAILURE)?;
    let names = pairs.iter().filter_map(|(name, _)| str::from_utf8(name).ok());
    let is_owned = |name: &str| owned.iter().any(|owned| is_same_variable(owned.as_str(), name));
    names.filter(|name| is_owned(name)).try_for_each(|name| {
        match abi::remove_header(Map::RequestTrailers, name) {
            // It came twice, and is gone.
            Err(Status::NOT_FOUND) => Ok(()),
            done => done,
        }
    })
}
