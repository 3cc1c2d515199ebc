//! What `auth_jwt` and its kin say in a block, and what the blocks within inherit.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::parse::Directive;
use super::variable::Variables;
use crate::migrate::notes::Notes;
use crate::migrate::provider::{authority, object, provider_name, remote_jwks, some_list};

/// Directives that may refuse requests, and that a policy about tokens cannot say.
const RESTRICTING: [&str; 14] = [
    "allow",
    "deny",
    "auth_basic",
    "auth_request",
    "limit_except",
    "if",
    "satisfy",
    "valid_referers",
    "secure_link",
    "access_by_lua_block",
    "access_by_lua_file",
    "js_access",
    "auth_oidc",
    "ssl_verify_client",
];

/// The settings of a block.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Realm and where the token is, where one is asked for.
    auth: Option<(String, Option<String>)>,
    key_file: Option<String>,
    key_request: Option<String>,
    key_cache: Option<String>,
    leeway: Option<String>,
    requires: Vec<Directive>,
    headers: Vec<Directive>,
}

impl Settings {
    /// Those of a block within this one.
    pub(super) fn within(&self, block: &[Directive], notes: &mut Notes) -> Self {
        let mut settings = self.clone();
        let all = |name: &str| block.iter().filter(|d| d.name == name).cloned().collect::<Vec<_>>();
        let some = |own: Vec<Directive>, inherited: &Vec<Directive>| {
            if own.is_empty() { inherited.clone() } else { own }
        };
        settings.requires = some(all("auth_jwt_require"), &self.requires);
        settings.headers = some(all("proxy_set_header"), &self.headers);
        for directive in block {
            let first = directive.argument(0).to_owned();
            match directive.name.as_str() {
                "auth_jwt" if first == "off" => settings.auth = None,
                "auth_jwt" => {
                    let token = directive.argument(1).strip_prefix("token=").map(str::to_owned);
                    settings.auth = Some((first, token));
                }
                "auth_jwt_key_file" => settings.key_file = Some(first),
                "auth_jwt_key_request" => settings.key_request = Some(first),
                "auth_jwt_key_cache" => settings.key_cache = Some(first),
                "auth_jwt_leeway" => settings.leeway = Some(first),
                "auth_jwt_type" if first == "signed" => {}
                "auth_jwt_claim_set" | "auth_jwt_require" => {}
                name if RESTRICTING.contains(&name) || name.starts_with("auth_jwt") => {
                    let why = "may refuse requests, and cannot be said: leave it out here where it stays in NGINX";
                    notes.fault(&directive.place(), why);
                }
                "rewrite" if directive.arguments.last().is_none_or(|flag| flag != "break") => {
                    let why = "may send a request to another location: rules see it as it came";
                    notes.fault(&directive.place(), why);
                }
                "include" if !["mime.types", "params"].iter().any(|end| first.ends_with(end)) => {
                    notes.fault(
                        &directive.place(),
                        "what is in that file is not looked at: put it in its place",
                    );
                }
                _ => {}
            }
        }
        settings
    }

    /// Whether a token is asked for.
    pub(super) fn asks(&self) -> bool {
        self.auth.is_some()
    }

    /// What is asked of the token.
    pub(super) fn authorize(&self, variables: &Variables, notes: &mut Notes) -> Vec<Value> {
        let mut conditions = Vec::new();
        for directive in &self.requires {
            for variable in
                directive.arguments.iter().filter(|argument| !argument.starts_with("error="))
            {
                match variables.is_true(variable, &directive.place(), notes) {
                    Some(condition) => conditions.push(condition),
                    None => {
                        let why = format!(
                            "`{variable}` is not a claim or a map of one, and cannot be said"
                        );
                        notes.fault(&directive.place(), why);
                    }
                }
            }
        }
        conditions
    }

    /// The name of the provider, which is added where it is not there.
    pub(super) fn provider(
        &self,
        all: &[Directive],
        variables: &Variables,
        folder: &Path,
        providers: &mut Map<String, Value>,
        notes: &mut Notes,
    ) -> String {
        let (realm, token) = self.auth.clone().unwrap_or_default();
        let (headers, params, cookies) = places(token.as_deref(), notes);
        let (local, remote) = self.keys(all, folder, notes);
        let (claims, payload) = self.headers(variables, notes);
        notes.stricter("auth_jwt", "a token without `exp` passes there and is refused here, unless `require_expiration` is false");
        let provider = object([
            ("realm", if realm.is_empty() { Value::Null } else { Value::from(realm.as_str()) }),
            ("clock_skew_seconds", self.leeway(notes)),
            ("from_headers", headers),
            ("from_params", params),
            ("from_cookies", cookies),
            ("forward", json!(true)),
            ("claim_to_headers", claims),
            ("forward_payload_header", payload),
            ("local_jwks", local),
            ("remote_jwks", remote),
        ]);
        let same =
            providers.iter().find(|(_, known)| **known == provider).map(|(name, _)| name.clone());
        same.unwrap_or_else(|| {
            let name = provider_name(if realm.is_empty() { "nginx" } else { &realm }, providers);
            providers.insert(name.clone(), provider);
            name
        })
    }

