//! Generated cases, through Envoy's own filter and through the module.
//!
//! `COMPARISONS` says how many, `SEED` from which seed; `make differential` takes a fresh one.

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_gate_differential::ending::exit;
use jwt_gate_differential::{divergence, generated};

/// The seed of a run that is told none, so that it finds the same each time.
const SEED: u64 = 7519;
/// Comparisons of a run that is not told how many.
const COMPARISONS: usize = 20_000;

fn main() -> ExitCode {
    exit(run())
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let comparisons = match env::var("COMPARISONS") {
        Ok(number) => number.parse()?,
        Err(_) => COMPARISONS,
    };
    let seed = match env::var("SEED") {
        Ok(seed) => seed.parse()?,
        Err(_) => SEED,
    };
    let begun = now();
    let report = generated::run(comparisons, seed)?;
    let seconds = now().saturating_sub(begun).as_secs_f32();
    println!(
        "SEED={seed}: {} comparisons, {} of them different on purpose, {} configurations, \
         {} starts of Envoy, {seconds:.0} s",
        report.comparisons, report.explained, report.configurations, report.envoys
    );
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = divergence::load(&here.join("../envoy/divergences.toml"))?;
    for (id, count) in &report.shown {
        println!("{count:7} {id}{}", if listed.contains_key(*id) { "" } else { ", NOT LISTED" });
    }
    if let Some(failure) = &report.failure {
        println!("{failure}");
    }
    Ok(report.failure.is_none() && report.shown.keys().all(|id| listed.contains_key(*id)))
}

#[expect(clippy::disallowed_methods, reason = "how long a run took")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
