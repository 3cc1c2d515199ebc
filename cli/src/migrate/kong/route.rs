//! Routes: their matches, their plugins, and the rules that they become.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::HARMLESS;
use super::consumer::{Consumers, Credential};
use crate::migrate::fields::Fields;
use crate::migrate::notes::Notes;
use crate::migrate::provider::{
    object, one_of, one_of_or_none, provider_name, some_list, some_texts,
};

/// Plugins by name; those of a route stand before those of its service, and these before global ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Plugins(BTreeMap<String, Value>);

impl Plugins {
    /// These, and nearer ones in place of those of the same name.
    pub(super) fn with(&self, nearer: &[Value], place: &str, notes: &mut Notes) -> Self {
        let mut plugins = self.clone();
        for plugin in nearer {
            let text = |name: &str| plugin.get(name).and_then(Value::as_str);
            let name = text("name").unwrap_or_default();
            for of in ["service", "route", "consumer", "consumer_group"] {
                if plugin.get(of).is_some_and(|of| !of.is_null()) {
                    notes.fault(
                        place,
                        format!("`{name}` is for a {of} that it names: put it below that"),
                    );
                }
            }
            let config = plugin.get("config").cloned().unwrap_or_else(|| json!({}));
            if plugin.get("enabled") == Some(&json!(false)) {
                // Kong then looks for a plugin further out.
                continue;
            }
            plugins.0.insert(name.to_owned(), config);
        }
        plugins
    }

    /// The configuration of a plugin.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) place: String,
    name: String,
    pub(super) plugins: Plugins,
    paths: Vec<String>,
    methods: Vec<String>,
    hosts: Vec<String>,
    headers: Vec<Value>,
    regex_priority: i64,
}

impl Route {
    /// Reads a route; `None` where it cannot be said.
    pub(super) fn read(
        route: &Value,
        plugins: &Plugins,
        service: &str,
        notes: &mut Notes,
    ) -> Option<Self> {
        let name = route.get("name").and_then(Value::as_str).unwrap_or(service).to_owned();
        let place = format!("{service}.{name}");
        let mut fields = Fields::of(route, &place, notes);
        let passing = [
            "name",
            "id",
            "tags",
            "strip_path",
            "preserve_host",
            "path_handling",
            "https_redirect_status_code",
            "request_buffering",
            "response_buffering",
            "service",
        ];
        passing.iter().for_each(|name| _ = fields.take(name));
        let protocols = fields.texts("protocols", notes);
        if !protocols.is_empty() && !protocols.iter().any(|name| name == "http") {
            notes.differs(
                &fields.at("protocols"),
                "that only TLS will do is for the proxy's listeners to say",
            );
        }
        for name in ["snis", "sources", "destinations", "expression"] {
            if fields.take(name).is_some() {
                notes.fault(
                    &fields.at(name),
                    "cannot be said: requests are told apart by host, path, method and headers",
                );
            }
        }
        let at = fields.at("plugins");
        let plugins = plugins.with(fields.list("plugins", notes), &at, notes);
        let route = Self {
            place: place.clone(),
            name,
            plugins,
            paths: fields.texts("paths", notes),
            methods: fields.texts("methods", notes),
            hosts: fields.texts("hosts", notes),
            headers: headers(&mut fields, notes),
            regex_priority: fields.take("regex_priority").and_then(Value::as_i64).unwrap_or(0),
        };
        fields.finish(notes);
        for host in &route.hosts {
            if host.contains(':') || host.contains('*') && !host.starts_with("*.") {
                notes.fault(&place, format!("host `{host}` cannot be said: hosts are exact or `*.example.org`, without port"));
            }
        }
        Some(route)
    }

    /// How early Kong looks at it: what says more comes first, then expressions, then longer paths.
    pub(super) fn rank(&self) -> (usize, bool, usize, bool, i64, usize) {
        let parts = [
            !self.paths.is_empty(),
            !self.methods.is_empty(),
            !self.hosts.is_empty(),
            !self.headers.is_empty(),
        ];
        let is_exact = !self.hosts.is_empty() && self.hosts.iter().all(|host| !host.contains('*'));
        let is_expression = self.paths.iter().any(|path| path.starts_with('~'));
        let longest = self.paths.iter().map(String::len).max().unwrap_or(0);
        let count = parts.iter().filter(|part| **part).count();
        let priority = if is_expression { self.regex_priority } else { 0 };
        (count, is_exact, self.headers.len(), is_expression, priority, longest)
    }

