//! All scenarios in real Envoy, with the release module.
//!
//! With the environment variable `SCENARIO`, those that have its value in their name. With `ENVOYS`,
//! in each of these versions, at the same time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use jwt_gate_envoy::{Envoy, Theatre};
use jwt_gate_scenario::{Level, Report, run_suite_at_once};

/// How many scenarios are under way in one Envoy: they pass their time waiting.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    let binaries = match Envoy::binaries() {
        Ok(binaries) => binaries,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let stages = binaries.into_iter().map(|binary| thread::spawn(move || shown(&binary)));
    let stages: Vec<_> = stages.collect();
    let all_passed =
        |passed, stage: thread::JoinHandle<bool>| stage.join().unwrap_or(false) && passed;
    if stages.into_iter().fold(true, all_passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays them in one Envoy and prints what became of them; the answer is whether all passed.
fn shown(binary: &Path) -> bool {
    let (played, name) = (play(binary.to_owned()), binary.display());
    match &played {
        Ok(report) => println!("{name}\n{report}"),
        Err(error) => eprintln!("{name}\n{error}"),
    }
    played.is_ok_and(|report| report.all_passed())
}

fn play(binary: PathBuf) -> Result<Report, String> {
    let theatre = Theatre::open(binary).map_err(|error| error.to_string())?;
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let report = run_suite_at_once(&scenarios, Level::Envoy, AT_ONCE, |_| theatre.scene());
    report.map_err(|error| error.to_string())
}
