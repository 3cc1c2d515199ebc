//! How a run ends.

use std::error::Error;
use std::process::ExitCode;

/// The exit code of a run that says whether all was as it must be.
#[must_use]
pub fn exit(found: Result<bool, Box<dyn Error>>) -> ExitCode {
    match found {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
