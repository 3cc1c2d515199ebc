//! All scenarios in a real NGINX, with the release module, where the environment variable `NGINX`
//! names one that was built with ngx_wasm_module. With `SCENARIO`, those that have its value in their
//! name.

use std::path::Path;
use std::process::ExitCode;

use jwt_gate_nginx::{Nginx, Stage};
use jwt_gate_scenario::{Level, run_suite};

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
    let mut numbers = 1..;
    let next = |_: &_| stage.scene(numbers.next().unwrap_or_default());
    let report = run_suite(&scenarios, Level::Nginx, next).map_err(|error| error.to_string())?;
    Ok(report.all_passed())
}
