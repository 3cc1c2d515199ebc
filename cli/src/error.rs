//! Why a command could not do its work.

use std::io;

/// A reason to end without a result: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file cannot be read.
    #[error("{name}: {source}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A policy has faults.
    #[error("{name} has faults; `jwt-gate check` tells them, too:\n  {}", faults.join("\n  "))]
    Policy {
        /// The file.
        name: String,
        /// The faults, each with its place.
        faults: Vec<String>,
    },
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
}
