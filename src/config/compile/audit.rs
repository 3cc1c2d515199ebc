//! What is told of decisions.

use super::provider::claim_path;
use crate::audit::{Audit, Logged};
use crate::claims::ClaimPath;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;

/// Claims that a line may hold: it stays one that a log takes.
const MOST: usize = 32;

/// Compiles the setting, if it is there.
pub(super) fn audit(
    raw: Option<&raw::Audit>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Audit> {
    let raw = raw?;
    let place = at.key("claims");
    if raw.claims.len() > MOST {
        faults.add(&place, format!("must be at most {MOST}, found {}", raw.claims.len()));
    }
    let mut claims = Vec::<(Box<str>, ClaimPath)>::new();
    for (i, path) in raw.claims.iter().map(claim_path).enumerate() {
        let name = match &path {
            ClaimPath::Dotted(name) => name.clone(),
            ClaimPath::Steps(steps) => steps.join(".").into(),
        };
        if claims.iter().any(|(known, _)| *known == name) {
            faults.add(&place.index(i), format!("`{name}` is there twice"));
        }
        claims.push((name, path));
    }
    let log = match raw.log {
        Some(raw::Logged::Denied) | None => Logged::Denied,
        Some(raw::Logged::All) => Logged::All,
        Some(raw::Logged::None) => Logged::None,
    };
    Some(Audit { log, claims: claims.into() })
}
