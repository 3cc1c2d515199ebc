//! What is measured: filters, and what they are configured to do.

use std::{fmt, path::PathBuf};

use jwt_gate_envoy::{Bootstrap, Envoy, Error as PartyError, Filter, Listener, Module};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

use crate::{error::Error, tokens};

/// Who stands in front of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Variant {
    /// Nobody.
    Open,
    /// A module that does nothing.
    Empty,
    /// Envoy's `jwt_authn`.
    Native,
    /// The same with `jwt_cache_config`.
    NativeCached,
    /// The gate as it is by default.
    Gate,
    /// The gate without its cache of tokens.
    GateUncached,
    /// The gate without its cache and without the host's cryptography.
    GatePortable,
}

/// A setting of the gate that not every version of it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    NoCache,
    OwnCrypto,
}

/// What the filters are told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setup {
    /// So many rules, each of which asks for a token; the last one matches.
    Rules(usize),
    /// One rule with a condition on scope and role, and two headers from claims.
    Claims,
}

/// A filter with its configuration: a listener of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// The filter.
    pub(crate) variant: Variant,
    /// What it is told.
    pub(crate) setup: Setup,
}

/// What all subjects are made from.
#[derive(Debug)]
pub(crate) struct Workshop {
    jwks: String,
    gate: PathBuf,
    empty: PathBuf,
    known: Vec<Setting>,
}

impl Variant {
    /// As it is called in the report.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Open => "no filter",
            Self::Empty => "empty module",
            Self::Native => "native",
            Self::NativeCached => "native, cache",
            Self::Gate => "jwt-gate",
            Self::GateUncached => "jwt-gate, no cache",
            Self::GatePortable => "jwt-gate, no cache, own crypto",
        }
    }

    /// Whether it looks at tokens.
    pub(crate) const fn authenticates(self) -> bool {
        !matches!(self, Self::Open | Self::Empty)
    }

    /// What makes it another one than the gate as it is by default: the last of these settings.
    /// Those before go with it as far as the module knows them.
    const fn settings(self) -> &'static [Setting] {
        match self {
            Self::GateUncached => &[Setting::NoCache],
            Self::GatePortable => &[Setting::NoCache, Setting::OwnCrypto],
            Self::Open | Self::Empty | Self::Native | Self::NativeCached | Self::Gate => &[],
        }
    }
}

impl Setting {
    const ALL: [Self; 2] = [Self::NoCache, Self::OwnCrypto];

    /// As a member of the gate's configuration.
    fn member(self) -> (&'static str, Value) {
        match self {
            Self::NoCache => ("token_cache", json!({ "entries": 0 })),
            Self::OwnCrypto => ("host_crypto", json!(false)),
        }
    }
}

impl Setup {
    /// The path of a request that the last rule matches.
    pub(crate) fn path(self) -> String {
        let last = self.rules().saturating_sub(1);
        format!("{}/orders/7?page=2", prefix(last))
    }

    const fn rules(self) -> usize {
        match self {
            Self::Rules(rules) => rules,
            Self::Claims => 1,
        }
    }
}

/// Its name as a listener.
impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {:?}", self.variant, self.setup)
    }
}

impl Workshop {
    /// With the keys of this keyring, and with the empty module in this file.
    pub(crate) fn new(keyring: &Keyring, empty: PathBuf) -> Result<Self, Error> {
        let (jwks, gate) = (keyring.jwks(&tokens::KEYS)?, Envoy::module()?);
        let mut workshop = Self { jwks, gate, empty, known: Vec::new() };
        for setting in Setting::ALL {
            if workshop.knows(setting)? {
                workshop.known.push(setting);
            }
        }
        Ok(workshop)
    }

    /// Where the gate is.
    pub(crate) fn module(&self) -> &PathBuf {
        &self.gate
    }

    /// The listener of a subject.
    pub(crate) fn listener(&self, subject: Subject) -> Listener {
        let filters = self.filters(subject).into_iter();
        let listener = Listener::new(&subject.to_string()).answering(200);
        filters.fold(listener, Listener::filter)
    }

    /// Whether the module that is measured has this variant.
    pub(crate) fn is_available(&self, variant: Variant) -> bool {
        variant.settings().last().is_none_or(|setting| self.known.contains(setting))
    }