    /// A rule for each of its paths.
    pub(super) fn rules(
        &self,
        consumers: &Consumers,
        providers: &mut Map<String, Value>,
        notes: &mut Notes,
    ) -> Vec<Value> {
        for name in self.plugins.0.keys() {
            let is_ours = name == "jwt" || name == "acl";
            if HARMLESS.contains(&name.as_str()) {
                notes.dropped(&self.place, format!("plugin `{name}` is not about tokens"));
            } else if !is_ours {
                let why = format!(
                    "plugin `{name}` may refuse requests, and cannot be said: leave it out here where it stays in Kong"
                );
                notes.fault(&self.place, why);
            }
        }
        let requires = self.requires(consumers, providers, notes);
        let mut paths: Vec<&String> = self.paths.iter().collect();
        paths.sort_by_key(|path| (!path.starts_with('~'), std::cmp::Reverse(path.len())));
        let each: Vec<(&str, String)> = if paths.is_empty() {
            vec![("prefix", "/".to_owned())]
        } else {
            paths
                .iter()
                .map(|path| match path.strip_prefix('~') {
                    // Kong's expressions hold from the beginning of a path on, and may end within it.
                    Some(expression) => (
                        "safe_regex",
                        expression.trim_start_matches('^').trim_end_matches('$').to_owned()
                            + if expression.ends_with('$') { "" } else { ".*" },
                    ),
                    None => ("prefix", (*path).clone()),
                })
                .collect()
        };
        let rule = |(kind, path): (&str, String)| {
            let matcher = object([
                (kind, Value::from(path)),
                ("methods", some_texts(&self.methods)),
                ("hosts", some_texts(&self.hosts)),
                ("headers", some_list(self.headers.clone())),
            ]);
            object([
                ("name", Value::from(self.name.as_str())),
                ("match", matcher),
                ("requires", requires.clone()),
            ])
        };
        each.into_iter().map(rule).collect()
    }

    /// Whose tokens the route takes; `null`: it asks for none.
    fn requires(
        &self,
        consumers: &Consumers,
        providers: &mut Map<String, Value>,
        notes: &mut Notes,
    ) -> Value {
        let acl = self.plugins.get("acl").map(|acl| Acl::read(acl, &self.place, notes));
        let Some(jwt) = self.plugins.get("jwt") else {
            if acl.is_some() {
                notes.fault(&self.place, "acl without jwt: who the consumer is cannot be said");
            }
            return Value::Null;
        };
        let jwt = Jwt::read(jwt, &self.place, notes);
        let allowed = consumers
            .credentials
            .iter()
            .filter(|c| acl.as_ref().is_none_or(|acl| acl.allows(consumers, &c.consumer)));
        let names: Vec<String> = allowed.map(|c| jwt.provider(c, providers, notes)).collect();
        if names.is_empty() {
            notes.fault(&self.place, "no consumer with a key may use it");
        }
        if jwt.is_anonymous {
            notes.stricter(&self.place, "`anonymous` lets a bad token pass as nobody's; here it is refused, and only no token passes");
            return one_of_or_none(&names);
        }
        one_of(&names)
    }
}

/// Headers that a route asks for: for each name one of its values.
fn headers(fields: &mut Fields<'_>, notes: &mut Notes) -> Vec<Value> {
    let place = fields.at("headers");
    let Some(Value::Object(headers)) = fields.take("headers") else { return Vec::new() };
    let mut matchers = Vec::new();
    for (name, values) in headers {
        match values.as_array().map(Vec::as_slice) {
            Some([Value::String(value)]) if !value.starts_with("~*") => {
                let name = name.to_ascii_lowercase();
                matchers.push(json!({ "name": name, "string_match": { "exact": value, "ignore_case": true } }));
            }
            _ => notes.fault(&place, format!("`{name}` must have one value, and no expression")),
        }
    }
    matchers
}

