//! What a release consists of: the module, the same as two kinds of OCI layout, the list of what it is
//! built from, the command, and checksums. The same module gives the same bytes, on any day and any
//! machine.

mod error;
mod oci;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use error::Error;
pub use oci::{Kind, WASM_LAYER, layout};
pub use sbom::sbom;

/// Writes all that belongs to a release beside the module; the answer is what belongs to it, the
/// module and the command first.
///
/// # Errors
/// A file cannot be read or written, or `cargo metadata` fails.
pub fn release(
    module: &Path,
    command: &Path,
    workspace: &Path,
    version: &str,
) -> Result<Vec<PathBuf>, Error> {
    let wasm = fs::read(module).map_err(Error::at(module))?;
    let folder = module.parent().unwrap_or(Path::new("."));
    let name = |rest: &str| folder.join(format!("jwt-gate-{version}{rest}"));
    let files = [
        (name("-oci-image.tar"), layout(Kind::Image, &wasm, version)?),
        (name("-oci-artifact.tar"), layout(Kind::Artifact, &wasm, version)?),
        (name(".cdx.json"), sbom(workspace, &wasm)?),
    ];
    let mut written = vec![module.to_owned(), command.to_owned()];
    for (path, bytes) in files {
        fs::write(&path, bytes).map_err(Error::at(&path))?;
        written.push(path);
    }
    let sums = folder.join("SHA256SUMS");
    fs::write(&sums, checksums(&written)?).map_err(Error::at(&sums))?;
    written.push(sums);
    Ok(written)
}

/// In the form that `sha256sum --check` reads.
fn checksums(files: &[PathBuf]) -> Result<String, Error> {
    let mut lines = String::new();
    for path in files {
        let digest = sha256(&fs::read(path).map_err(Error::at(path))?);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.push_str(&format!("{digest}  {name}\n"));
    }
    Ok(lines)
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
