//! All scenarios in real Envoy, with the release module.
//!
//! With the environment variable `SCENARIO`, those that have its value in their name.

use std::{path::Path, process::ExitCode};

use jwt_gate_envoy::Theatre;
use jwt_gate_scenario::{Level, run_suite};

fn main() -> ExitCode {
    let theatre = match Theatre::open() {
        Ok(theatre) => theatre,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut numbers = 1..;
    let next = |_: &_| theatre.scene(numbers.next().unwrap_or_default());
    match run_suite(&scenarios, Level::Envoy, next) {
        Ok(report) if report.all_passed() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
