//! The command `jwt-gate`: what can be said about a policy without a proxy.
//!
//! It decides nothing by itself: the core that the module runs is linked into it.

mod check;
mod clock;
mod completions;
mod configuration;
mod document;
mod error;
mod explain;
mod fetch;
mod keys;
mod migrate;
mod output;
mod progress;
mod report;
mod schema;
mod source;
mod test;

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
    Explain(explain::Arguments),
    Test(test::Arguments),
    Keys(keys::Arguments),
    Schema(schema::Arguments),
    Migrate(migrate::Arguments),
    Report(report::Arguments),
    Completions(completions::Arguments),
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
            Self::Explain(arguments) => explain::run(arguments, output),
            Self::Test(arguments) => test::run_all(arguments, output),
            Self::Keys(arguments) => keys::run(arguments, output),
            Self::Schema(arguments) => schema::run(arguments, output),
            Self::Migrate(arguments) => migrate::run(arguments, output),
            Self::Report(arguments) => report::run(arguments, output),
            Self::Completions(arguments) => completions::run(arguments, output),
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
pub(crate) mod tests {
    use clap::CommandFactory;

    use super::*;

    /// What a command prints.
    pub(crate) fn played(arguments: &[&str]) -> Result<(Ending, String), Error> {
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        let form = if arguments.json { Form::Json } else { Form::Text };
        let mut printed = Vec::new();
        let mut output = Output::new(&mut printed, form);
        let ending = arguments.command.run(&mut output)?;
        output.flush()?;
        drop(output);
        Ok((ending, String::from_utf8(printed).unwrap()))
    }

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_ending_says_whether_all_is_well() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let file = |name: &str| format!("{root}/{name}");
        let (policy, tests) = (file("docs/command/orders.yaml"), file("docs/command/orders.toml"));
        let (broken, doubtful) =
            (file("docs/command/plugin.yaml"), file("filter-config/cognito/config.json"));
        let (keys, other) = (file("docs/command/jwks.json"), file("docs/command/alice.json"));
        let rows: [(&[&str], Ending); 9] = [
            (&["check", &policy], Ending::Good),
            (&["check", &policy, &broken], Ending::Faults),
            (&["check", &doubtful], Ending::Good),
            (&["check", "--strict", &doubtful], Ending::Faults),
            (&["test", &policy, &tests], Ending::Good),
            (&["test", "--every-rule", &policy, &tests], Ending::Faults),
            (&["keys", &keys], Ending::Good),
            (&["keys", "--kid", "shared", &keys], Ending::Faults),
            (&["keys", &other], Ending::Faults),
        ];
        let forms: [&[&str]; 2] = [&["jwt-gate"], &["jwt-gate", "--json"]];
        for (arguments, expected) in rows {
            for form in forms {
                let (ending, text) = played(&[form, arguments].concat()).unwrap();
                assert_eq!(ending, expected, "{arguments:?}: {text}");
                let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
                assert_eq!(is_json, form.len() == 2, "{arguments:?}: {text}");
            }
        }
    }

    #[test]
    fn what_can_show_nothing_is_an_error() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command/jwks.json");
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command/orders.yaml");
        let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command/orders.toml");
        let rows: [(&[&str], &str); 3] = [
            (&["jwt-gate", "check", "/none"], "/none: No such file"),
            (&["jwt-gate", "test", file, file], file),
            (
                &["jwt-gate", "test", "--only", "refund", policy, tests],
                "--only \"refund\": none of the 2 tests has that in its name",
            ),
        ];
        for (arguments, expected) in rows {
            let error = played(arguments).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
