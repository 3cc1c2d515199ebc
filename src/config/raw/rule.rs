//! Rules: which requests, and what is asked of them.

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::{Condition, HeaderMatcher, QueryMatcher, Regex};
use crate::config::read::{Empty, Read, Text, record, typed, word};
use crate::json::Value;

word! {
    /// What happens to a request that no rule names.
    pub(crate) enum Action {
        /// It is refused.
        Deny = "deny",
        /// It goes through, as with the native filter.
        Allow = "allow",
    }
}

word! {
    /// Whether a rule's verdict counts.
    pub(crate) enum Enforcement {
        /// It does.
        Enforce = "enforce",
        /// It is counted and logged, and the request goes through.
        Shadow = "shadow",
    }
}

record! {
    /// A rule.
    pub(crate) struct Rule {
        /// Names the rule in logs and counters; by default its index.
        name: Option<Text>,
        /// Which requests the rule is for.
        r#match: RouteMatch,
        /// Whose tokens are asked for; without it, and without `requirement_name`, the rule is open
        /// to all.
        requires: Option<Requires>,
        /// The requirement of this name in `requirement_map`, in place of `requires`.
        requirement_name: Option<Text>,
        /// Refuses unless it is true.
        authorize: Option<Condition>,
        /// Refuses unless it is false; looked at before `authorize`.
        deny: Option<Condition>,
        /// Whether its verdict counts; `enforce` by default.
        enforcement: Option<Enforcement>,
    }
}

/// Why an entry of `matchRules` has rules and nothing else.
const FOR_ALL: &str = "is the same for all hosts; give it in `defaultConfig`";

/// Why it is for hosts and nothing else.
const BY_ROUTE: &str =
    "routes and services have no names here; give `domain`, and paths in `rules`";

record! {
    /// Rules for some hosts: an entry of Higress's `matchRules`, as the gateway hands it over.
    pub(crate) struct Scoped {
        /// The hosts.
        _match_domain_: Vec<Text>,
        /// What is asked of requests for them; the rules for all hosts are not looked at then.
        rules: Vec<Rule>,
    }
    refused {
        _match_route_: BY_ROUTE,
        _match_route_prefix_: BY_ROUTE,
        _match_service_: BY_ROUTE,
        providers: FOR_ALL,
        requirement_map: FOR_ALL,
        roles: FOR_ALL,
        default_action: FOR_ALL,
    }
}

record! {
    /// Which requests a rule is for.
    pub(crate) struct RouteMatch {
        /// Paths that begin so: `/api` also matches `/apiary`.
        prefix: Option<String>,
        /// This path, without the query.
        path: Option<String>,
        /// Paths that match as a whole, without the query.
        safe_regex: Option<Regex>,
        /// This path and all below it. Begins with `/`, does not end with it.
        path_separated_prefix: Option<Text>,
        /// Paths of this form: `/orders/{id}/items/{item}`, `/files/{path=**}`.
        path_template: Option<Text>,
        /// A template in the form of Envoy's extension.
        path_match_policy: Option<PathMatchPolicy>,
        /// `CONNECT` requests.
        connect_matcher: Option<Empty>,
        /// Whether the case of letters counts in the path; true by default.
        case_sensitive: Option<bool>,
        /// Headers that must all match.
        headers: Vec<HeaderMatcher>,
        /// Query parameters that must all match.
        query_parameters: Vec<QueryMatcher>,
        /// Any of these, in upper case.
        methods: Vec<Text>,
        /// Any of these, without a port; `*.example.org` are all hosts below it.
        hosts: Vec<Text>,
    }
    refused {
        runtime_fraction: "the native filter ignores it; leave it out, or use `enforcement`",
        grpc: "the native filter ignores it; match the `content-type` header instead",
        tls_context: "the native filter ignores it; leave it out",
        dynamic_metadata: "a module cannot read it while it matches; leave it out",
        filter_state: "a module cannot match on it; leave it out",
        cookies: "the native filter ignores it; leave it out",
    }
}

record! {
    /// A URI template, the way Envoy's extension is configured.
    pub(crate) struct PathMatchPolicy {
        /// The template.
        typed_config: UriTemplateConfig,
    }
    always { name: String, }
}

/// The template of a `UriTemplateMatchConfig`.
#[derive(Clone, Debug)]
pub(crate) struct UriTemplateConfig(pub(crate) String);

impl Read for UriTemplateConfig {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        const MESSAGE: &str = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig";
        let value = typed(value.clone(), MESSAGE, at, faults);
        let template = UriTemplate::read(&value, at, faults)?;
        Some(Self(template.path_template.0))
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        UriTemplate::schema(definitions);
        serde_json::json!({
            "type": "object",
            "properties": {
                "@type": { "type": "string" },
                "path_template": { "$ref": "#/definitions/UriTemplate/properties/path_template" },
                "pathTemplate": { "$ref": "#/definitions/UriTemplate/properties/path_template" },
            },
            "additionalProperties": false,
        })
    }
}

record! {
    struct UriTemplate {
        /// A template such as `/orders/{id}`.
        path_template: Text,
    }
}

record! {
    /// What is asked of a request, as written: at most one member.
    pub(crate) struct Requires {
        /// A token of this provider.
        provider_name: Option<Text>,
        /// A token of a provider, with other audiences than its own.
        provider_and_audiences: Option<ProviderAndAudiences>,
        /// One of these, tried in order.
        requires_any: Option<RequiresList>,
        /// Each of these.
        requires_all: Option<RequiresList>,
        /// No token; a token that is there must be good.
        allow_missing: Option<Empty>,
        /// Anything; good tokens are made use of.
        allow_missing_or_failed: Option<Empty>,
        /// Anything, and the upstream is told of a token that is not good.
        extract_only_without_validation: Option<ExtractOnly>,
    }
}

impl Requires {
    /// The headers that tell the upstream of tokens which are not good, in it and below.
    pub(crate) fn status_headers(&self) -> Vec<&str> {
        let lists = [&self.requires_any, &self.requires_all].into_iter().flatten();
        let below = lists.flat_map(|list| &list.requirements).flat_map(Self::status_headers);
        below
            .chain(self.extract_only_without_validation.as_ref().map(ExtractOnly::header))
            .collect()
    }
}

record! {
    /// Passing every request on, with word of a token that is not good.
    pub(crate) struct ExtractOnly {
        /// Header that is `false` then; `x-jwt-signature-verified` by default.
        verification_status_header: Option<String>,
    }
}

impl ExtractOnly {
    /// The header that tells of it.
    pub(crate) fn header(&self) -> &str {
        let given = self.verification_status_header.as_deref().filter(|name| !name.is_empty());
        given.unwrap_or("x-jwt-signature-verified")
    }
}

record! {
    /// A provider, with other audiences than its own.
    pub(crate) struct ProviderAndAudiences {
        /// The provider.
        provider_name: Text,
        /// Audiences in place of the provider's.
        audiences: Vec<Text>,
    }
}

record! {
    /// Several requirements.
    pub(crate) struct RequiresList {
        /// At least two.
        requirements: Vec<Requires>,
    }
}
