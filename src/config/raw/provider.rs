//! Providers: who issues tokens, where they are looked for, what is told to the upstream.

use std::time::Duration;

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::StringMatcher;
use crate::config::read::{Read, Text, expected, object, record, word};
use crate::json::Value;
use crate::time::rfc3339;

record! {
    /// An identity provider and how its tokens are used.
    pub(crate) struct Provider {
        issuer: Option<String>,
        issuers: Vec<Issuer>,
        audiences: Vec<Text>,
        subjects: Option<StringMatcher>,
        require_expiration: Option<bool>,
        max_lifetime: Option<Duration>,
        clock_skew_seconds: Option<u32>,
        local_jwks: Option<LocalJwks>,
        remote_jwks: Option<RemoteJwks>,
        discovery: Option<Discovery>,
        from_headers: Vec<TokenHeader>,
        from_params: Vec<Text>,
        from_cookies: Vec<Text>,
        forward: bool,
        forward_payload_header: Option<String>,
        pad_forward_payload_header: bool,
        claim_to_headers: Vec<ClaimToHeader>,
        payload_in_metadata: Option<String>,
        header_in_metadata: Option<String>,
        failed_status_in_metadata: Option<String>,
        normalize_payload_in_metadata: Option<NormalizePayload>,
        clear_route_cache: bool,
        algorithms: Vec<Text>,
        accept_bound_tokens_unchecked: bool,
        role_claims: Option<Vec<ClaimName>>,
        scope_claims: Option<Vec<ClaimName>>,
        required_claims: Vec<Text>,
        token_types: Vec<Text>,
        revoked: Vec<Revocation>,
        remote_revocations: Option<RemoteRevocations>,
        realm: Option<Text>,
        resource_metadata: Option<Text>,
        jwt_cache_config: Option<JwtCacheConfig>,
    }
}

record! {
    /// Claims whose text is exported as a list of words.
    pub(crate) struct NormalizePayload {
        space_delimited_claims: Vec<Text>,
    }
}

/// An accepted issuer.
#[derive(Clone, Debug)]
pub(crate) enum Issuer {
    /// This one.
    Exact(String),
    /// One for each tenant; `{tenant}` stands for one path segment.
    Template(String),
}

record! {
    /// An issuer for each tenant.
    struct IssuerTemplate {
        template: Text,
    }
}

impl Read for Issuer {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Object(_) => {
                IssuerTemplate::read(value, at, faults).map(|t| Self::Template(t.template.0))
            }
            Value::String(_) => Text::read(value, at, faults).map(|t| Self::Exact(t.0)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                expected("a string or an object with `template`", value, at, faults)
            }
        }
    }
}

record! {
    /// Keys in the document itself.
    pub(crate) struct LocalJwks {
        inline_string: Option<String>,
        inline_bytes: Option<String>,
    }
    refused {
        filename: "a module cannot read files; put the JWK set into `inline_string`",
        environment_variable: "the environment is read by the proxy, not by the module; \
            put the JWK set into `inline_string`",
        watched_directory: "a module cannot watch files; use `remote_jwks` for keys that change",
    }
}

record! {
    /// Keys where the issuer says that they are.
    pub(crate) struct Discovery {
        cluster: Text,
        timeout: Duration,
        jwks_hosts: Clusters,
    }
}

/// Names of hosts, and the clusters that lead there.
#[derive(Clone, Debug)]
pub(crate) struct Clusters(pub(crate) Vec<(String, Text)>);

impl Read for Clusters {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let mut clusters = Vec::new();
        for (host, cluster) in object(value, at, faults)? {
            let cluster = Text::read(cluster, &at.key(host), faults);
            clusters.extend(cluster.map(|cluster| (host.to_string(), cluster)));
        }
        Some(Self(clusters))
    }

    fn absent() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

record! {
    /// Keys behind a URL, which `discovery` may tell.
    pub(crate) struct RemoteJwks {
        http_uri: Option<HttpUri>,
        cache_duration: Option<Duration>,
        async_fetch: Option<AsyncFetch>,
        stale_if_error: Option<Duration>,
        refetch_on_unknown_kid: Option<bool>,
        min_interval: Option<Duration>,
        max_wait: Option<Duration>,
        retry_policy: Option<RetryPolicy>,
    }
}

