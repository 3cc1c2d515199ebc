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

/// Nesting that a configuration may have.
const MAX_DEPTH: usize = 100;

impl Policy {
    /// Compiles a configuration: JSON text, or the bytes of a protobuf `Struct`. On failure every
    /// fault is reported, each with its place.
    pub fn from_json(text: &[u8]) -> Result<Self, Vec<ConfigError>> {
        let value = json::parse(text, MAX_DEPTH).or_else(|error| {
            let fault = || ConfigPath::ROOT.fault(format!("the configuration: {error}"));
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

#[cfg(test)]
mod tests;
