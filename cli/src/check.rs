//! `jwt-gate check`: every fault of a configuration, and what is probably not meant.

use std::fmt;
use std::fs;
use std::io::{self, Read};

use jwt_gate::policy::Policy;
use serde::Serialize;

use crate::Ending;
use crate::error::Error;
use crate::output::{BAD, DOUBTFUL, GOOD, NAME, Output, styled};

/// Check configurations: every fault, and what is probably not meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configurations in JSON; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

/// What was found in all files.
#[derive(Debug, Serialize)]
struct Found {
    files: Vec<Checked>,
}

/// What was found in a file.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Checks each file.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let checked = arguments.files.iter().map(|name| check(name));
    let found = Found { files: checked.collect::<Result<_, _>>()? };
    output.result(&found)?;
    let is_good = found.files.iter().all(|file| file.faults.is_empty());
    Ok(if is_good { Ending::Good } else { Ending::Faults })
}

fn check(name: &str) -> Result<Checked, Error> {
    let text = read(name).map_err(|source| Error::Read { name: name.to_owned(), source })?;
    let (faults, warnings) = match Policy::from_json(&text) {
        Ok(policy) => (Vec::new(), policy.warnings().to_vec()),
        Err(faults) => (faults.iter().map(ToString::to_string).collect(), Vec::new()),
    };
    Ok(Checked { file: name.to_owned(), faults, warnings })
}

fn read(name: &str) -> io::Result<Vec<u8>> {
    if name != "-" {
        return fs::read(name);
    }
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Checked { file, faults, warnings } in &self.files {
            let file = styled(NAME, file);
            for fault in faults {
                writeln!(f, "{file}: {}: {fault}", styled(BAD, "fault"))?;
            }
            for warning in warnings {
                writeln!(f, "{file}: {}: {warning}", styled(DOUBTFUL, "warning"))?;
            }
            if faults.is_empty() {
                writeln!(f, "{file}: {}", styled(GOOD, "no faults"))?;
            }
        }
        Ok(())
    }
}
