//! Names for later filters: whose they are, and that no two kinds of value share one.

use std::collections::BTreeMap;

use crate::audit;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::policy::provider::Exports;

/// Compiles the names of a provider.
pub(super) fn exports(
    raw: &raw::Provider,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Exports> {
    let before = faults.len();
    for (key, name) in names(raw) {
        // It is one segment of a property's path, and segments are parted by NUL.
        if name.chars().any(char::is_control) {
            faults.add(&at.key(key), "must not have control characters in it");
        }
    }
    let exported = raw.payload_in_metadata.as_deref().is_some_and(|name| !name.is_empty());
    let mut idle = |key: &str, needs: &str| {
        faults.warn(&at.key(key), format!("does nothing without {needs}"));
    };
    if raw.normalize_payload_in_metadata.is_some() && !exported {
        idle("normalize_payload_in_metadata", "payload_in_metadata");
    }
    if raw.clear_route_cache && !exported && raw.claim_to_headers.is_empty() {
        idle("clear_route_cache", "claim_to_headers or payload_in_metadata");
    }
    let name = |text: &Option<String>| text.as_deref().filter(|t| !t.is_empty()).map(Into::into);
    let split = raw.normalize_payload_in_metadata.as_ref();
    let split = split.map(|normalize| normalize.space_delimited_claims.as_slice());
    (faults.len() == before).then(|| Exports {
        payload: name(&raw.payload_in_metadata),
        header: name(&raw.header_in_metadata),
        failure: name(&raw.failed_status_in_metadata),
        split: split.unwrap_or_default().iter().map(|claim| claim.0.as_str().into()).collect(),
    })
}

/// Several providers may write one name, as in the native filter, where the last one stays. Claims
/// under the name of a status would be taken for it.
pub(super) fn clashes(config: &raw::Config, faults: &mut Faults) {
    let root = ConfigPath::ROOT;
    let place = root.key("providers");
    let mut kinds = BTreeMap::<&str, (&str, &str)>::new();
    for (provider, raw) in &config.providers {
        for (key, name) in names(raw) {
            if config.audit.is_some() && name == audit::EXPORT {
                let message = format!("`{name}` is the name of what `audit` tells");
                faults.add(&place.key(provider).key(key), message);
            }
            let (first, kind) = *kinds.entry(name).or_insert((provider, key));
            if kind != key {
                let message = format!("`{name}` is the {kind} of provider `{first}`, too");
                faults.add(&place.key(provider).key(key), message);
            }
        }
    }
}

fn names(raw: &raw::Provider) -> impl Iterator<Item = (&'static str, &str)> {
    let names = [
        ("payload_in_metadata", &raw.payload_in_metadata),
        ("header_in_metadata", &raw.header_in_metadata),
        ("failed_status_in_metadata", &raw.failed_status_in_metadata),
    ];
    let given = names.into_iter().filter_map(|(key, name)| Some((key, name.as_deref()?)));
    given.filter(|(_, name)| !name.is_empty())
}
