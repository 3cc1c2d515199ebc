//! The compiled policy: immutable, shared by all requests.

pub mod condition;
pub mod coverage;
pub mod index;
pub mod matcher;
pub mod path;
pub(crate) mod place;
pub mod provider;
pub mod query;
pub mod roles;
pub mod rule;
pub mod template;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::audit::{self, Audit};
use crate::cache::Room;
use crate::config::ConfigError;
use crate::jws::TokenLimits;
use crate::keys::set::KeyLimits;
use crate::policy::index::RuleIndex;
use crate::policy::path::{Readings, Target};
use crate::policy::provider::Provider;
use crate::policy::query::{Query, Reading};
use crate::policy::roles::RoleTable;
use crate::policy::rule::{PathMatch, RouteMatch, Rule};
use crate::rejection::Rejection;
use crate::remote::document::Kind;
use crate::remote::{Place, Remote};
use crate::request::{HeaderName, Pseudo, RequestView};
use crate::requirement::{Leaf, ProviderId};

/// A policy. [`Policy::from_json`] is the way to one.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) providers: Vec<Provider>,
    pub(crate) rules: Vec<Rule>,
    /// Which of them only end the search: what falls under one falls under no rule.
    pub(crate) ends: Vec<usize>,
    pub(crate) scoped: usize,
    pub(crate) index: RuleIndex,
    pub(crate) warnings: Vec<ConfigError>,
    pub(crate) sources: Vec<Remote>,
    pub(crate) roles: RoleTable,
    pub(crate) owned: Vec<HeaderName>,
    pub(crate) stat_prefix: Option<Box<str>>,
    pub(crate) open_by_default: bool,
    pub(crate) bypass_cors_preflight: bool,
    pub(crate) strip_failure_response: bool,
    pub(crate) host: Option<HostKind>,
    pub(crate) share_keys: Option<bool>,
    pub(crate) host_crypto: bool,
    pub(crate) limits: Limits,
    pub(crate) token_cache: Room,
    pub(crate) audit: Option<Audit>,
    pub(crate) candidate: Option<Box<Self>>,
}

/// The kinds of host that differ in what they can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HostKind {
    /// Envoy and what is built on it.
    Envoy,
    /// NGINX with ngx_wasm_module.
    Nginx,
    /// No timers, no callouts, no shared data.
    Bare,
}

/// Bounds on what is read and held.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bounds on a token.
    pub token: TokenLimits,
    /// Bounds on a key set.
    pub keys: KeyLimits,
    /// Requests held at once while keys are fetched, in each worker.
    pub max_held: usize,
}

