//! An NGINX process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::conf::Site;

/// Environment variable with the path of the binary.
const BINARY: &str = "NGINX";
/// How long the first worker may take: it compiles the module.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end when it is asked to.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// What the module says when it has taken its configuration.
const LOADED: &str = "configuration loaded";
/// What NGINX says when a worker gave up: on_configure was false, or it trapped.
const FATAL: &str = "exited with fatal code";

/// What keeps NGINX from running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The policy is longer than NGINX reads.
    #[error("NGINX takes no argument of a directive of more than 4096 bytes")]
    TooLong,
    /// It does not start with this configuration.
    #[error("NGINX does not start: {}", log.join("\n"))]
    Refused {
        /// What it logged.
        log: Vec<String>,
    },
    /// A file, a port or the process failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running NGINX, until it is dropped.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Nginx {
    /// The binary that the environment variable `NGINX` names, if it is set.
    #[must_use]
    pub fn binary() -> Option<PathBuf> {
        env::var_os(BINARY).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty())
    }

    /// Starts it and waits until the module has its configuration.
    ///
    /// # Errors
    /// It does not start, or the policy is too long for it.
    pub(crate) fn start(binary: &Path, site: &Site<'_>) -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        let conf = site.text().ok_or(Error::TooLong)?;
        fs::write(folder.path().join("nginx.conf"), conf)?;
        let mut command = Command::new(binary);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        // To NGINX itself the variable is a list of sockets that it inherits.
        command.env_remove(BINARY);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let address = SocketAddr::from(([127, 0, 0, 1], site.port));
        let mut nginx = Self { child: command.spawn()?, address, folder };
        let begun = now();
        while begun.elapsed() < READY_WITHIN {
            let log = nginx.log();
            if log.iter().any(|line| line.contains(FATAL)) || nginx.child.try_wait()?.is_some() {
                break;
            }
            if log.iter().any(|line| line.contains(LOADED)) {
                return Ok(nginx);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(Error::Refused { log: nginx.log() })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The lines of its log so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        let log = fs::read(self.folder.path().join("error.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().map(str::to_owned).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = now();
        while asked.is_ok() && begun.elapsed() < STOP_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a process is waited for")]
fn now() -> Instant {
    Instant::now()
}
