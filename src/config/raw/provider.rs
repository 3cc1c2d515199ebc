//! Providers: who issues tokens, where they are looked for, what is told to the upstream.

use std::time::Duration;

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{LATER, StringMatcher};
use crate::config::read::{Read, Text, expected, record};
use crate::json::Value;

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
        from_headers: Vec<TokenHeader>,
        from_params: Vec<Text>,
        from_cookies: Vec<Text>,
        forward: bool,
        forward_payload_header: Option<Text>,
        pad_forward_payload_header: bool,
        claim_to_headers: Vec<ClaimToHeader>,
        algorithms: Vec<Text>,
        accept_bound_tokens_unchecked: bool,
        role_claims: Option<Vec<ClaimName>>,
        scope_claims: Option<Vec<ClaimName>>,
        required_claims: Vec<Text>,
        token_types: Vec<Text>,
        realm: Option<Text>,
        resource_metadata: Option<Text>,
        jwt_cache_config: Option<JwtCacheConfig>,
    }
    refused {
        payload_in_metadata: LATER,
        header_in_metadata: LATER,
        failed_status_in_metadata: LATER,
        normalize_payload_in_metadata: LATER,
        clear_route_cache: LATER,
        discovery: LATER,
        revoked: LATER,
        remote_revocations: LATER,
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
    /// Keys behind a URL.
    pub(crate) struct RemoteJwks {
        http_uri: HttpUri,
        cache_duration: Option<Duration>,
        async_fetch: Option<AsyncFetch>,
        stale_if_error: Option<Duration>,
        refetch_on_unknown_kid: Option<bool>,
        min_interval: Option<Duration>,
        max_wait: Option<Duration>,
    }
    refused {
        retry_policy: "a failed fetch is always tried again, with growing pauses; leave it out",
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
