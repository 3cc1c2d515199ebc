//! The gate in a real Envoy on this machine: an identity provider, an upstream, and a table of
//! requests with what became of them.

mod cases;
mod identity;
mod stage;
mod table;

use std::{
    process::ExitCode,
    sync::mpsc::{self, Receiver},
};

use clap::{Parser, builder::FalseyValueParser};

use crate::stage::Stage;

/// Starts Envoy with the gate, an identity provider and an upstream; sends requests that should
/// pass and requests that should not; prints what came.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Arguments {
    /// Port of the proxy on 127.0.0.1 [default: 8080, or any where that is taken].
    #[arg(long)]
    port: Option<u16>,
    /// End after the table; the exit code says whether all came as expected.
    #[arg(long, env = "ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// One of the parties failed.
    #[error(transparent)]
    Party(#[from] jwt_gate_envoy::Error),
    /// A token or a key set could not be made.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// A port that was asked for is taken.
    #[error("port {0} of 127.0.0.1 is taken: stop what listens there, or choose another --port")]
    PortTaken(u16),
    /// Ctrl-C would not be noticed.
    #[error("cannot listen for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
    /// Ctrl-C came before the table was complete.
    #[error("interrupted")]
    Interrupted,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all came as expected.
fn run(arguments: &Arguments) -> Result<bool, Error> {
    let interrupts = interrupts()?;
    eprintln!("Starting the identity provider, the upstream and Envoy with the gate …");
    let stage = Stage::start(arguments.port)?;
    eprintln!("Envoy is ready on http://{}; sending requests …", stage.proxy());

    let mut rows = Vec::new();
    for case in cases::all() {
        if interrupts.try_recv().is_ok() {
            return Err(Error::Interrupted);
        }
        rows.push(case.play(&stage)?);
    }
    println!("{}", table::render(&rows));
    let wrong = rows.iter().filter(|row| !row.as_expected).count();
    println!("{}", table::summary(rows.len(), wrong));
    if wrong > 0 {
        eprintln!("What Envoy logged:\n{}", stage.log().join("\n"));
    }
    if !arguments.once {
        println!("{}", stage.hints());
        eprintln!("Running until Ctrl-C …");
        // The only other way out is that the sender is gone, and then nobody could end this.
        _ = interrupts.recv();
        eprintln!("Stopping.");
    }
    Ok(wrong == 0)
}

fn interrupts() -> Result<Receiver<()>, Error> {
    let (sender, receiver) = mpsc::channel();
    // The receiver is gone only when the process is about to end anyway.
    ctrlc::set_handler(move || _ = sender.send(()))?;
    Ok(receiver)
}