/// The plugin `acl`.
struct Acl {
    allow: Vec<String>,
    deny: Vec<String>,
}

impl Acl {
    fn read(config: &Value, place: &str, notes: &mut Notes) -> Self {
        let mut fields = Fields::of(config, &format!("{place}.acl"), notes);
        let acl = Self { allow: fields.texts("allow", notes), deny: fields.texts("deny", notes) };
        ["hide_groups_header", "always_use_authenticated_groups"]
            .iter()
            .for_each(|name| _ = fields.take(name));
        fields.finish(notes);
        acl
    }

    fn allows(&self, consumers: &Consumers, consumer: &str) -> bool {
        if self.allow.is_empty() {
            !consumers.is_in(consumer, &self.deny)
        } else {
            consumers.is_in(consumer, &self.allow) && !consumers.is_in(consumer, &self.deny)
        }
    }
}

/// The plugin `jwt`.
struct Jwt {
    is_anonymous: bool,
    is_base64: bool,
    params: Vec<String>,
    cookies: Vec<String>,
    headers: Vec<String>,
    longest: Option<u64>,
    realm: Option<String>,
}

impl Jwt {
    fn read(config: &Value, place: &str, notes: &mut Notes) -> Self {
        let mut fields = Fields::of(config, &format!("{place}.jwt"), notes);
        let names = |given: Vec<String>, usual: &str| {
            if given.is_empty() { vec![usual.to_owned()] } else { given }
        };
        if fields.text("key_claim_name", notes).is_some_and(|name| name != "iss") {
            notes.fault(
                &fields.at("key_claim_name"),
                "providers are found by `iss`, not by another claim",
            );
        }
        let verified = fields.texts("claims_to_verify", notes);
        if !verified.iter().any(|claim| claim == "exp") {
            notes.stricter(
                place,
                "`exp` is not verified there (claims_to_verify); here it is, and must be there",
            );
        }
        fields.take("run_on_preflight");
        let longest = fields
            .take("maximum_expiration")
            .and_then(Value::as_u64)
            .filter(|longest| *longest > 0);
        notes.dropped(place, "headers about the consumer (X-Consumer-…) are not sent; `claim_to_headers` sends claims");
        let jwt = Self {
            is_anonymous: fields
                .text("anonymous", notes)
                .is_some_and(|anonymous| !anonymous.is_empty()),
            is_base64: fields.flag("secret_is_base64", notes).unwrap_or(false),
            params: names(fields.texts("uri_param_names", notes), "jwt"),
            cookies: fields.texts("cookie_names", notes),
            headers: names(fields.texts("header_names", notes), "authorization"),
            longest,
            realm: fields.text("realm", notes),
        };
        fields.finish(notes);
        jwt
    }

    /// The name of the provider of a consumer's key, which is added where it is not there.
    fn provider(
        &self,
        credential: &Credential,
        providers: &mut Map<String, Value>,
        notes: &mut Notes,
    ) -> String {
        let headers =
            self.headers.iter().map(|name| json!({ "name": name, "value_prefix": "Bearer " }));
        let longest = self.longest.map(|longest| Value::from(format!("{longest}s")));
        let provider = object([
            ("issuer", Value::from(credential.key.as_str())),
            ("algorithms", json!([credential.algorithm()])),
            ("max_lifetime", longest.unwrap_or_default()),
            ("realm", self.realm.clone().map(Value::from).unwrap_or_default()),
            ("from_headers", some_list(headers.collect())),
            ("from_params", some_texts(&self.params)),
            ("from_cookies", some_texts(&self.cookies)),
            ("forward", json!(true)),
            ("local_jwks", credential.keys(self.is_base64, notes)),
        ]);
        let same =
            providers.iter().find(|(_, known)| **known == provider).map(|(name, _)| name.clone());
        same.unwrap_or_else(|| {
            let name = provider_name(&credential.consumer, providers);
            providers.insert(name.clone(), provider);
            name
        })
    }
}
