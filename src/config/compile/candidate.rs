//! A candidate policy: compiled as if it stood alone, then bound to the sources of the one that counts.

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::Config;
use crate::policy::Policy;
use crate::policy::provider::{Keys, Provider};
use crate::remote::{Place, Remote, SourceId};

/// Compiles the candidate of a document, if it has one, and puts it beside its policy.
pub(super) fn attach(config: &Config, policy: &mut Policy, faults: &mut Faults) {
    let Some(raw) = &config.shadow_policy else { return };
    let place = ConfigPath::ROOT.key("shadow_policy");
    let before = faults.len();
    for (key, is_there) in operating(raw) {
        if is_there {
            let message = "is for the whole gate: it stands beside `shadow_policy`, not in it";
            faults.add(&place.key(key), message);
        }
    }
    if faults.len() != before {
        return;
    }
    let mut inner = Faults::default();
    let raw = Config { limits: config.limits.clone(), ..(**raw).clone() };
    let candidate = super::policy(&raw, &mut inner);
    faults.take_in(&place, inner);
    let Some(mut candidate) = candidate else { return };
    let warnings = candidate.warnings.drain(..).map(|warning| warning.within(&place));
    policy.warnings.extend(warnings);
    bind(&mut candidate, &mut policy.sources);
    policy.candidate = Some(Box::new(candidate));
}

/// What is not a matter of which requests may pass.
fn operating(raw: &Config) -> [(&'static str, bool); 7] {
    [
        ("audit", raw.audit.is_some()),
        ("host", raw.host.is_some()),
        ("host_crypto", raw.host_crypto.is_some()),
        ("limits", raw.limits.is_some()),
        ("share_keys", raw.share_keys.is_some()),
        ("shadow_policy", raw.shadow_policy.is_some()),
        ("stat_prefix", raw.stat_prefix.is_some()),
    ]
}

/// Documents that both need are fetched once; those that only the candidate needs come behind.
fn bind(candidate: &mut Policy, sources: &mut Vec<Remote>) {
    let mut places: Vec<SourceId> = Vec::new();
    for mut remote in std::mem::take(&mut candidate.sources) {
        // A source comes before those that it tells the place of.
        if let Place::Told(by) = &mut remote.place {
            *by = places.get(by.0).copied().unwrap_or(*by);
        }
        places.push(SourceId(place(remote, sources)));
    }
    let bound = |id: SourceId| places.get(id.0).copied().unwrap_or(id);
    for Provider { keys, remote_revocations, .. } in &mut candidate.providers {
        if let Keys::Remote(id) = keys {
            *id = bound(*id);
        }
        if let Some(remote) = remote_revocations {
            remote.source = bound(remote.source);
        }
    }
}

fn place(mut remote: Remote, sources: &mut Vec<Remote>) -> usize {
    sources.iter().position(|known| *known == remote).unwrap_or_else(|| {
        remote.provider = format!("{} (candidate)", remote.provider).into();
        sources.push(remote);
        sources.len().saturating_sub(1)
    })
}