    fn leeway(&self, notes: &mut Notes) -> Value {
        let seconds = self.leeway.as_deref().unwrap_or("0").trim_end_matches('s').parse::<u32>();
        match seconds {
            Ok(0) => {
                notes.differs("auth_jwt_leeway", "the least that can be said is one second");
                json!(1)
            }
            Ok(seconds) => json!(seconds),
            Err(_) => {
                notes.fault("auth_jwt_leeway", "must be in seconds");
                Value::Null
            }
        }
    }

    fn keys(&self, all: &[Directive], folder: &Path, notes: &mut Notes) -> (Value, Value) {
        if let Some(file) = &self.key_file {
            return match fs::read_to_string(folder.join(file)) {
                Ok(text) => {
                    notes.differs(
                        "auth_jwt_key_file",
                        format!(
                            "the keys in {file} are in the policy: a new key needs a new policy"
                        ),
                    );
                    (json!({ "inline_string": text }), Value::Null)
                }
                Err(error) => {
                    notes.fault(
                        "auth_jwt_key_file",
                        format!("{file}, which a module cannot read, is needed here: {error}"),
                    );
                    (Value::Null, Value::Null)
                }
            };
        }
        let asked =
            self.key_request.as_deref().and_then(|place| Some((place, passed_to(all, place)?)));
        let Some((_, uri)) = asked else {
            notes.fault("auth_jwt", "has no keys: auth_jwt_key_file, or auth_jwt_key_request to a location with a proxy_pass to a URL");
            return (Value::Null, Value::Null);
        };
        let (host, port) = authority(&uri).unwrap_or(("", ""));
        let cache = self.key_cache.as_deref().filter(|cache| cache.ends_with('s'));
        (Value::Null, remote_jwks(&uri, &format!("{host}:{port}"), "5s", cache))
    }

    /// Headers that the upstream gets from the token.
    fn headers(&self, variables: &Variables, notes: &mut Notes) -> (Value, Value) {
        let (mut claims, mut payload) = (Vec::new(), Value::Null);
        for header in &self.headers {
            let (name, value) = (header.argument(0).to_ascii_lowercase(), header.argument(1));
            if value == "$jwt_payload" {
                notes.differs(&header.place(), "the payload is in base64url here");
                payload = Value::from(name.as_str());
            } else if let Some(path) = variables.claim(value) {
                let list = path.as_array().cloned().unwrap_or_else(|| vec![path.clone()]);
                let keys: Vec<Value> = list.into_iter().map(|key| json!({ "key": key })).collect();
                claims.push(json!({ "header_name": name, "claim_path": keys }));
            }
        }
        (some_list(claims), payload)
    }
}

/// Where the token is: in which headers, parameters and cookies.
fn places(token: Option<&str>, notes: &mut Notes) -> (Value, Value, Value) {
    let Some(token) = token else {
        return (
            json!([{ "name": "authorization", "value_prefix": "Bearer " }]),
            Value::Null,
            Value::Null,
        );
    };
    if let Some(header) = token.strip_prefix("$http_") {
        return (json!([{ "name": header.replace('_', "-") }]), Value::Null, Value::Null);
    }
    if let Some(name) = token.strip_prefix("$arg_") {
        return (Value::Null, json!([name]), Value::Null);
    }
    if let Some(name) = token.strip_prefix("$cookie_") {
        return (Value::Null, Value::Null, json!([name]));
    }
    notes.fault(
        "auth_jwt",
        format!("token={token} cannot be said: it is a header, an argument or a cookie"),
    );
    (Value::Null, Value::Null, Value::Null)
}

/// The URL that requests for a location are passed to.
fn passed_to(directives: &[Directive], place: &str) -> Option<String> {
    directives.iter().find_map(|directive| {
        if directive.name == "location"
            && directive.arguments.last().is_some_and(|path| path == place)
        {
            let pass = directive.block.iter().find(|inner| inner.name == "proxy_pass")?;
            return Some(pass.argument(0).to_owned()).filter(|url| !url.contains('$'));
        }
        passed_to(&directive.block, place)
    })
}
