//! The document as it is written: names and shapes, nothing looked up yet.
//!
//! The names are those of Envoy's `JwtAuthentication` v3 message; what it lacks stands beside them.

mod condition;
mod matcher;
mod provider;
mod rule;

use std::collections::BTreeMap;

pub(crate) use condition::{Acr, ClaimTest, Condition, Names, Scalar};
pub(crate) use matcher::{HeaderMatcher, QueryMatcher, Regex, StringMatcher};
pub(crate) use provider::{
    ClaimName, Failing, HttpUri, Issuer, JwtCacheConfig, LocalJwks, Provider, RemoteJwks,
    RemoteRevocations, RetryPolicy, Revocation, TokenHeader,
};
pub(crate) use rule::{Action, Enforcement, Requires, RequiresList, RouteMatch, Rule, Scoped};

use crate::config::read::{Text, record, word};

/// Where later versions will take a setting that this one would have to ignore.
const LATER: &str = "is not available in this version";

record! {
    /// The whole document.
    pub(crate) struct Config {
        providers: BTreeMap<String, Provider>,
        rules: Vec<Rule>,
        requirement_map: BTreeMap<String, Requires>,
        bypass_cors_preflight: bool,
        strip_failure_response: bool,
        stat_prefix: Option<String>,
        default_action: Option<Action>,
        roles: BTreeMap<String, Role>,
        host: Option<HostName>,
        share_keys: Option<bool>,
        host_crypto: Option<bool>,
        limits: Option<Limits>,
        token_cache: Option<TokenCache>,
        audit: Option<Audit>,
        _rules_: Vec<Scoped>,
    }
    refused {
        filter_state_rules: "a module cannot choose rules by filter state; \
            match on a header or a path instead",
        shadow_policy: LATER,
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
        inherits: Vec<String>,
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
        max_token_bytes: Option<u32>,
        max_depth: Option<u32>,
        max_keys: Option<u32>,
        max_keys_tried: Option<u32>,
        max_jwks_bytes: Option<u32>,
        max_held_requests: Option<u32>,
    }
}

record! {
    /// What is told of decisions.
    pub(crate) struct Audit {
        log: Option<Logged>,
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
        entries: Option<u32>,
        max_bytes: Option<u32>,
    }
}
