//! What can go wrong when a release is made.

use std::io;
use std::path::{Path, PathBuf};

/// A release that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// An archive that cannot be made.
    #[error("archive: {0}")]
    Archive(#[from] io::Error),
    /// `cargo metadata` failed.
    #[error("cargo metadata: {0}")]
    Metadata(String),
}

impl Error {
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error }
    }
}