impl Policy {
    /// The rule for a request, and the reading of the path that its variables come from. Every
    /// reading of the path, and of the query where rules depend on that, has to find the same rule.
    pub(crate) fn rule<'r>(
        &self,
        view: &dyn RequestView,
        target: Target<'r>,
    ) -> Result<(Option<&Rule>, Cow<'r, [u8]>), Rejection> {
        let is_user = |host: Cow<'_, [u8]>| host.contains(&b'@');
        if self.index.is_by_host() && view.pseudo(Pseudo::Authority).is_some_and(is_user) {
            return Err(Rejection::AmbiguousHost);
        }
        let find_by = |query: &Verdicts<'_>, path: &[u8]| {
            let mut candidates = self.index.candidates(path);
            candidates.find(|at| self.is_for(*at, view, query, path))
        };
        let query = Query::new(target.query());
        let as_it_came = Verdicts::new(&query, Reading::AsItCame);
        let find = |path: &[u8]| find_by(&as_it_came, path);
        let path = Cow::Borrowed(target.path());
        let readings = match target.readings() {
            Readings::Plain => Vec::new(),
            Readings::Several(readings) => readings,
            // One rule for everything is the same for every reading.
            Readings::Untold if self.has_one_rule_for_all() => Vec::new(),
            Readings::Untold => return Err(Rejection::AmbiguousPath),
        };
        let found = find(target.path());
        let named = found.filter(|at| !self.ends.contains(at));
        let rule = named.and_then(|at| self.rules.get(at));
        let is_one = || {
            readings.iter().all(|reading| find(reading) == found)
                && rule.is_none_or(|rule| rule.has_one_meaning(target.path(), &readings))
        };
        if !readings.is_empty() && !is_one() {
            return Err(Rejection::AmbiguousPath);
        }
        let queries = if self.index.is_by_query() { query.readings() } else { &[] };
        let is_one_by = |reading: &Reading| {
            let query = Verdicts::new(&query, *reading);
            let mut paths = readings.iter().map(|reading| &**reading).chain([target.path()]);
            paths.all(|path| find_by(&query, path) == found)
        };
        if !queries.iter().all(is_one_by) {
            return Err(Rejection::AmbiguousQuery);
        }
        Ok((rule, readings.into_iter().next_back().unwrap_or(path)))
    }

    fn has_one_rule_for_all(&self) -> bool {
        let is_all =
            |path: &PathMatch| matches!(path, PathMatch::Prefix(p) if matches!(&**p, b"" | b"/"));
        matches!(self.rules.as_slice(), [rule] if is_all(&rule.matcher.path))
    }

    fn is_for(&self, at: usize, view: &dyn RequestView, query: &Verdicts<'_>, path: &[u8]) -> bool {
        self.rules.get(at).is_some_and(|rule| {
            rule.matcher.matches_but_query(view, path) && query.passes(at, &rule.matcher)
        })
    }

    /// The provider `id`.
    pub(crate) fn provider(&self, id: ProviderId) -> Option<&Provider> {
        self.providers.get(id.0)
    }

    /// The place of a rule among its rules.
    pub(crate) fn place_of_rule(&self, rule: &Rule) -> Option<usize> {
        place(&self.rules, rule)
    }

    /// The place of a provider among its providers.
    pub(crate) fn place_of_provider(&self, provider: &Provider) -> Option<usize> {
        place(&self.providers, provider)
    }

    /// The provider, where there is only one.
    pub(crate) fn only_provider(&self) -> Option<&Provider> {
        if let [provider] = self.providers.as_slice() { Some(provider) } else { None }
    }

    /// The first provider of a rule, which gives the challenge its realm.
    pub(crate) fn challenger(&self, rule: Option<&Rule>) -> Option<&Provider> {
        let leaves = rule?.requires.as_ref()?.leaves();
        leaves.into_iter().find_map(|leaf| match leaf {
            Leaf::Provider { id, .. } => self.provider(*id),
            Leaf::AllowMissing(places) | Leaf::AllowMissingOrFailed { places, .. } => {
                self.provider(*places.first()?.providers.first()?)
            }
            Leaf::Open => None,
        })
    }

    /// The providers, in the order of their names and of their [`ProviderId`]s.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Whether a request that no rule names goes through.
    pub const fn is_open_by_default(&self) -> bool {
        self.open_by_default
    }

    /// The remote documents that it needs, in the order of their [`SourceId`](crate::remote::SourceId)s.
    pub fn sources(&self) -> &[Remote] {
        &self.sources
    }

    /// What is no fault and yet probably not meant, each with its place.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// How large it is, in words.
    pub fn summary(&self) -> String {
        let rules = self.rules.len().saturating_sub(self.ends.len());
        let providers = self.providers.len();
        let beside = self.candidate.as_ref().map_or("", |_| ", a candidate policy beside");
        format!("{providers} providers, {rules} rules{beside}")
    }

    /// Whether workers tell each other of keys on a host of this kind. NGINX has the shared data for
    /// it only where it was configured, and traps where it was not.
    pub fn shares_keys(&self, kind: HostKind) -> bool {
        self.share_keys.unwrap_or(kind == HostKind::Envoy)
    }

    /// The policy that is tried out beside it. Its sources are among those of this one.
    pub fn candidate(&self) -> Option<&Self> {
        self.candidate.as_deref()
    }

    /// What stands before the names of counters.
    pub fn stat_prefix(&self) -> Option<&str> {
        self.stat_prefix.as_deref()
    }

    /// The names that later filters read, each once.
    pub fn exports(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        names.extend(self.providers.iter().flat_map(|provider| provider.exports.names()));
        names.extend(self.audit.iter().map(|_| audit::EXPORT));
        names
    }

    /// What it asks of a host of this kind in vain, each with what to do about it.
    pub fn unsupported(&self, kind: HostKind) -> Vec<String> {
        let mut faults = Vec::new();
        if kind == HostKind::Bare {
            let fault = |Remote { provider, kind, .. }: &Remote| {
                let (field, other) = match kind {
                    Kind::Discovery(_) => ("discovery", "local_jwks"),
                    Kind::Keys => ("remote_jwks", "local_jwks"),
                    Kind::Revocations(_) => ("remote_revocations", "revoked"),
                };
                let why = "this host makes no HTTP callouts";
                format!("providers.{provider}.{field}: {why}; use `{other}`")
            };
            // Of keys whose place is found out, that is what the configuration names.
            let named = |remote: &&Remote| !matches!(remote.place, Place::Told(_));
            faults.extend(self.sources.iter().filter(named).map(fault));
            if self.share_keys == Some(true) {
                faults.push("share_keys: this host has no shared data".to_owned());
            }
        }
        let variable = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        for Provider { name, exports, clear_route_cache, .. } in &self.providers {
            for export in exports.names() {
                let why = match kind {
                    HostKind::Nginx if !variable(export) => {
                        "must be letters, digits and `_`: on NGINX it names a variable"
                    }
                    HostKind::Bare => {
                        "has nowhere to go on this host; use `claim_to_headers` or \
                         `forward_payload_header`"
                    }
                    HostKind::Envoy | HostKind::Nginx => continue,
                };
                faults.push(format!("providers.{name}: `{export}` {why}"));
            }
            if *clear_route_cache && kind != HostKind::Envoy {
                let why = "only Envoy chooses a route again; leave it out";
                faults.push(format!("providers.{name}.clear_route_cache: {why}"));
            }
        }
        faults
    }

    /// The host that the configuration names.
    pub const fn host(&self) -> Option<HostKind> {
        self.host
    }

    /// Whether signatures may be verified by the host, where it can.
    pub const fn host_crypto(&self) -> bool {
        self.host_crypto
    }

    /// The bounds.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Headers that only the gate may write.
    pub fn owned(&self) -> &[HeaderName] {
        &self.owned
    }
}

/// What rules say to one reading of the query, each asked once for all readings of the path.
struct Verdicts<'q> {
    query: &'q Query<'q>,
    reading: Reading,
    known: RefCell<Vec<(usize, bool)>>,
}

impl<'q> Verdicts<'q> {
    const fn new(query: &'q Query<'q>, reading: Reading) -> Self {
        Self { query, reading, known: RefCell::new(Vec::new()) }
    }

    fn passes(&self, at: usize, matcher: &RouteMatch) -> bool {
        if matcher.query.is_empty() {
            return true;
        }
        let known = self.known.borrow().iter().find(|(rule, _)| *rule == at).map(|(_, is)| *is);
        known.unwrap_or_else(|| {
            let passes = matcher.is_query(self.query, self.reading);
            self.known.borrow_mut().push((at, passes));
            passes
        })
    }
}

/// Where an element of this very list is.
fn place<T>(all: &[T], one: &T) -> Option<usize> {
    let at = std::ptr::from_ref(one).addr().checked_sub(all.as_ptr().addr())?;
    let place = at.checked_div(size_of::<T>())?;
    all.get(place).filter(|found| std::ptr::eq(*found, one)).map(|_| place)
}
