//! Configurations that are generated, and how they are written down for each side.

use serde_json::{Map, Value, json};

use super::need::Need;

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) providers: Vec<Provider>,
    pub(super) rules: Vec<Rule>,
    pub(super) preflight: bool,
    pub(super) strip: bool,
    /// Whether ours, too, lets pass what no rule matches.
    pub(super) open: bool,
    /// Whether the requests come by HTTP/2.
    pub(super) http2: bool,
    /// Whether ours is told by a `Struct`.
    pub(super) structured: bool,
}

/// Who a configuration is written for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    /// The native filter.
    Native,
    /// The native filter, told what ours does by itself.
    Translated,
    /// Ours.
    Gate,
}

/// The providers are `a` and `b`, with issuers, keys and headers of their own.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    pub(super) issuer: bool,
    pub(super) audiences: &'static [&'static str],
    pub(super) subjects: Option<&'static str>,
    pub(super) expiration: Option<bool>,
    pub(super) lifetime: bool,
    pub(super) skew: Option<u32>,
    pub(super) keys: KeySet,
    pub(super) own_places: bool,
    pub(super) forward: bool,
    pub(super) payload: Option<bool>,
    pub(super) claims: bool,
    /// Whether the keys are fetched.
    pub(super) remote: bool,
    /// What later filters are told.
    pub(super) told: Told,
    /// Whether it has a token cache of its own.
    pub(super) cache: bool,
}

