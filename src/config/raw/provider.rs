//! Providers: who issues tokens, where they are looked for, what is told to the upstream.

use std::time::Duration;

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{RemoteRevocations, Revocation, StringMatcher};
use crate::config::read::{Read, Text, expected, object, record};
use crate::json::Value;

record! {
    /// An identity provider and how its tokens are used.
    pub(crate) struct Provider {
        /// The accepted `iss`, compared exactly (RFC 7519, 4.1.1); any by default.
        issuer: Option<String>,
        /// Further accepted issuers.
        issuers: Vec<Issuer>,
        /// Accepted `aud`; one of the token's is enough (RFC 7519, 4.1.3). Any by default.
        audiences: Vec<Text>,
        /// Accepted `sub`.
        subjects: Option<StringMatcher>,
        /// Refuses a token without `exp`; true by default.
        require_expiration: Option<bool>,
        /// Refuses a token that has that long or longer to live, or no `exp`.
        max_lifetime: Option<Duration>,
        /// Tolerance for `exp` and `nbf`, in seconds; 60 by default.
        clock_skew_seconds: Option<u32>,
        /// Keys in this document.
        local_jwks: Option<LocalJwks>,
        /// Keys behind a URL.
        remote_jwks: Option<RemoteJwks>,
        /// Keys where the issuer says that they are. One of these three is required.
        discovery: Option<Discovery>,
        /// Headers with a token. Without this, `from_params` and `from_cookies`: `authorization`
        /// after `Bearer`, and the query parameter `access_token`.
        from_headers: Vec<TokenHeader>,
        /// Query parameters with a token.
        from_params: Vec<Text>,
        /// Cookies with a token.
        from_cookies: Vec<Text>,
        /// Leaves the token in the request to the upstream.
        forward: bool,
        /// Header for the payload, in base64url as it stood in the token.
        forward_payload_header: Option<String>,
        /// Pads that with `=`.
        pad_forward_payload_header: bool,
        /// Headers that tell the upstream claims. A client's own are removed.
        claim_to_headers: Vec<ClaimToHeader>,
        /// Name under which later filters read the claims.
        payload_in_metadata: Option<String>,
        /// Name under which later filters read the token's header.
        header_in_metadata: Option<String>,
        /// Name under which later filters read why a token was refused, or was missing.
        failed_status_in_metadata: Option<String>,
        /// Claims that are exported as the list of their words.
        normalize_payload_in_metadata: Option<NormalizePayload>,
        /// Has the route chosen again after a good token; only on Envoy.
        clear_route_cache: bool,
        /// Accepted `alg`; by default what the keys are for.
        algorithms: Vec<Text>,
        /// Accepts tokens that are bound to a sender (`cnf`, RFC 7800) as plain bearer tokens. The
        /// binding is not checked.
        accept_bound_tokens_unchecked: bool,
        /// Where roles are; by default `roles`, `groups`, `realm_access.roles`.
        role_claims: Option<Vec<ClaimName>>,
        /// Where scopes are; by default `scope`, `scp`.
        scope_claims: Option<Vec<ClaimName>>,
        /// Claims that must be there, whatever their value.
        required_claims: Vec<Text>,
        /// Accepted `typ` of the header, such as `at+jwt` (RFC 9068).
        token_types: Vec<Text>,
        /// Tokens that were taken back before they expire.
        revoked: Vec<Revocation>,
        /// An endpoint that lists more of them.
        remote_revocations: Option<RemoteRevocations>,
        /// `realm` of the challenge (RFC 6750, 3); by default the URL without its query.
        realm: Option<Text>,
        /// `resource_metadata` of the challenge (RFC 9728, 5.1).
        resource_metadata: Option<Text>,
        /// A token cache of the provider's own.
        jwt_cache_config: Option<JwtCacheConfig>,
    }
}

