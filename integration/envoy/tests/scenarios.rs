//! All scenarios in real Envoy, with the release module.
//!
//! With the environment variable `SCENARIO`, those that have its value in their name. With `ENVOYS`,
//! in each of these versions.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jwt_gate_envoy::{Envoy, Theatre};
use jwt_gate_scenario::{Level, run_suite};

fn main() -> ExitCode {
    let played = Envoy::binaries().map_err(|error| error.to_string()).and_then(|binaries| {
        let each = binaries.into_iter().map(play);
        each.collect::<Result<Vec<_>, _>>()
    });
    match played {
        Ok(passed) if passed.iter().all(|all_passed| *all_passed) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays them in one Envoy; the answer is whether all passed.
fn play(binary: PathBuf) -> Result<bool, String> {
    println!("{}", binary.display());
    let theatre = Theatre::open(binary).map_err(|error| error.to_string())?;
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut numbers = 1..;
    let next = |_: &_| theatre.scene(numbers.next().unwrap_or_default());
    let report = run_suite(&scenarios, Level::Envoy, next).map_err(|error| error.to_string())?;
    Ok(report.all_passed())
}
