//! Generated cases, through Envoy's own filter and through the module.
//!
//! `COMPARISONS` says how many, `SEED` from which seed; without it, a fixed one and a fresh one.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_gate_differential::generated;

/// The seed of every run.
const SEED: u64 = 7519;
/// Comparisons of a run that is not told how many, of both seeds together.
const COMPARISONS: usize = 20_000;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let comparisons = match env::var("COMPARISONS") {
        Ok(number) => number.parse()?,
        Err(_) => COMPARISONS,
    };
    let seeds = match env::var("SEED") {
        Ok(seed) => vec![seed.parse()?],
        Err(_) => vec![SEED, fresh()],
    };
    let mut sound = true;
    for seed in &seeds {
        let begun = now();
        let report = generated::run(comparisons.div_ceil(seeds.len()), *seed)?;
        let seconds = now().saturating_sub(begun).as_secs_f32();
        println!(
            "SEED={seed}: {} comparisons, {} of them different on purpose, {} configurations, \
             {} starts of Envoy, {seconds:.0} s",
            report.comparisons, report.explained, report.configurations, report.envoys
        );
        if let Some(failure) = &report.failure {
            println!("{failure}");
            sound = false;
        }
    }
    Ok(sound)
}

fn fresh() -> u64 {
    now().as_secs()
}

#[expect(clippy::disallowed_methods, reason = "a seed, and how long a run took")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
