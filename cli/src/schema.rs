//! `jwt-gate schema`: the JSON Schema of a configuration, for editors.

use std::fmt;

use serde::Serialize;

use crate::Ending;
use crate::error::Error;
use crate::output::Output;

/// Print the JSON Schema of a configuration, by which editors complete and check it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// A JSON Schema, which has one form only.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Schema(serde_json::Value);

/// Prints the schema.
pub(crate) fn run(_: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    output.result(&Schema(jwt_gate::config::schema()))?;
    Ok(Ending::Good)
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string_pretty(&self.0).map_err(|_| fmt::Error)?;
        writeln!(f, "{text}")
    }
}

#[cfg(test)]
mod tests;
