//! From the document to the policy: names become indexes, texts become matchers and keys.

mod audit;
mod cache;
mod candidate;
mod condition;
mod discovery;
mod export;
mod keys;
mod matcher;
mod provider;
mod requirement;
mod revocation;
mod rule;
mod scoped;

use std::collections::{BTreeMap, BTreeSet};

use requirement::Compiler;

use crate::config::error::{ConfigError, ConfigPath, Faults};
use crate::config::raw::{Action, Config, HostName, Limits as RawLimits, Role};
use crate::config::read::slips;
use crate::jws::TokenLimits;
use crate::keys::set::KeyLimits;
use crate::policy::coverage;
use crate::policy::index::RuleIndex;
use crate::policy::place::place;
use crate::policy::provider::Provider;
use crate::policy::roles::RoleTable;
use crate::policy::rule::Rule;
use crate::policy::{HostKind, Limits, Policy};
use crate::remote::Remote;
use crate::request::HeaderName;
use crate::requirement::{Leaf, ProviderId, Requirement};

/// Requirements by name; `None` for one with a fault.
type Named = BTreeMap<String, Option<Requirement>>;

/// What the parts of a document look up in each other.
struct Names<'c> {
    config: &'c Config,
    limits: Limits,
    roles: RoleTable,
}

impl Names<'_> {
    /// The provider `name`; a fault at `at` when there is none.
    fn provider(&self, name: &str, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<ProviderId> {
        match self.config.providers.keys().position(|known| known == name) {
            Some(id) => Some(ProviderId(id)),
            None => faults.none(at, absent("provider", name, self.config.providers.keys())),
        }
    }
}

