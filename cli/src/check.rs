//! `jwt-gate check`: every fault of a configuration, and what is probably not meant.

mod doubts;

use std::fmt;

use jwt_gate::config::ConfigError;
use jwt_gate::policy::Policy;
use serde::Serialize;

use crate::Ending;
use crate::configuration::{self, Configuration, Nothing};
use crate::error::Error;
use crate::output::{BAD, DOUBTFUL, GOOD, NAME, Output, styled};
use crate::source::Source;

/// Check configurations: every fault with its place, and what is probably not meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configurations in JSON or YAML, or files that have some in them: bootstraps of Envoy,
    /// resources of Istio and Envoy Gateway, ConfigMaps, files of NGINX; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Take warnings for faults.
    #[arg(long)]
    strict: bool,
}

/// How much something matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Good to know.
    Note,
    /// Probably not meant.
    Warning,
    /// The module refuses the configuration.
    Fault,
}

/// Something to say about a place.
#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    line: usize,
    column: usize,
    place: String,
    message: String,
}

/// What was found in a file.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    /// What its configurations stand in; null for one that is the file.
    configurations: Vec<Option<String>>,
    findings: Vec<Finding>,
}

/// What was found in all files.
#[derive(Debug, Serialize)]
struct Report {
    files: Vec<Checked>,
    faults: usize,
    warnings: usize,
}

/// Checks each file.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let files = arguments.files.iter().map(|name| file(&Source::read(name)?));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let count = |level| {
        files.iter().flat_map(|file| &file.findings).filter(|found| found.level == level).count()
    };
    let (faults, warnings) = (count(Level::Fault), count(Level::Warning));
    output.result(&Report { files, faults, warnings })?;
    let is_good = faults == 0 && !(arguments.strict && warnings > 0);
    Ok(if is_good { Ending::Good } else { Ending::Faults })
}

fn file(source: &Source) -> Result<Checked, Error> {
    let file = source.name().to_owned();
    let (configurations, mut findings) = match configuration::find(source) {
        Ok(found) => {
            let findings = found.iter().flat_map(|found| findings(source, found)).collect();
            (found.into_iter().map(|found| found.holder).collect(), findings)
        }
        Err(Nothing::Syntax(error)) => {
            (Vec::new(), vec![finding(source, Level::Fault, error.at, "", &error.message)])
        }
        Err(Nothing::Absent) => return Err(Error::NoConfiguration(file)),
    };
    findings.sort_by_key(|found: &Finding| (found.line, found.column));
    Ok(Checked { file, configurations, findings })
}

fn finding(source: &Source, level: Level, at: usize, place: &str, message: &str) -> Finding {
    let position = source.position(at);
    let (place, message) = (place.to_owned(), message.to_owned());
    Finding { level, line: position.line, column: position.column, place, message }
}

/// What there is to say about a configuration.
fn findings(source: &Source, configuration: &Configuration) -> Vec<Finding> {
    let Configuration { root, .. } = configuration;
    let say = |level: Level, error: &ConfigError| {
        // An unknown member is told at the object that it stands in; it has a place of its own.
        let unknown = error.message().strip_prefix("unknown field `");
        let unknown = unknown.and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
        let at = match (unknown, error.path()) {
            (Some(name), "") => root.find(name),
            (Some(name), path) => root.find(&format!("{path}.{name}")),
            (None, path) => root.find(path),
        };
        finding(source, level, at, error.path(), error.message())
    };
    match Policy::from_json(root.to_string().as_bytes()) {
        Ok(policy) => {
            let warnings = policy.warnings().iter().map(|warning| say(Level::Warning, warning));
            let doubts = doubts::doubts(&policy);
            let doubts = doubts.iter().map(|doubt| {
                finding(source, doubt.level, root.find(&doubt.place), &doubt.place, &doubt.message)
            });
            warnings.chain(doubts).collect()
        }
        Err(faults) => faults.iter().map(|fault| say(Level::Fault, fault)).collect(),
    }
}

/// As compilers write it, so that editors find the place.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Checked { file, findings, .. } in &self.files {
            for Finding { level, line, column, place, message } in findings {
                write!(f, "{}", styled(NAME, format_args!("{file}:{line}:{column}:")))?;
                match level {
                    Level::Fault => {}
                    Level::Warning => write!(f, " {}", styled(DOUBTFUL, "warning:"))?,
                    Level::Note => f.write_str(" note:")?,
                }
                let style = if *level == Level::Fault { BAD } else { NAME };
                if !place.is_empty() {
                    write!(f, " {}", styled(style, format_args!("{place}:")))?;
                }
                writeln!(f, " {message}")?;
            }
        }
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let configurations = self.files.iter().map(|file| file.configurations.len()).sum();
        let faults = count(self.faults, "fault");
        let style = if self.faults == 0 { GOOD } else { BAD };
        let (warnings, configurations) =
            (count(self.warnings, "warning"), count(configurations, "configuration"));
        writeln!(f, "{}, {warnings} in {configurations}", styled(style, faults))
    }
}
