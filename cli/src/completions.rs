//! `jwt-gate completions`: what a shell needs to complete the command.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::Ending;
use crate::error::Error;
use crate::output::Output;

/// Print a script by which a shell completes this command.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut crate::Arguments::command(), "jwt-gate", &mut script);
    output.octets(&script)?;
    Ok(Ending::Good)
}
