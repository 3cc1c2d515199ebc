//! The module as wasmtime compiled it, so that of all the processes only the first ones have to.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;

/// A folder for what wasmtime has compiled, until it is dropped.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: TempDir,
}

impl Cache {
    /// An empty folder, and the settings that name it.
    pub(crate) fn new() -> io::Result<Self> {
        let cache = Self { folder: tempfile::tempdir()? };
        // A folder of its own: wasmtime takes out what it did not put there.
        let compiled = cache.folder.path().join("compiled");
        fs::create_dir(&compiled)?;
        // A worker belongs to another user than the one who starts NGINX.
        for folder in [cache.folder.path(), &compiled] {
            fs::set_permissions(folder, Permissions::from_mode(0o777))?;
        }
        let settings = format!("[cache]\nenabled = true\ndirectory = \"{}\"\n", compiled.display());
        fs::write(cache.settings(), settings)?;
        Ok(cache)
    }

    /// The file with the settings.
    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.path().join("settings.toml")
    }
}
