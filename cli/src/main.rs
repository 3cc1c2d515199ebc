//! The command `jwt-gate`: what can be said about a policy without a proxy.
//!
//! It decides nothing by itself: the core that the module runs is linked into it.

mod check;
mod error;
mod output;
mod report;

use std::io;
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use crate::error::Error;
use crate::output::{Form, Output};

/// Checks policies of jwt-gate.
///
/// Exit codes: 0 all is well, 1 there are faults, 2 something could not be read.
#[derive(Debug, Parser)]
#[command(name = "jwt-gate", version)]
struct Arguments {
    /// Print one JSON document in place of text.
    #[arg(long, global = true)]
    json: bool,
    /// Colours: auto follows the terminal and the variables NO_COLOR, CLICOLOR and CLICOLOR_FORCE.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Report(report::Arguments),
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// All is well.
    Good,
    /// There are faults, or what came is not what was expected.
    Faults,
}

impl Command {
    fn run(&self, output: &mut Output<'_>) -> Result<Ending, Error> {
        match self {
            Self::Check(arguments) => check::run(arguments, output),
            Self::Report(arguments) => report::run(arguments, output),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let form = if arguments.json { Form::Json } else { Form::Text };
    let mut stdout = output::stream(io::stdout(), arguments.color);
    let mut output = Output::new(&mut stdout, form);
    let ended = arguments.command.run(&mut output).and_then(|ending| {
        output.flush()?;
        Ok(ending)
    });
    match ended {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Faults) => ExitCode::from(1),
        // Who reads has read enough.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(2),
        Err(error) => {
            output::complain(&error, arguments.color);
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
    }
}
