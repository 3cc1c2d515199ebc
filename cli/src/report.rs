//! `jwt-gate report`: what an audit log says about how an API is used.

mod claims;
mod edit;
mod findings;
mod html;
mod lens;
mod line;
mod proposal;
mod scan;
mod summary;
mod tally;
mod text;
mod timeline;
mod top;
mod unused;
mod words;

use std::fs;

use serde::de::IgnoredAny;

use crate::Ending;
use crate::error::Error;
use crate::output::Output;
use crate::source::Source;
use claims::Places;
use lens::Lens;
use tally::Reader;

/// Report on audit logs: who uses what, what looks like a mistake, and what could be tighter.
///
/// The exit code is 1 when there is no audit line that can be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Logs with audit lines in them, compressed or not; `-` is the standard input.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<String>,
    /// The policy that decided, as JSON: finds what it grants in vain, and proposes a tighter one.
    #[arg(long, value_name = "FILE")]
    policy: Option<String>,
    /// Write the report as one HTML page, too.
    #[arg(long, value_name = "FILE")]
    html: Option<String>,
    /// Rows of a table.
    #[arg(long, value_name = "N", default_value_t = 15)]
    top: usize,
    /// The claim that names the client, in place of the usual ones.
    #[arg(long, value_name = "CLAIM")]
    client_claim: Option<String>,
}

/// Reads the logs and reports on them.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let lens = arguments.policy.as_deref().map(policy).transpose()?;
    let mut places = lens.as_ref().map_or_else(Places::default, Lens::places);
    if let Some(claim) = &arguments.client_claim {
        places.client = vec![claim.clone()];
    }
    let reader = Reader { lens: lens.as_ref(), places };
    let tally = scan::scan(&arguments.logs, &reader)?;
    let policy = arguments.policy.as_deref().zip(lens.as_ref());
    let report = summary::summarize(&tally, policy, arguments.top);
    if let Some(file) = &arguments.html {
        let wrong = |source| Error::Save { name: file.clone(), source };
        fs::write(file, html::page(&report)).map_err(wrong)?;
    }
    output.result(&report)?;
    Ok(if report.lines.audit == 0 { Ending::Faults } else { Ending::Good })
}

fn policy(name: &str) -> Result<Lens, Error> {
    let text = Source::read(name)?.text().to_owned();
    // A change is proposed as a diff of the text.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
        let why = format!("a report takes the policy as JSON, and as the whole file: {error}");
        return Err(Error::Argument(format!("{name}: {why}")));
    }
    Lens::read(text).map_err(|faults| Error::Policy { name: name.to_owned(), faults })
}
