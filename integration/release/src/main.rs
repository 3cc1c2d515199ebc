//! Makes a release of `dist/jwt-gate.wasm` and `dist/jwt-gate`, beside them.

use std::path::Path;
use std::process::ExitCode;

use jwt_gate_release::{release, sha256};

fn main() -> ExitCode {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = workspace.join("dist");
    let (module, command) = (built.join("jwt-gate.wasm"), built.join("jwt-gate"));
    match release(&module, &command, &workspace, env!("CARGO_PKG_VERSION")) {
        Ok(files) => {
            for path in files {
                let digest = std::fs::read(&path).map(|bytes| sha256(&bytes)).unwrap_or_default();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                println!("{digest}  dist/{name}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
