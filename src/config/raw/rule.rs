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
        name: Option<Text>,
        r#match: RouteMatch,
        requires: Option<Requires>,
        requirement_name: Option<Text>,
        authorize: Option<Condition>,
        deny: Option<Condition>,
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
        _match_domain_: Vec<Text>,
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
        prefix: Option<String>,
        path: Option<String>,
        safe_regex: Option<Regex>,
        path_separated_prefix: Option<Text>,
        path_template: Option<Text>,
        path_match_policy: Option<PathMatchPolicy>,
        connect_matcher: Option<Empty>,
        case_sensitive: Option<bool>,
        headers: Vec<HeaderMatcher>,
        query_parameters: Vec<QueryMatcher>,
        methods: Vec<Text>,
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
}

record! {
    struct UriTemplate {
        path_template: Text,
    }
}

record! {
    /// What is asked of a request, as written: at most one member.
    pub(crate) struct Requires {
        provider_name: Option<Text>,
        provider_and_audiences: Option<ProviderAndAudiences>,
        requires_any: Option<RequiresList>,
        requires_all: Option<RequiresList>,
        allow_missing: Option<Empty>,
        allow_missing_or_failed: Option<Empty>,
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
        provider_name: Text,
        audiences: Vec<Text>,
    }
}

record! {
    /// Several requirements.
    pub(crate) struct RequiresList {
        requirements: Vec<Requires>,
    }
}
