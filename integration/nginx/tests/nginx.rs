//! All scenarios in a real NGINX, with the release module, where the environment variable `NGINX`
//! names one that was built with ngx_wasm_module. With `SCENARIO`, those that have its value in their
//! name.

use std::path::Path;
use std::process::ExitCode;

use jwt_gate_nginx::{Nginx, Stage};
use jwt_gate_scenario::{Level, run_suite_at_once};

/// How many scenarios are under way: they pass their time waiting.
const AT_ONCE: usize = 4;

fn main() -> ExitCode {
    let Some(binary) = Nginx::binary() else {
        println!("nginx itself: not run, the environment variable NGINX names none");
        return ExitCode::SUCCESS;
    };
    match play(&binary) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(binary: &Path) -> Result<bool, String> {
    let stage = Stage::open(binary)?;
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let report = run_suite_at_once(&scenarios, Level::Nginx, AT_ONCE, |_| stage.scene());
    let report = report.map_err(|error| error.to_string())?;
    println!("{report}");
    Ok(report.all_passed())
}
