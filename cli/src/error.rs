//! Why a command could not do its work.

use std::io;

use jwt_gate::config::ConfigError;

use crate::fetch::FetchError;

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
    /// A file is no text.
    #[error("{0}: not UTF-8 text")]
    NotText(String),
    /// A file has nothing in it that this command is about.
    #[error("{0}: there is no configuration of jwt-gate in it")]
    NoConfiguration(String),
    /// A file has several of what this command is about.
    #[error("{name}: there are {count} configurations of jwt-gate in it, and one is expected")]
    SeveralConfigurations {
        /// The file.
        name: String,
        /// How many.
        count: usize,
    },
    /// A configuration that has faults decides nothing.
    #[error("{0}")]
    Faults(String),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(String),
    /// A file has no usable keys.
    #[error("{name}: {why}")]
    Keys {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
    /// A document cannot be fetched.
    #[error("{name}: {source}")]
    Fetch {
        /// Where it is.
        name: String,
        /// Why.
        source: Box<FetchError>,
    },
    /// A file does not say who may vouch for a server.
    #[error("{name}: {why}")]
    Certificates {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
    /// Claims cannot be made a token of.
    #[error("{name}: {why}")]
    Claims {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
    /// Tests cannot be read.
    #[error("{0}")]
    Tests(String),
    /// A file cannot be written.
    #[error("{name} cannot be written: {source}")]
    Save {
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

impl Error {
    /// The faults of a configuration that was to decide something.
    pub(crate) fn faults(name: &str, faults: &[ConfigError]) -> Self {
        let lines: Vec<_> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
        Self::Faults(lines.join("\n"))
    }
}