record! {
    /// Claims whose text is exported as a list of words.
    pub(crate) struct NormalizePayload {
        /// Top-level claims that are strings of words.
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
        /// A URL that begins with `https://` and has `{tenant}` once, as a path segment.
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

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({
            "anyOf": [Text::schema(definitions), IssuerTemplate::schema(definitions)],
        })
    }
}

record! {
    /// Keys in the document itself.
    pub(crate) struct LocalJwks {
        /// A JWK set, an object of PEM texts, or PEM.
        inline_string: Option<String>,
        /// The same in base64.
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
        /// The cluster of the issuer's host; on NGINX `host:port`.
        cluster: Text,
        /// How long an answer may take.
        timeout: Duration,
        /// Other hosts that `jwks_uri` may name, and the clusters that lead there.
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

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        let cluster = Text::schema(definitions);
        serde_json::json!({ "type": "object", "additionalProperties": cluster })
    }
}

record! {
    /// Keys behind a URL, which `discovery` may tell.
    pub(crate) struct RemoteJwks {
        /// Where the key set is; not beside `discovery`, which tells it.
        http_uri: Option<HttpUri>,
        /// Age at which keys have been fetched again; `600s` by default.
        cache_duration: Option<Duration>,
        /// How fetches that failed are repeated.
        async_fetch: Option<AsyncFetch>,
        /// How long beyond `cache_duration` keys are served while fetching fails; `86400s` by
        /// default.
        stale_if_error: Option<Duration>,
        /// Whether a token whose `kid` no key has causes a fetch; true by default.
        refetch_on_unknown_kid: Option<bool>,
        /// Shortest time between two such fetches; `5s` by default.
        min_interval: Option<Duration>,
        /// How long a request is held for keys; by default the `timeout`. Only on Envoy.
        max_wait: Option<Duration>,
        /// Fetches that are tried soon after one that failed.
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
        /// How many; 1 by default.
        num_retries: Option<u32>,
        /// Pauses before them.
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
        /// Pause before the first; it doubles with each further one.
        base_interval: Duration,
        /// Longest pause; by default ten times the first.
        max_interval: Option<Duration>,
    }
}

record! {
    /// Fetching in the background, which is the only way here: a request that comes before the
    /// keys is held, and the listener is not.
    pub(crate) struct AsyncFetch {
        /// Pause after the first failed fetch, doubled after each further one up to 60 s; `1s` by
        /// default.
        failed_refetch_duration: Option<Duration>,
    }
    always { fast_listener: bool, }
}

record! {
    /// An endpoint and the way to it.
    pub(crate) struct HttpUri {
        /// An absolute `http` or `https` URL.
        uri: Text,
        /// The proxy's name for the way there: on Envoy a cluster, on NGINX host and port.
        cluster: Text,
        /// Time for the whole answer, up to `300s`.
        timeout: Duration,
    }
}

record! {
    /// Room for a provider's own verified tokens; 0 stands for the default.
    pub(crate) struct JwtCacheConfig {
        /// Tokens that are kept; 100 by default.
        jwt_cache_size: Option<u32>,
        /// Size of the largest one in bytes; 4096 by default.
        jwt_max_token_size: Option<u32>,
    }
}

record! {
    /// A header that carries a token.
    pub(crate) struct TokenHeader {
        /// Name of the header.
        name: Text,
        /// What stands before the token. A word and a space are a scheme, such as `Bearer `.
        value_prefix: Option<String>,
    }
}

record! {
    /// A claim told to the upstream.
    pub(crate) struct ClaimToHeader {
        /// The header.
        header_name: Text,
        /// The claim, split at dots.
        claim_name: Option<Text>,
        /// The claim, step by step and literally, in place of `claim_name`.
        claim_path: Vec<PathKey>,
    }
}

record! {
    /// A step of a claim's path.
    pub(crate) struct PathKey {
        /// Name of a member.
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

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({ "anyOf": [
            Text::schema(definitions),
            { "type": "array", "items": Text::schema(definitions), "minItems": 1 },
        ] })
    }
}
