//! What is generated, and how it is written down.

use serde_json::{Map, Value, json};

/// A configuration and requests for it.
#[derive(Clone, Debug)]
pub(super) struct Play {
    pub(super) config: Config,
    pub(super) asks: Vec<Ask>,
}

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) providers: Vec<Provider>,
    pub(super) rules: Vec<Rule>,
    pub(super) preflight: bool,
    pub(super) strip: bool,
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
    /// Whether each key says what it is for, which to ours goes without saying.
    pub(super) explicit: bool,
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

#[derive(Clone, Debug)]
pub(super) enum Need {
    Nothing,
    Provider(usize),
    Audiences(usize, &'static [&'static str]),
    Any(Vec<Self>),
    All(Vec<Self>),
    Optional,
    Whatever,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) twist: Twist,
    pub(super) query: &'static str,
    pub(super) lines: Vec<&'static str>,
    pub(super) tokens: Vec<(Place, Token)>,
}

/// How a path is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Twist {
    Plain,
    TwoSlashes,
    Dot,
    Dots,
    Escape,
    Parameters,
}

/// Where a token is sent: the places of a provider, and how its scheme is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Header(usize, Scheme),
    Parameter(usize),
    Cookie(usize),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    Good,
    Spaces,
    LowerCase,
    Foreign,
}

/// A token, from the defaults of the keyring's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) of: usize,
    pub(super) key: &'static str,
    pub(super) words: Vec<&'static str>,
    pub(super) flaw: Flaw,
}

/// What the native filter reads in another way than ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    None,
    ExpZero,
    ExpHalf,
    Critical,
    TypeNumber,
    Nested,
    CommaInHeader,
    CommaInPayload,
    EmptyPart,
    PaddedSignature,
}

pub(super) const NAMES: [&str; 2] = ["a", "b"];

impl Config {
    /// JSON text with placeholders.
    pub(super) fn text(&self) -> String {
        let named = NAMES.iter().zip(&self.providers);
        let providers: Map<String, Value> =
            named.map(|(name, p)| ((*name).to_owned(), p.json(name))).collect();
        let rules: Vec<Value> = self.rules.iter().map(Rule::json).collect();
        let mut config = json!({ "providers": providers, "rules": rules });
        for (flag, name) in
            [(self.preflight, "bypass_cors_preflight"), (self.strip, "strip_failure_response")]
        {
            if flag {
                put(&mut config, name, json!(true));
            }
        }
        config.to_string()
    }

    /// The same, as the native filter must be told for what ours does by itself.
    pub(super) fn in_native_words(&self) -> Self {
        let mut config = self.clone();
        for provider in &mut config.providers {
            provider.expiration = Some(provider.expiration.unwrap_or(true));
            provider.explicit = true;
        }
        config
    }

    /// The matches of the rules, as routes.
    pub(super) fn matches(&self) -> Vec<Value> {
        self.rules.iter().map(Rule::matching).collect()
    }
}

impl Provider {
    fn json(&self, name: &str) -> Value {
        let mut json =
            json!({ "local_jwks": { "inline_string": self.keys.text(name, self.explicit) } });
        if self.issuer {
            put(&mut json, "issuer", json!(format!("https://{name}.example")));
        }
        if !self.audiences.is_empty() {
            put(&mut json, "audiences", json!(self.audiences));
        }
        if let Some(prefix) = self.subjects {
            put(&mut json, "subjects", json!({ "prefix": prefix }));
        }
        if let Some(required) = self.expiration {
            put(&mut json, "require_expiration", json!(required));
        }
        if self.lifetime {
            put(&mut json, "max_lifetime", json!("900s"));
        }
        if let Some(skew) = self.skew {
            put(&mut json, "clock_skew_seconds", json!(skew));
        }
        if self.own_places {
            put(
                &mut json,
                "from_headers",
                json!([{ "name": format!("x-{name}"), "value_prefix": "Bearer " }]),
            );
            put(&mut json, "from_params", json!([format!("p{name}")]));
            put(&mut json, "from_cookies", json!([format!("c{name}")]));
        }
        // A cookie with a token is cut out by ours alone.
        if self.forward || self.own_places {
            put(&mut json, "forward", json!(true));
        }
        if let Some(padded) = self.payload {
            put(&mut json, "forward_payload_header", json!(format!("x-payload-{name}")));
            if padded {
                put(&mut json, "pad_forward_payload_header", json!(true));
            }
        }
        if self.claims {
            let claims = ["sub", "n", "l", "d.e"].map(|claim| {
                let header = format!("x-{}-{name}", claim.replace('.', "-"));
                json!({ "header_name": header, "claim_name": claim })
            });
            put(&mut json, "claim_to_headers", json!(claims));
        }
        json
    }
}

