//! Finding and reading the files of a suite.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::LoadError;

/// What a file of scenarios is called that stands beside the configuration it is about.
const BESIDE: &str = "scenario.toml";

/// The `*.toml` files of a directory, in the order of their names.
pub(super) fn toml_files(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut paths = entries(dir)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    Ok(paths)
}

/// The `scenario.toml` of each folder in `dir`; a folder without one is an error.
pub(super) fn included(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let folders = entries(dir)?.into_iter().filter(|path| path.is_dir());
    let paths: Vec<_> = folders.map(|folder| folder.join(BESIDE)).collect();
    if paths.is_empty() { Err(LoadError::Empty(dir.to_owned())) } else { Ok(paths) }
}

/// The text of a configuration, with what has to be another one in a test.
pub(super) fn config(path: &Path, replace: &BTreeMap<String, String>) -> Result<String, LoadError> {
    let mut config = text(path)?;
    for (old, new) in replace {
        if !config.contains(old) {
            return Err(LoadError::NothingToReplace { path: path.to_owned(), text: old.clone() });
        }
        config = config.replace(old, new);
    }
    Ok(config)
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(|source| LoadError::Io { path: path.to_owned(), source })
}

/// What a file is called in messages: its name, and its folder's where that says more.
pub(super) fn name(path: &Path) -> String {
    let last = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = last(path);
    match path.parent() {
        Some(folder) if name == BESIDE => format!("{}/{name}", last(folder)),
        Some(_) | None => name,
    }
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let io = |source| LoadError::Io { path: dir.to_owned(), source };
    let entries = fs::read_dir(dir).map_err(io)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(io)?;
    paths.sort();
    Ok(paths)
}
