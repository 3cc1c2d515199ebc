//! What a configuration says that few people mean.

use std::time::Duration;

use jwt_gate::crypto::Algorithm;
use jwt_gate::policy::Policy;
use jwt_gate::policy::provider::{Keys, Provider};
use jwt_gate::policy::rule::Rule;
use jwt_gate::remote::Remote;
use jwt_gate::remote::document::Kind;
use jwt_gate::requirement::{Leaf, ProviderId, Requirement};

use super::Level;

/// Something that is probably not meant, or good to know.
#[derive(Debug)]
pub(super) struct Doubt {
    pub(super) level: Level,
    pub(super) place: String,
    pub(super) message: String,
}

impl Doubt {
    fn new(level: Level, place: String, message: &str) -> Self {
        Self { level, place, message: message.to_owned() }
    }
}

/// Keys that are withdrawn should not count for longer than that.
const LONG: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Everything that is doubtful in a policy.
pub(super) fn doubts(policy: &Policy) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for (id, provider) in policy.providers().iter().enumerate() {
        doubts.extend(of_provider(policy, ProviderId(id), provider));
    }
    doubts.extend(policy.sources().iter().filter_map(of_source));
    doubts.extend(policy.rules().filter_map(|(place, rule)| of_rule(place, rule)));
    if policy.is_open_by_default() {
        let message = "what no rule names is open to all; \"deny\" is the default";
        doubts.push(Doubt::new(Level::Warning, "default_action".to_owned(), message));
    }
    doubts
}

fn of_provider(policy: &Policy, id: ProviderId, provider: &Provider) -> Vec<Doubt> {
    let place = |member: &str| format!("providers.{}{member}", provider.name);
    let warn = |place, message| Doubt::new(Level::Warning, place, message);
    let mut doubts = Vec::new();
    let uses = uses(policy, id);
    if uses.is_empty() {
        doubts.push(warn(place(""), "no rule asks for its tokens"));
    }
    if provider.audiences.is_empty() && uses.contains(&Use::OwnAudiences) {
        doubts.push(warn(
            place(""),
            "no audiences: a token that was issued for another service is good here, too",
        ));
    }
    if provider.issuers.is_empty() {
        doubts.push(warn(place(""), "no issuer: only its keys say whose tokens these are"));
    }
    if !provider.require_expiration && provider.max_lifetime.is_none() {
        doubts.push(warn(place(".require_expiration"), "a token without `exp` never ends"));
    }
    if let Keys::Local(keys) = &provider.keys {
        let shared = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];
        if keys.keys().iter().any(|key| shared.iter().any(|algorithm| key.serves(*algorithm))) {
            doubts.push(warn(
                place(".local_jwks"),
                "a shared secret (HS256, HS384, HS512): whoever can read this file can make tokens",
            ));
        }
    }
    if provider.accept_bound {
        doubts.push(warn(
            place(".accept_bound_tokens_unchecked"),
            "a token that is bound to its sender is good in anybody's hands",
        ));
    }
    doubts
}

/// What a rule asks of a provider's tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Use {
    /// The provider's audiences.
    OwnAudiences,
    /// Other audiences.
    OtherAudiences,
}

fn uses(policy: &Policy, id: ProviderId) -> Vec<Use> {
    let requirements = policy.rules().filter_map(|(_, rule)| rule.requires.as_ref());
    let leaves = requirements.flat_map(Requirement::leaves);
    leaves
        .filter_map(|leaf| match leaf {
            Leaf::Provider { id: of, audiences } if *of == id => Some(match audiences.as_deref() {
                None | Some([]) => Use::OwnAudiences,
                Some(_) => Use::OtherAudiences,
            }),
            Leaf::AllowMissing(places) | Leaf::AllowMissingOrFailed { places, .. } => {
                let has = places.iter().any(|place| place.providers.contains(&id));
                has.then_some(Use::OwnAudiences)
            }
            Leaf::Open | Leaf::Provider { .. } => None,
        })
        .collect()
}

fn of_source(remote: &Remote) -> Option<Doubt> {
    let kept = remote.schedule.cache_duration.saturating_add(remote.schedule.stale_if_error);
    if remote.kind != Kind::Keys || kept <= LONG {
        return None;
    }
    let hours = kept.as_secs().div_ceil(3600);
    let message = format!(
        "keys are served up to {hours} h after their fetch while the endpoint fails: so long does a withdrawn key count"
    );
    let place = format!("providers.{}.remote_jwks.stale_if_error", remote.provider);
    Some(Doubt::new(Level::Warning, place, &message))
}

fn of_rule(place: String, rule: &Rule) -> Option<Doubt> {
    let note = move |message| Some(Doubt::new(Level::Note, place, message));
    let is_bound = rule.deny.is_some() || rule.authorize.is_some();
    match &rule.requires {
        None | Some(Requirement::Leaf(Leaf::Open)) => note("open to all: it asks for no token"),
        Some(Requirement::Leaf(Leaf::AllowMissingOrFailed { .. })) if !is_bound => {
            note("open to all: a token is looked at, whether it is good or not")
        }
        Some(_) if rule.shadow => note("on trial: it refuses nothing"),
        Some(_) => None,
    }
}
