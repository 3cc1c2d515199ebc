//! The cases written by hand, through Envoy's own filter and through the module.

use std::path::Path;
use std::process::ExitCode;

use jwt_gate_differential::ending::exit;
use jwt_gate_differential::stage::Stage;
use jwt_gate_differential::{check, divergence, written};
use jwt_gate_scenario::Keyring;

fn main() -> ExitCode {
    exit(run())
}

/// With the environment variable `CASE`, only configurations that have its value in their name.
fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let divergences = divergence::load(&here.join("../envoy/divergences.toml"))?;
    let mut configurations = written::load(&here.join("cases"))?;
    let part = std::env::var("CASE").ok();
    if let Some(part) = &part {
        configurations.retain(|c| format!("{}: {}", c.file, c.name).contains(part));
    }
    let stage = Stage::open()?;
    let mut report = check::run(&stage, &Keyring::new(), &configurations)?;
    if part.is_none() {
        report.failures.extend(check::stale(&divergences, &configurations, &report.shown));
    }
    for failure in &report.failures {
        println!("{failure}");
    }
    println!(
        "{} cases of {} configurations, {} divergences, {} failures",
        configurations.iter().map(|c| c.cases.len()).sum::<usize>(),
        configurations.len(),
        report.shown.len(),
        report.failures.len()
    );
    Ok(report.failures.is_empty())
}