/// What later filters are told, each in a name of the provider's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) payload: bool,
    pub(super) header: bool,
    pub(super) status: bool,
    /// Whether a claim of the payload is split.
    pub(super) split: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum KeySet {
    One,
    Several,
    WithoutKid,
    ForOneAlgorithm,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) path: Matcher,
    pub(super) header: Option<&'static str>,
    pub(super) query: Option<&'static str>,
    pub(super) needs: Option<Need>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Matcher {
    Prefix(&'static str, bool),
    Path(&'static str, bool),
    Separated(&'static str),
    Regex(&'static str),
}

pub(super) const NAMES: [&str; 2] = ["a", "b"];

/// A prefix that is a scheme.
pub(super) const BEARER: &str = "Bearer ";
/// A prefix that is none.
pub(super) const LITERAL: &str = "jwt=";

/// What stands before a token in the header of a provider's own.
pub(super) fn prefix(provider: &str) -> &'static str {
    if provider == "b" { LITERAL } else { BEARER }
}

/// The claims that are told in headers.
const CLAIMS: [&str; 4] = ["sub", "n", "l", "d.e"];

/// A header that a part of a requirement is asked for by, alone.
pub(super) const PART: &str = "x-part";
/// The value of that header which asks for nothing.
pub(super) const NO_PART: &str = "none";

impl Config {
    /// JSON with placeholders.
    pub(super) fn json(&self, side: Side) -> Value {
        let named = NAMES.iter().zip(&self.providers);
        let providers: Map<String, Value> =
            named.map(|(name, p)| ((*name).to_owned(), p.json(name, side))).collect();
        let rules: Vec<Value> = self.rules.iter().flat_map(|rule| rule.json(side)).collect();
        let mut config = json!({ "providers": providers, "rules": rules });
        for (flag, name) in
            [(self.preflight, "bypass_cors_preflight"), (self.strip, "strip_failure_response")]
        {
            if flag {
                put(&mut config, name, json!(true));
            }
        }
        if self.open && side == Side::Gate {
            put(&mut config, "default_action", json!("allow"));
        }
        config
    }

    /// Whether only the gate may write this header.
    pub(super) fn owns(&self, header: &str) -> bool {
        let mut named = NAMES.iter().zip(&self.providers);
        named.any(|(name, provider)| {
            let claims = CLAIMS.iter().filter(|_| provider.claims);
            let payload = provider.payload.map(|_| format!("x-payload-{name}"));
            claims.map(|claim| claim_header(claim, name)).chain(payload).any(|own| own == header)
        })
    }

    /// The matches of the rules, as routes.
    pub(super) fn matches(&self) -> Vec<Value> {
        self.rules.iter().map(|rule| rule.matching(None)).collect()
    }
}

impl Provider {
    /// Where its keys are behind a URL, and what they are.
    pub(super) fn served(&self, name: &str, side: Side) -> Option<(String, String)> {
        let explicit = if side == Side::Translated { "-explicit" } else { "" };
        let path = format!("/generated/{name}-{:?}{explicit}.json", self.keys);
        self.remote.then(|| (path, self.keys.text(name, side, true)))
    }

    fn json(&self, name: &str, side: Side) -> Value {
        let mut json = match self.served(name, side) {
            None => {
                let keys = self.keys.text(name, side, false);
                json!({ "local_jwks": { "inline_string": keys } })
            }
            Some((path, _)) => {
                let uri = format!("http://idp.test{path}");
                let uri = json!({ "uri": uri, "cluster": "idp", "timeout": "60s" });
                json!({ "remote_jwks": { "http_uri": uri, "async_fetch": {} } })
            }
        };
        if side == Side::Gate
            && let Some(remote) = json.get_mut("remote_jwks")
        {
            put(remote, "refetch_on_unknown_kid", json!(false));
        }
        self.put_checks(&mut json, name, side);
        self.put_places(&mut json, name);
        self.put_outputs(&mut json, name);
        json
    }

    fn put_checks(&self, json: &mut Value, name: &str, side: Side) {
        if self.issuer {
            put(json, "issuer", json!(format!("https://{name}.example")));
        }
        if !self.audiences.is_empty() {
            put(json, "audiences", json!(self.audiences));
        }
        if let Some(prefix) = self.subjects {
            put(json, "subjects", json!({ "prefix": prefix }));
        }
        let default = (side == Side::Translated).then_some(true);
        if let Some(required) = self.expiration.or(default) {
            put(json, "require_expiration", json!(required));
        }
        if self.lifetime {
            put(json, "max_lifetime", json!("900s"));
        }
        if let Some(skew) = self.skew {
            put(json, "clock_skew_seconds", json!(skew));
        }
        if self.cache {
            put(json, "jwt_cache_config", json!({ "jwt_cache_size": 10 }));
        }
    }

    fn put_places(&self, json: &mut Value, name: &str) {
        if self.own_places {
            let header = json!({ "name": format!("x-{name}"), "value_prefix": prefix(name) });
            put(json, "from_headers", json!([header]));
            put(json, "from_params", json!([format!("p{name}")]));
            put(json, "from_cookies", json!([format!("c{name}")]));
        }
        // A cookie with a token is cut out by ours alone.
        if self.forward || self.own_places {
            put(json, "forward", json!(true));
        }
    }

    fn put_outputs(&self, json: &mut Value, name: &str) {
        if let Some(padded) = self.payload {
            put(json, "forward_payload_header", json!(format!("x-payload-{name}")));
            if padded {
                put(json, "pad_forward_payload_header", json!(true));
            }
        }
        if self.claims {
            let claims = CLAIMS.map(
                |claim| json!({ "header_name": claim_header(claim, name), "claim_name": claim }),
            );
            put(json, "claim_to_headers", json!(claims));
        }
        if self.told.split {
            let split = json!({ "space_delimited_claims": ["scope"] });
            put(json, "normalize_payload_in_metadata", split);
        }
        for (told, what) in [
            (self.told.payload, "payload"),
            (self.told.header, "header"),
            (self.told.status, "failed_status"),
        ] {
            if told {
                put(json, &format!("{what}_in_metadata"), json!(format!("{what}-{name}")));
            }
        }
    }
}

impl KeySet {
    /// The keys, each with the algorithms that it may be used with.
    pub(super) fn keys(self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        let all: [(&str, &[&str]); 3] =
            [("p256", &["ES256"]), ("ed25519", &["EdDSA"]), ("hmac", &["HS256", "HS384", "HS512"])];
        let wanted: &[&str] = match self {
            Self::One | Self::WithoutKid => &["p256"],
            Self::Several => &["p256", "ed25519", "hmac"],
            Self::ForOneAlgorithm => &["p256", "hmac"],
        };
        all.into_iter().filter(|(key, _)| wanted.contains(key))
    }

    /// What is fetched has no secrets: ours would not use them.
    fn text(self, name: &str, side: Side, remote: bool) -> String {
        let kid = if matches!(self, Self::WithoutKid) { " kid=-" } else { "" };
        let mut keys = Vec::new();
        for (key, algorithms) in self.keys().filter(|(key, _)| !remote || *key != "hmac") {
            let for_one = |alg: &&str| format!("${{jwk {key}-{name} alg={alg}{kid}}}");
            match self {
                Self::ForOneAlgorithm => {
                    keys.extend(algorithms.get(1).or(algorithms.first()).map(for_one));
                }
                // To ours it goes without saying what each key is for.
                Self::One | Self::Several | Self::WithoutKid if side == Side::Translated => {
                    keys.extend(algorithms.iter().map(for_one));
                }
                Self::One | Self::Several | Self::WithoutKid => {
                    keys.push(format!("${{jwk {key}-{name}{kid}}}"));
                }
            }
        }
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

impl Rule {
    /// For the native filter, with a rule before it for each part that is asked for alone.
    fn json(&self, side: Side) -> Vec<Value> {
        let rule = |part: Option<String>, needs: Option<&Need>| {
            let mut json = json!({ "match": self.matching(part.as_deref()) });
            if let Some(needs) = needs {
                put(&mut json, "requires", needs.json());
            }
            json
        };
        let parts = self.halved().filter(|_| side == Side::Translated).unwrap_or_default();
        let alone = parts.iter().enumerate().map(|(i, part)| rule(Some(i.to_string()), Some(part)));
        let none = (!parts.is_empty()).then(|| rule(Some(NO_PART.to_owned()), None));
        alone.chain(none).chain([rule(None, self.needs.as_ref())]).collect()
    }

    /// The parts of a requirement of which one is enough, where one may be fulfilled by half.
    pub(super) fn halved(&self) -> Option<&[Need]> {
        match &self.needs {
            Some(Need::Any(parts))
                if parts.iter().any(|part| part.has(|need| matches!(need, Need::All(_)))) =>
            {
                Some(parts)
            }
            Some(
                Need::Any(_)
                | Need::Nothing
                | Need::Provider(_)
                | Need::Audiences(..)
                | Need::All(_)
                | Need::Optional
                | Need::Whatever,
            )
            | None => None,
        }
    }

    fn matching(&self, part: Option<&str>) -> Value {
        let mut json = match self.path {
            Matcher::Prefix(path, case) => json!({ "prefix": path, "case_sensitive": case }),
            Matcher::Path(path, case) => json!({ "path": path, "case_sensitive": case }),
            Matcher::Separated(path) => json!({ "path_separated_prefix": path }),
            Matcher::Regex(regex) => json!({ "safe_regex": { "regex": regex } }),
        };
        let exact =
            |name: &str, value: &str| json!({ "name": name, "string_match": { "exact": value } });
        let header = self.header.map(|value| match value {
            "present" => json!({ "name": "x-h", "present_match": true }),
            "POST" => exact(":method", "POST"),
            "not one" => {
                let mut header = exact("x-h", "one");
                put(&mut header, "invert_match", json!(true));
                header
            }
            value => exact("x-h", value),
        });
        let headers: Vec<Value> =
            header.into_iter().chain(part.map(|part| exact(PART, part))).collect();
        if !headers.is_empty() {
            put(&mut json, "headers", json!(headers));
        }
        if let Some(value) = self.query {
            let query = json!({ "name": "foo", "string_match": { "exact": value } });
            put(&mut json, "query_parameters", json!([query]));
        }
        json
    }
}

fn claim_header(claim: &str, provider: &str) -> String {
    format!("x-{}-{provider}", claim.replace('.', "-"))
}

pub(super) fn put(json: &mut Value, name: &str, value: Value) {
    if let Some(members) = json.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
