//! What is migrated from: files, and what they are.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::notes::Notes;
use crate::document::{self, Passage};
use crate::error::Error;
use crate::source;

/// What a configuration is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// Envoy with its `jwt_authn` filter: the filter's own configuration, or all of Envoy's.
    Envoy,
    /// Istio: RequestAuthentication and AuthorizationPolicy.
    Istio,
    /// Envoy Gateway: SecurityPolicy.
    EnvoyGateway,
    /// Kong: a declarative configuration with the plugins jwt and acl.
    Kong,
    /// NGINX Plus: `auth_jwt` and its kin.
    Nginx,
}

/// A file.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    /// Its text.
    pub(crate) text: String,
}

impl Source {
    /// Reads a file; `-` is the standard input.
    pub(crate) fn read(name: &str) -> Result<Self, Error> {
        let text = source::Source::read(name)?.text().to_owned();
        Ok(Self { name: name.to_owned(), text })
    }

    /// What a file would be that has this text.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self { name: "-".to_owned(), text: text.to_owned() }
    }

    /// The folder that names of files in it begin from.
    pub(crate) fn folder(&self) -> &Path {
        Path::new(&self.name).parent().unwrap_or(Path::new("."))
    }

    /// Its documents, in YAML or JSON.
    pub(crate) fn documents(&self, notes: &mut Notes) -> Vec<Value> {
        match documents(&self.text) {
            Ok(documents) => documents,
            Err(why) => {
                notes.fault(&self.name, format!("is neither YAML nor JSON: {why}"));
                Vec::new()
            }
        }
    }
}

fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for document in document::read(&Passage::whole(text)).map_err(|error| error.message)? {
        let document: Value =
            serde_json::from_str(&document.to_string()).map_err(|error| error.to_string())?;
        let is_list = document.get("kind").is_some_and(|kind| kind == "List");
        match document.get("items").and_then(Value::as_array) {
            Some(items) if is_list => found.extend(items.iter().cloned()),
            Some(_) | None if document.is_null() => {}
            Some(_) | None => found.push(document),
        }
    }
    Ok(found)
}

/// What the files are, by what is in them.
pub(crate) fn detect(sources: &[Source]) -> Format {
    let documents = sources.iter().flat_map(|source| documents(&source.text).unwrap_or_default());
    for document in documents {
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        let version = text("apiVersion");
        if version.starts_with("security.istio.io/") {
            return Format::Istio;
        }
        if version.starts_with("gateway.envoyproxy.io/") {
            return Format::EnvoyGateway;
        }
        if document.get("_format_version").is_some() {
            return Format::Kong;
        }
        if document.is_object() {
            return Format::Envoy;
        }
    }
    Format::Nginx
}
