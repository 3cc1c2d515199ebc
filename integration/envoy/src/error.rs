//! What can go wrong between the parties, in words that say what to do.

use std::{io, net::SocketAddr, path::PathBuf};

/// A failure of the machinery, never of the filter under test.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no Envoy where one was looked for.
    #[error("no Envoy at `{}`: run `make envoy`, or set ENVOY to the path of the binary", .0.display())]
    NoEnvoy(PathBuf),
    /// There is no module where one was looked for.
    #[error("no module at `{}`: run `make wasm`, or set JWT_GATE_WASM to its path", .0.display())]
    NoModule(PathBuf),
    /// Envoy could not be started at all.
    #[error("cannot run `{}`: {error}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Envoy ended before it was ready, or refused the configuration.
    #[error("Envoy refused its configuration; it said:\n{}", log.join("\n"))]
    Refused {
        /// The lines of Envoy's log.
        log: Vec<String>,
    },
    /// Envoy did not become ready in time.
    #[error("Envoy was not ready within {seconds} s; it said:\n{}", log.join("\n"))]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// The lines of Envoy's log.
        log: Vec<String>,
    },
    /// A file that Envoy shall read could not be written.
    #[error("cannot write `{}`: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A server of the tests could not listen.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// A request was not answered with an HTTP response.
    #[error("no answer from {address}: {error}")]
    Exchange {
        /// Who was asked.
        address: SocketAddr,
        /// What was met instead.
        error: io::Error,
    },
    /// Envoy's admin interface did not answer as expected.
    #[error("Envoy's admin interface answered `{path}` with {status}")]
    Admin {
        /// What was asked for.
        path: String,
        /// The status of the answer.
        status: u16,
    },
    /// Envoy has no listener of this name.
    #[error("Envoy has no listener `{0}`")]
    NoListener(String),
}
