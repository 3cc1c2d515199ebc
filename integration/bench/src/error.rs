//! Why a benchmark cannot go on, in words that say what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Envoy or the module is missing, or does not do what it should.
    #[error(transparent)]
    Party(#[from] jwt_gate_envoy::Error),
    /// A token could not be made.
    #[error(transparent)]
    Token(#[from] jwt_gate_scenario::MintError),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] jwt_gate_scenario::KeyError),
    /// The load generator is not there.
    #[error("cannot run `wrk` ({0}): install it with `sudo apt-get install wrk`")]
    NoWrk(io::Error),
    /// The load generator counted nothing.
    #[error("wrk did not come to an end; it said:\n{0}")]
    Wrk(String),
    /// What is measured is not what was meant to be.
    #[error("{variant}, {case}: expected every answer to be {expected}, but {came}")]
    Unexpected {
        /// Who answered.
        variant: &'static str,
        /// What was asked.
        case: String,
        /// The status that was expected.
        expected: u16,
        /// What came.
        came: String,
    },
    /// The process of Envoy cannot be looked at.
    #[error("cannot read what the kernel says about a process: {0}")]
    Process(#[from] procfs::ProcError),
    /// A core cannot be chosen.
    #[error("cannot choose the core to run on: {0}")]
    Pin(io::Error),
    /// A file cannot be read or written.
    #[error("cannot read or write `{}`: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The page has no place for a part of the results.
    #[error("`{}` has no lines `<!-- {block}: begin -->` and `<!-- {block}: end -->`", path.display())]
    NoBlock {
        /// The page.
        path: PathBuf,
        /// Name of the part.
        block: &'static str,
    },
    /// A filter that fits nothing.
    #[error("no case has `{0}` in its name; there are:\n  {1}")]
    NoCase(String, String),
}

impl Error {
    /// Says which file it was about.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error }
    }
}