    /// Whether the module accepts the setting.
    fn knows(&self, setting: Setting) -> Result<bool, Error> {
        let mut policy = self.policy(Variant::Gate, Setup::Rules(1));
        let (name, value) = setting.member();
        put(&mut policy, name, value);
        let module = Module::new(name, &self.gate, policy.to_string());
        let listener = Listener::new(name).answering(200).filter(Filter::Wasm(module));
        match Envoy::validate(&Bootstrap::new().listener(listener)) {
            Ok(()) => Ok(true),
            Err(PartyError::Refused { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn filters(&self, subject: Subject) -> Vec<Filter> {
        let (name, Subject { variant, setup }) = (subject.to_string(), subject);
        match variant {
            Variant::Open => Vec::new(),
            Variant::Empty => vec![Filter::Wasm(Module::new(&name, &self.empty, ""))],
            Variant::Native | Variant::NativeCached => {
                let native = Filter::JwtAuthn(self.native(variant, setup));
                let claims = (setup == Setup::Claims).then(role_filter);
                std::iter::once(native).chain(claims).collect()
            }
            Variant::Gate | Variant::GateUncached | Variant::GatePortable => {
                let configuration = self.policy(variant, setup).to_string();
                vec![Filter::Wasm(Module::new(&name, &self.gate, configuration))]
            }
        }
    }

    fn native(&self, variant: Variant, setup: Setup) -> Value {
        let mut provider = self.provider(setup);
        if variant == Variant::NativeCached {
            put(&mut provider, "jwt_cache_config", json!({}));
        }
        if setup == Setup::Claims {
            put(&mut provider, "payload_in_metadata", json!("jwt"));
            let split = json!({ "space_delimited_claims": ["scope"] });
            put(&mut provider, "normalize_payload_in_metadata", split);
        }
        json!({ "providers": { "p": provider }, "rules": rules(setup, None) })
    }

    fn policy(&self, variant: Variant, setup: Setup) -> Value {
        let authorize = (setup == Setup::Claims)
            .then(|| json!({ "all_of": [{ "scopes": ["orders:read"] }, { "roles": ["clerk"] }] }));
        let providers = json!({ "p": self.provider(setup) });
        let mut policy =
            json!({ "providers": providers, "rules": rules(setup, authorize.as_ref()) });
        let known = variant.settings().iter().filter(|setting| self.known.contains(setting));
        for (name, value) in known.map(|setting| setting.member()) {
            put(&mut policy, name, value);
        }
        policy
    }

    /// What both filters are told about tokens, in the same words.
    fn provider(&self, setup: Setup) -> Value {
        let mut provider = json!({
            "issuer": tokens::ISSUER,
            "audiences": [tokens::AUDIENCE],
            "require_expiration": true,
            "local_jwks": { "inline_string": self.jwks },
        });
        if setup == Setup::Claims {
            let headers = json!([
                { "header_name": "x-user", "claim_name": "sub" },
                { "header_name": "x-tenant", "claim_name": "tenant" },
            ]);
            put(&mut provider, "claim_to_headers", headers);
        }
        provider
    }
}

/// One rule that is open, and those of the setup.
fn rules(setup: Setup, authorize: Option<&Value>) -> Vec<Value> {
    let mut rules = vec![json!({ "match": { "prefix": tokens::OPEN_PREFIX } })];
    rules.extend((0..setup.rules()).map(|number| {
        let mut rule = json!({
            "match": { "path_separated_prefix": prefix(number) },
            "requires": { "provider_name": "p" },
        });
        if let Some(authorize) = authorize {
            put(&mut rule, "authorize", authorize.clone());
        }
        rule
    }));
    rules
}

/// A tree of services, as many teams own them.
fn prefix(number: usize) -> String {
    format!("/team-{}/service-{number}", number % 97)
}

/// Envoy's RBAC filter, with the condition that the gate has in its rule.
fn role_filter() -> Filter {
    let holds = |claim: &str, value: &str| {
        json!({ "metadata": {
            "filter": "envoy.filters.http.jwt_authn",
            "path": [{ "key": "jwt" }, { "key": claim }],
            "value": { "list_match": { "one_of": { "string_match": { "exact": value } } } },
        } })
    };
    let both =
        json!({ "and_ids": { "ids": [holds("scope", "orders:read"), holds("roles", "clerk")] } });
    Filter::Other(json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": { "clerks": {
                "permissions": [{ "any": true }], "principals": [both],
            } } },
        },
    }))
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