impl RemoteJwks {
    /// Without any member.
    pub(crate) const EMPTY: Self = Self {
        http_uri: None,
        cache_duration: None,
        async_fetch: None,
        stale_if_error: None,
        refetch_on_unknown_kid: None,
        min_interval: None,
        max_wait: None,
        retry_policy: None,
    };
}

record! {
    /// Fetches that are tried soon after one that failed.
    pub(crate) struct RetryPolicy {
        num_retries: Option<u32>,
        retry_back_off: Option<BackOff>,
    }
    refused {
        retry_on: "the native filter ignores it: a fetch is tried again after any failure",
        retry_priority: "the proxy's cluster chooses the host; leave it out",
        retry_host_predicate: "the proxy's cluster chooses the host; leave it out",
        host_selection_retry_max_attempts: "the proxy's cluster chooses the host; leave it out",
    }
}

record! {
    /// Pauses that grow.
    pub(crate) struct BackOff {
        base_interval: Duration,
        max_interval: Option<Duration>,
    }
}

record! {
    /// Fetching in the background, which is the only way here: a request that comes before the
    /// keys is held, and the listener is not.
    pub(crate) struct AsyncFetch {
        failed_refetch_duration: Option<Duration>,
    }
    always { fast_listener: bool, }
}

record! {
    /// Tokens that were taken back: those for which all of it holds.
    pub(crate) struct Revocation {
        jti: Option<Text>,
        sub: Option<Text>,
        sid: Option<Text>,
        kid: Option<Text>,
        iss: Option<Text>,
        issued_before: Option<UnixTime>,
    }
}

/// A time in Unix seconds, rounded up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnixTime(pub(crate) u64);

impl Read for UnixTime {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_str() {
            Some(text) => match rfc3339(text).or_else(|| text.parse().ok()) {
                Some(seconds) => Some(Self(seconds)),
                None => faults.none(
                    at,
                    format!("must be Unix seconds or a time such as \"2026-01-31T12:00:00Z\", found `{text}`"),
                ),
            },
            None => u64::read(value, at, faults).map(Self),
        }
    }
}

record! {
    /// A list of such entries behind a URL.
    pub(crate) struct RemoteRevocations {
        http_uri: HttpUri,
        refresh: Option<Duration>,
        fail: Option<Failing>,
        stale_if_error: Option<Duration>,
        max_bytes: Option<u32>,
    }
}

word! {
    /// What happens to tokens while the list cannot be had.
    pub(crate) enum Failing {
        /// They are answered 503.
        Closed = "closed",
        /// They pass.
        Open = "open",
    }
}

record! {
    /// An endpoint and the way to it.
    pub(crate) struct HttpUri {
        uri: Text,
        cluster: Text,
        timeout: Duration,
    }
}

record! {
    /// Room for a provider's own verified tokens; 0 stands for the default.
    pub(crate) struct JwtCacheConfig {
        jwt_cache_size: Option<u32>,
        jwt_max_token_size: Option<u32>,
    }
}

record! {
    /// A header that carries a token.
    pub(crate) struct TokenHeader {
        name: Text,
        value_prefix: Option<String>,
    }
}

record! {
    /// A claim told to the upstream.
    pub(crate) struct ClaimToHeader {
        header_name: Text,
        claim_name: Option<Text>,
        claim_path: Vec<PathKey>,
    }
}

record! {
    /// A step of a claim's path.
    pub(crate) struct PathKey {
        key: Text,
    }
}

/// A claim: dotted, or its steps one by one.
#[derive(Clone, Debug)]
pub(crate) enum ClaimName {
    /// Split at dots, the longest literal match first.
    Dotted(String),
    /// Taken literally.
    Steps(Vec<String>),
}

impl Read for ClaimName {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Array(steps) if !steps.is_empty() => {
                let steps = Vec::<Text>::read(value, at, faults)?;
                Some(Self::Steps(steps.into_iter().map(|step| step.0).collect()))
            }
            Value::String(_) => Text::read(value, at, faults).map(|t| Self::Dotted(t.0)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => expected("a claim name or a list of steps", value, at, faults),
        }
    }
}
