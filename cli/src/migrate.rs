//! `jwt-gate migrate`: a policy from what another gateway is configured with.
//!
//! Nothing that restricts gets lost on the way: what cannot be said makes the policy refuse more,
//! or there is no policy.

mod envoy;
mod fields;
mod gateway;
mod istio;
mod kong;
mod nginx;
mod notes;
mod provider;
mod region;
mod source;
mod write;

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use jwt_gate::policy::Policy;
use serde::Serialize;
use serde_json::Value;

use crate::Ending;
use crate::error::Error;
use crate::output::{BAD, DOUBTFUL, NAME, Output, styled};
use notes::{Kind, Note, Notes};
use source::{Format, Source};

/// Make a policy of the configuration of another gateway.
///
/// Exit code 1: something restricts and cannot be said, so that there is no policy.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configurations, all for one policy; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// What they are; found out by default.
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,
    /// Write the policy into this file in place of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

/// A policy, and what could not be taken over as it was.
#[derive(Debug, Serialize)]
pub(crate) struct Migrated {
    from: Format,
    policy: Option<Value>,
    notes: Vec<Note>,
}

/// Reads the configurations and writes the policy.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let sources = arguments.files.iter().map(|name| Source::read(name));
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let migrated = migrate(&sources, arguments.from);
    tell(&migrated.notes);
    let Some(policy) = &migrated.policy else {
        if output.is_json() {
            output.result(&migrated)?;
        }
        return Ok(Ending::Faults);
    };
    match &arguments.output {
        Some(file) => {
            let wrong = |source| Error::Save { name: file.clone(), source };
            fs::write(file, write::written(policy)).map_err(wrong)?;
            if output.is_json() {
                output.result(&migrated)?;
            }
        }
        None => output.result(&migrated)?,
    }
    Ok(Ending::Good)
}

/// Makes a policy of what was read.
pub(crate) fn migrate(sources: &[Source], from: Option<Format>) -> Migrated {
    let mut notes = Notes::default();
    let from = from.unwrap_or_else(|| source::detect(sources));
    let policy = match from {
        Format::Nginx => nginx::migrate(sources, &mut notes),
        Format::Envoy | Format::Istio | Format::EnvoyGateway | Format::Kong => {
            let documents: Vec<Value> =
                sources.iter().flat_map(|source| source.documents(&mut notes)).collect();
            let folder = sources.first().map_or(Path::new("."), Source::folder);
            match from {
                Format::Istio => istio::migrate(&documents, &mut notes),
                Format::EnvoyGateway => gateway::migrate(&documents, &mut notes),
                Format::Kong => kong::migrate(&documents, &mut notes),
                Format::Envoy | Format::Nginx => envoy::migrate(&documents, folder, &mut notes),
            }
        }
    };
    let compiled = Policy::from_json(policy.to_string().as_bytes());
    if !notes.has_faults() {
        for fault in compiled.err().into_iter().flatten() {
            let fault = fault.to_string();
            let (place, what) = fault.split_once(": ").unwrap_or(("policy", &fault));
            notes.fault(place, what);
        }
    }
    let policy = (!notes.has_faults()).then_some(policy);
    Migrated { from, policy, notes: notes.finish() }
}

/// Tells on the standard error what is not as it was.
fn tell(notes: &[Note]) {
    let mut stderr = anstream::stderr().lock();
    for Note { kind, place, what } in notes {
        let style = match kind {
            Kind::Fault => BAD,
            Kind::Stricter | Kind::Differs => DOUBTFUL,
            Kind::Dropped => NAME,
        };
        // There is nobody left to tell of a standard error that is closed.
        _ = writeln!(stderr, "{}: {place}: {what}", styled(style, kind.name()));
    }
}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.as_ref().map_or(Ok(()), |policy| f.write_str(&write::written(policy)))
    }
}

#[cfg(test)]
mod tests;
