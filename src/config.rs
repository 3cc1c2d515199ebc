//! Configuration: JSON in, compiled policy or a list of faults out.

mod compile;
mod duration;
mod error;
mod protobuf;
mod raw;
mod read;
#[cfg(feature = "tools")]
mod schema;

pub use error::{ConfigError, ConfigPath, Faults};
#[cfg(feature = "tools")]
pub use schema::schema;

use crate::json;
use crate::policy::Policy;
use read::Read;

/// The message that the native filter is configured with.
const MESSAGE: &str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

/// Where a host is configured in YAML it has a reader for it, and the module needs none.
const YAML: &str = "the configuration looks like YAML, and text is read as JSON: in Envoy, write it as the \
    `value` of a `google.protobuf.Struct` in place of a `StringValue`; elsewhere, convert it: `yq -o json`, \
    or `jwt-gate migrate` for that of Envoy's own filter; `jwt-gate check` reads YAML as it is";

/// Nesting that a configuration may have.
const MAX_DEPTH: usize = 100;

impl Policy {
    /// Compiles a configuration: JSON text, or the bytes of a protobuf `Struct`. On failure every
    /// fault is reported, each with its place.
    pub fn from_json(text: &[u8]) -> Result<Self, Vec<ConfigError>> {
        let value = json::parse(text, MAX_DEPTH).or_else(|error| {
            let fault = || match looks_like_yaml(text) {
                true => ConfigPath::ROOT.fault(YAML),
                false => ConfigPath::ROOT.fault(format!("the configuration: {error}")),
            };
            protobuf::parse(text).ok_or_else(|| vec![fault()])
        })?;
        let mut faults = Faults::default();
        let mut value = read::typed(value, MESSAGE, &ConfigPath::ROOT, &mut faults);
        // What editors find the schema by says nothing to us.
        if let json::Value::Object(members) = &mut value {
            members.remove("$schema");
        }
        let raw = raw::Config::read(&value, &ConfigPath::ROOT, &mut faults);
        // What could be read is compiled all the same: its faults are worth knowing, too.
        let read = faults.len();
        let policy = raw.and_then(|raw| compile::policy(&raw, &mut faults));
        faults.forget_consequences(read);
        faults.into_result(policy)
    }
}

/// Whether the text begins as YAML does and JSON does not: with a name and a colon, a comment, or
/// the mark of a document.
fn looks_like_yaml(text: &[u8]) -> bool {
    let text = str::from_utf8(text).unwrap_or_default();
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let named = line.ends_with(':') || line.contains(": ");
    line.starts_with("---") || line.starts_with('#') || !line.starts_with(['{', '[']) && named
}

#[cfg(test)]
mod tests;
