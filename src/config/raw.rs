//! The document as it is written: names and shapes, nothing looked up yet.
//!
//! The names are those of Envoy's `JwtAuthentication` v3 message; what it lacks stands beside them.

mod condition;
mod matcher;
mod provider;
mod revocation;
mod rule;

use std::collections::BTreeMap;

pub(crate) use condition::{Acr, ClaimTest, Condition, Names, Scalar};
pub(crate) use matcher::{HeaderMatcher, QueryMatcher, Regex, StringMatcher};
pub(crate) use provider::{
    ClaimName, Discovery, HttpUri, Issuer, JwtCacheConfig, LocalJwks, Provider, RemoteJwks,
    RetryPolicy, TokenHeader,
};
pub(crate) use revocation::{Failing, RemoteRevocations, Revocation};
pub(crate) use rule::{Action, Enforcement, Requires, RequiresList, RouteMatch, Rule, Scoped};

use crate::config::read::{Text, record, word};

/// Where later versions will take a setting that this one would have to ignore.
const LATER: &str = "is not available in this version";

record! {
    /// The whole document.
    pub(crate) struct Config {
        /// Who issues tokens, by name.
        providers: BTreeMap<String, Provider>,
        /// What is asked of which requests: the first rule that matches a request decides.
        rules: Vec<Rule>,
        /// Requirements that rules refer to by `requirement_name`.
        requirement_map: BTreeMap<String, Requires>,
        /// Lets `OPTIONS` with `origin` and `access-control-request-method` pass.
        bypass_cors_preflight: bool,
        /// Refusals have no body and no challenge.
        strip_failure_response: bool,
        /// Stands in the names of counters: `jwt_gate.<stat_prefix>.allowed`.
        stat_prefix: Option<String>,
        /// What happens to a request that no rule matches; the default is `deny`.
        default_action: Option<Action>,
        /// What roles may do, for `permissions` conditions.
        roles: BTreeMap<String, Role>,
        /// The proxy; found out where it is not named.
        host: Option<HostName>,
        /// Workers tell each other of fetched keys; by default on Envoy, and not elsewhere.
        share_keys: Option<bool>,
        /// Whether the host verifies signatures where it can; true by default.
        host_crypto: Option<bool>,
        /// Bounds on what is read and held.
        limits: Option<Limits>,
        /// Room for verified tokens, whose signature is not checked again.
        token_cache: Option<TokenCache>,
        /// What is told of decisions: a line of JSON each.
        audit: Option<Audit>,
        /// A policy that is not in force: what it would decide is counted and told.
        shadow_policy: Option<Box<Config>>,
        /// Rules for some hosts only, as Higress hands its `matchRules` over.
        _rules_: Vec<Scoped>,
    }
    refused {
        filter_state_rules: "a module cannot choose rules by filter state; \
            match on a header or a path instead",
        protected_resource: LATER,
    }
}

impl Config {
    /// All requirements, but for those within others.
    pub(crate) fn requirements(&self) -> impl Iterator<Item = &Requires> {
        let of_rules = self.rules.iter().filter_map(|rule| rule.requires.as_ref());
        self.requirement_map.values().chain(of_rules)
    }
}

record! {
    /// What a role may do.
    pub(crate) struct Role {
        /// Roles whose permissions this one has as well.
        inherits: Vec<String>,
        /// What it may do.
        permissions: Vec<Text>,
    }
}

word! {
    /// The proxy that runs the module.
    pub(crate) enum HostName {
        /// Envoy, or a proxy built on it.
        Envoy = "envoy",
        /// NGINX with ngx_wasm_module.
        Nginx = "nginx",
        /// A host without timers, callouts and shared data.
        Bare = "bare",
    }
}

record! {
    /// Bounds on what is read.
    pub(crate) struct Limits {
        /// Size of a token; 8192 by default.
        max_token_bytes: Option<u32>,
        /// Nesting of JSON in tokens and key sets; 64 by default.
        max_depth: Option<u32>,
        /// Entries of a key set that are looked at; 100 by default.
        max_keys: Option<u32>,
        /// Keys that are tried for a token without a `kid` that chooses them; 4 by default.
        max_keys_tried: Option<u32>,
        /// Size of a key set; 1 MiB by default.
        max_jwks_bytes: Option<u32>,
        /// Requests held at once while keys are fetched, in each worker; 1024 by default.
        max_held_requests: Option<u32>,
    }
}

record! {
    /// What is told of decisions.
    pub(crate) struct Audit {
        /// Decisions that get a line in the log; refusals by default.
        log: Option<Logged>,
        /// Claims of verified tokens that a line has.
        claims: Vec<ClaimName>,
    }
}

word! {
    /// Decisions that get a line in the log.
    pub(crate) enum Logged {
        /// Refusals.
        Denied = "denied",
        /// All.
        All = "all",
        /// None.
        None = "none",
    }
}

record! {
    /// Room for verified tokens.
    pub(crate) struct TokenCache {
        /// Tokens that are kept, in each worker; 0 turns the cache off.
        entries: Option<u32>,
        /// Memory that they may take, in each worker.
        max_bytes: Option<u32>,
    }
}