/// Says that there is no such thing, and which one was probably meant.
fn absent<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let near = known
        .map(|known| (strsim::osa_distance(name, known), known))
        .filter(|(distance, _)| *distance <= slips(name))
        .min();
    match near {
        Some((_, near)) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`"),
    }
}

/// Compiles a document.
pub(super) fn policy(config: &Config, faults: &mut Faults) -> Option<Policy> {
    let root = ConfigPath::ROOT;
    let limits = limits(config.limits.as_ref(), &root.key("limits"), faults);
    let names = Names { config, limits, roles: roles(config, &root.key("roles"), faults) };
    let mut sources = Vec::new();
    let providers = providers(&names, &mut sources, faults);
    let compiler = Compiler { names: &names, providers: &providers };
    let named = named(&compiler, faults);
    let scoped::Rules { all: rules, ends, scoped } = scoped::rules(&compiler, &named, faults);
    let audit = audit::audit(config.audit.as_ref(), &root.key("audit"), faults);
    export::clashes(config, faults);
    let owned = owned(&providers, &rules);
    let index = RuleIndex::new(&rules);
    let token_cache = cache::shared(config.token_cache.as_ref(), &root.key("token_cache"), faults);
    let mut warnings = faults.take_warnings();
    warnings.extend(covered(&rules, &ends, scoped, &index));
    let stat_prefix = stat_prefix(config.stat_prefix.as_deref(), &root.key("stat_prefix"), faults);
    let mut policy = Policy {
        rules,
        ends,
        scoped,
        index,
        warnings,
        sources,
        owned,
        stat_prefix,
        roles: names.roles,
        open_by_default: config.default_action == Some(Action::Allow),
        bypass_cors_preflight: config.bypass_cors_preflight,
        strip_failure_response: config.strip_failure_response,
        host: config.host.map(|host| match host {
            HostName::Envoy => HostKind::Envoy,
            HostName::Nginx => HostKind::Nginx,
            HostName::Bare => HostKind::Bare,
        }),
        share_keys: config.share_keys,
        host_crypto: config.host_crypto.unwrap_or(true),
        limits,
        token_cache,
        audit,
        candidate: None,
        providers: providers.into_iter().collect::<Option<_>>()?,
    };
    candidate::attach(config, &mut policy, faults);
    let unsupported = policy.host.map(|host| policy.unsupported(host));
    unsupported.into_iter().flatten().for_each(|fault| faults.add(&root, fault));
    Some(policy)
}

fn named(compiler: &Compiler<'_>, faults: &mut Faults) -> Named {
    let place = ConfigPath::ROOT.key("requirement_map");
    let map = compiler.names.config.requirement_map.iter();
    let mut named = Named::new();
    // `collect` would sort, and each sort of another type is a two-hundredth of the module.
    named.extend(
        map.map(|(name, raw)| (name.clone(), compiler.requirement(raw, &place.key(name), faults))),
    );
    named
}

/// Rules that never match, each in words. `scoped` of them come before those of `rules`.
fn covered(rules: &[Rule], ends: &[usize], scoped: usize, index: &RuleIndex) -> Vec<ConfigError> {
    let covered = coverage::covered(rules, index).into_iter();
    let say = |(at, by): (usize, &Rule)| {
        let message = format!("never matches, because rule `{}` takes all its requests", by.name);
        ConfigPath::ROOT.key(&place(at, ends, scoped)).fault(message)
    };
    covered.map(say).collect()
}

/// The providers in the order of their names; `None` for one with a fault.
fn providers(
    names: &Names<'_>,
    sources: &mut Vec<Remote>,
    faults: &mut Faults,
) -> Vec<Option<Provider>> {
    let place = ConfigPath::ROOT.key("providers");
    let each = names.config.providers.iter();
    each.map(|(name, raw)| {
        provider::provider(name, raw, &names.limits, sources, &place.key(name), faults)
    })
    .collect()
}

fn roles(config: &Config, at: &ConfigPath<'_>, faults: &mut Faults) -> RoleTable {
    for (name, role) in &config.roles {
        let (at, others) = (at.key(name), config.roles.keys().filter(|other| *other != name));
        for (i, parent) in role.inherits.iter().enumerate() {
            if !config.roles.contains_key(parent) {
                faults.add(&at.key("inherits").index(i), absent("role", parent, others.clone()));
            }
        }
    }
    let permissions = |role: &Role| role.permissions.iter().map(|text| text.0.clone()).collect();
    let mut definitions = BTreeMap::new();
    for (name, role) in &config.roles {
        definitions.insert(name.clone(), (role.inherits.clone(), permissions(role)));
    }
    match RoleTable::build(&definitions) {
        Ok(table) => table,
        Err(cycles) => {
            for cycle in cycles {
                let name = cycle.first().map_or("", String::as_str);
                let message = format!("inherits from itself: {}", cycle.join(" -> "));
                faults.add(&at.key(name).key("inherits"), message);
            }
            RoleTable::default()
        }
    }
}

/// What stands before the names of counters; a dot at its end is ours to write.
fn stat_prefix(prefix: Option<&str>, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Box<str>> {
    let prefix = prefix.map(|prefix| prefix.strip_suffix('.').unwrap_or(prefix));
    let prefix = prefix.filter(|prefix| !prefix.is_empty())?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if !prefix.bytes().all(legal) {
        let message = format!("must be letters, digits, `_`, `-` and `.`, found `{prefix}`");
        return faults.none(at, message);
    }
    Some(prefix.into())
}

/// Headers that only the gate may write.
fn owned(providers: &[Option<Provider>], rules: &[Rule]) -> Vec<HeaderName> {
    let of_providers = providers.iter().flatten().flat_map(Provider::written);
    let leaves = rules.iter().filter_map(|rule| rule.requires.as_ref());
    let of_rules = leaves.flat_map(Requirement::leaves).filter_map(Leaf::status);
    let owned: BTreeSet<_> = of_providers.chain(of_rules).fold(BTreeSet::new(), |mut all, name| {
        all.insert(name.clone());
        all
    });
    owned.into_iter().collect()
}

fn limits(raw: Option<&RawLimits>, at: &ConfigPath<'_>, faults: &mut Faults) -> Limits {
    let mut limit = |name: &str, value: Option<u32>, default: usize, most: usize| {
        let Some(value) = value.and_then(|value| usize::try_from(value).ok()) else {
            return default;
        };
        if value == 0 || value > most {
            faults.add(&at.key(name), format!("must be from 1 to {most}, found {value}"));
        }
        value
    };
    let raw = |of: fn(&RawLimits) -> Option<u32>| raw.and_then(of);
    const MIB: usize = 1024 * 1024;
    let max_bytes = limit("max_token_bytes", raw(|l| l.max_token_bytes), 8192, MIB);
    let max_depth = limit("max_depth", raw(|l| l.max_depth), 64, 100);
    let keys = KeyLimits {
        max_depth,
        max_keys: limit("max_keys", raw(|l| l.max_keys), 100, 10_000),
        max_tried: limit("max_keys_tried", raw(|l| l.max_keys_tried), 4, 100),
        max_bytes: limit("max_jwks_bytes", raw(|l| l.max_jwks_bytes), MIB, 16 * MIB),
        allow_symmetric: false,
    };
    let max_held = limit("max_held_requests", raw(|l| l.max_held_requests), 1024, 1_000_000);
    Limits { token: TokenLimits { max_bytes, max_depth }, keys, max_held }
}
