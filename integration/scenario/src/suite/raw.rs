//! The files as they are written. Tables of scenarios and steps are kept as tables at first, so
//! that a message can say which one is wrong.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::LoadError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) config: Option<String>,
    pub(super) config_file: Option<String>,
    #[serde(default)]
    pub(super) replace: BTreeMap<String, String>,
    pub(super) include: Option<String>,
    pub(super) token: Option<String>,
    #[serde(default)]
    pub(super) scenario: Vec<toml::Table>,
}

impl File {
    /// Reads a file; `file` is what it is called in messages.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, LoadError> {
        let wrong = |source| LoadError::File { file: file.to_owned(), source: Box::new(source) };
        toml::from_str(text).map_err(wrong)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) config: Option<String>,
    pub(super) idp: Option<Endpoint>,
    pub(super) moved: Option<Endpoint>,
    pub(super) discovery: Option<Endpoint>,
    pub(super) metadata: Option<Endpoint>,
    pub(super) faults: Option<Vec<String>>,
    #[serde(default)]
    pub(super) skip: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) step: Vec<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) after: Option<String>,
    pub(super) idp: Option<Endpoint>,
    pub(super) moved: Option<Endpoint>,
    pub(super) discovery: Option<Endpoint>,
    pub(super) metadata: Option<Endpoint>,
    pub(super) request: Option<String>,
    pub(super) headers: Option<Vec<(String, String)>>,
    pub(super) outcome: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) body: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) answer: Option<BTreeMap<String, String>>,
    pub(super) upstream: Option<BTreeMap<String, OneOrMany>>,
    pub(super) gone: Option<Vec<String>>,
    pub(super) path: Option<String>,
    pub(super) exports: Option<BTreeMap<String, String>>,
    pub(super) rerouted: Option<bool>,
    pub(super) fetches: Option<u64>,
    pub(super) log: Option<Vec<String>>,
    pub(super) audit: Option<Vec<String>>,
    pub(super) counters: Option<BTreeMap<String, u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    pub(super) keys: Option<Vec<String>>,
    pub(super) jwks: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) body: Option<String>,
    pub(super) headers: Option<Vec<(String, String)>>,
    pub(super) fault: Option<String>,
    pub(super) size: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}