impl KeySet {
    fn text(self, name: &str, explicit: bool) -> String {
        let all: &[(&str, &[&str])] = &[
            ("p256", &["ES256"]),
            ("ed25519", &["EdDSA"]),
            ("hmac", &["HS256", "HS384", "HS512"]),
        ];
        let wanted: &[&str] = match self {
            Self::One | Self::WithoutKid => &["p256"],
            Self::Several => &["p256", "ed25519", "hmac"],
            Self::ForOneAlgorithm => &["p256", "hmac"],
        };
        let kid = if matches!(self, Self::WithoutKid) { " kid=-" } else { "" };
        let mut keys = Vec::new();
        for (key, algorithms) in all.iter().filter(|(key, _)| wanted.contains(key)) {
            match self {
                Self::ForOneAlgorithm => {
                    let algorithm = algorithms.get(1).or(algorithms.first()).unwrap_or(&"");
                    keys.push(format!("${{jwk {key}-{name} alg={algorithm}}}"));
                }
                Self::One | Self::Several | Self::WithoutKid if explicit => keys.extend(
                    algorithms.iter().map(|alg| format!("${{jwk {key}-{name} alg={alg}{kid}}}")),
                ),
                Self::One | Self::Several | Self::WithoutKid => {
                    keys.push(format!("${{jwk {key}-{name}{kid}}}"))
                }
            }
        }
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

impl Rule {
    fn json(&self) -> Value {
        let mut json = json!({ "match": self.matching() });
        if let Some(needs) = &self.needs {
            put(&mut json, "requires", needs.json());
        }
        json
    }

    fn matching(&self) -> Value {
        let mut json = match self.path {
            Matcher::Prefix(path, case) => json!({ "prefix": path, "case_sensitive": case }),
            Matcher::Path(path, case) => json!({ "path": path, "case_sensitive": case }),
            Matcher::Separated(path) => json!({ "path_separated_prefix": path }),
            Matcher::Regex(regex) => json!({ "safe_regex": { "regex": regex } }),
        };
        if let Some(value) = self.header {
            let header = match value {
                "present" => json!({ "name": "x-h", "present_match": true }),
                "POST" => json!({ "name": ":method", "string_match": { "exact": "POST" } }),
                "not one" => {
                    json!({ "name": "x-h", "string_match": { "exact": "one" }, "invert_match": true })
                }
                value => json!({ "name": "x-h", "string_match": { "exact": value } }),
            };
            put(&mut json, "headers", json!([header]));
        }
        if let Some(value) = self.query {
            let query = json!({ "name": "foo", "string_match": { "exact": value } });
            put(&mut json, "query_parameters", json!([query]));
        }
        json
    }
}

impl Need {
    fn json(&self) -> Value {
        let list = |parts: &[Self]| parts.iter().map(Self::json).collect::<Vec<_>>();
        let name = |i: &usize| NAMES.get(*i).copied().unwrap_or_default();
        match self {
            Self::Nothing => json!({}),
            Self::Provider(i) => json!({ "provider_name": name(i) }),
            Self::Audiences(i, audiences) => json!({ "provider_and_audiences": {
                "provider_name": name(i), "audiences": audiences } }),
            Self::Any(parts) => json!({ "requires_any": { "requirements": list(parts) } }),
            Self::All(parts) => json!({ "requires_all": { "requirements": list(parts) } }),
            Self::Optional => json!({ "allow_missing": {} }),
            Self::Whatever => json!({ "allow_missing_or_failed": {} }),
        }
    }

    /// Whether it has a part like that.
    pub(super) fn has(&self, wanted: fn(&Self) -> bool) -> bool {
        let within = match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().any(|part| part.has(wanted)),
            Self::Nothing
            | Self::Provider(_)
            | Self::Audiences(..)
            | Self::Optional
            | Self::Whatever => false,
        };
        wanted(self) || within
    }
}

impl Token {
    /// The text that stands for it.
    pub(super) fn text(&self) -> String {
        let name = NAMES.get(self.of).copied().unwrap_or_default();
        let mut words =
            vec![format!("key={}-{name}", self.key), format!("iss=https://{name}.example")];
        words.extend(self.words.iter().map(|word| (*word).to_owned()));
        let header = format!(r#""kid":"{}-{name}""#, self.key);
        words.extend(match self.flaw {
            Flaw::None | Flaw::EmptyPart | Flaw::PaddedSignature => None,
            Flaw::ExpZero => Some("exp=0".to_owned()),
            Flaw::ExpHalf => Some("exp=0.5".to_owned()),
            Flaw::Critical => Some(r#"header='{"crit":["x"]}'"#.to_owned()),
            Flaw::TypeNumber => Some(r#"header='{"typ":5}'"#.to_owned()),
            Flaw::Nested => Some(r#"header='{"cty":"JWT"}'"#.to_owned()),
            Flaw::CommaInHeader => Some(format!(r#"rawheader='{{"alg":"ES256",{header},}}'"#)),
            Flaw::CommaInPayload => {
                Some(format!(r#"payload='{{"iss":"https://{name}.example","aud":"api",}}'"#))
            }
        });
        // A claim that stands twice in the words counts as it stands last.
        let mut kept: Vec<String> = Vec::new();
        for word in words {
            let name = word.split('=').next().unwrap_or_default().to_owned();
            kept.retain(|other| other.split('=').next() != Some(&name));
            kept.push(word);
        }
        if self.flaw == Flaw::CommaInPayload {
            kept.retain(|word| {
                ["key", "kid", "alg", "sign", "payload"]
                    .contains(&word.split('=').next().unwrap_or_default())
            });
        }
        if self.flaw == Flaw::CommaInHeader {
            kept.retain(|word| {
                !["kid", "alg"].contains(&word.split('=').next().unwrap_or_default())
            });
        }
        let token = format!("${{token {}}}", kept.join(" "));
        if self.flaw == Flaw::EmptyPart {
            return format!(".{token}");
        }
        if self.flaw == Flaw::PaddedSignature { format!("{token}==") } else { token }
    }

    /// A token that the native filter refuses for what ours refuses this one for, and the words of
    /// both where they differ.
    pub(super) fn in_native_words(&self) -> Option<(String, Option<(&'static str, &'static str)>)> {
        const JSON: &str = "Jwt header is an invalid JSON";
        let plain = |words: &str| {
            let token = Self { flaw: Flaw::None, ..self.clone() };
            let text = token.text();
            let open = text.strip_suffix('}').unwrap_or(&text);
            let kept: Vec<&str> = open
                .split(' ')
                .filter(|w| !w.starts_with("exp=") || !words.starts_with("exp="))
                .collect();
            format!("{} {words}}}", kept.join(" "))
        };
        let bad_header = || "${token key=p256-a rawheader='no'}".to_owned();
        match self.flaw {
            Flaw::None => None,
            Flaw::ExpZero | Flaw::ExpHalf => Some((plain("exp=-1000000"), None)),
            Flaw::Critical => Some((
                bad_header(),
                Some((JSON, "Jwt header has a critical extension that is not supported")),
            )),
            Flaw::TypeNumber => {
                Some((bad_header(), Some((JSON, "Jwt header [typ] field is not a string"))))
            }
            Flaw::Nested => Some((bad_header(), Some((JSON, "Jwt header [cty] is not supported")))),
            Flaw::CommaInHeader => Some((bad_header(), None)),
            Flaw::CommaInPayload => Some(("${token key=p256-a payload='no'}".to_owned(), None)),
            Flaw::EmptyPart => Some(("a.b".to_owned(), None)),
            Flaw::PaddedSignature => {
                Some((Self { flaw: Flaw::None, ..self.clone() }.text() + "A!", None))
            }
        }
    }
}

impl Twist {
    /// The path so written; `path` begins with a slash.
    pub(super) fn write(self, path: &str) -> String {
        match self {
            Self::Plain => path.to_owned(),
            Self::TwoSlashes => format!("/{path}"),
            Self::Dot => format!("/.{path}"),
            Self::Dots => format!("/x/..{path}"),
            Self::Escape => format!("{}%2e", path),
            Self::Parameters => format!("{path};v=1"),
        }
    }

    /// How else it may be read.
    pub(super) fn reading(self, path: &str) -> String {
        if self == Self::Escape { format!("{path}.") } else { path.to_owned() }
    }
}

fn put(json: &mut Value, name: &str, value: Value) {
    if let Some(members) = json.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
