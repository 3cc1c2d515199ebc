//! An Envoy process.

mod listeners;

use std::{
    collections::HashMap,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    bootstrap::Bootstrap,
    client::{Client, Request},
    error::Error,
    log::Log,
    wait,
};
use listeners::{Further, LISTENERS};

/// Environment variable with the path of the binary.
const BINARY: &str = "ENVOY";
/// Environment variable with the paths of several, as in `PATH`.
const BINARIES: &str = "ENVOYS";
/// Where the binary is otherwise, from the root of the workspace.
const DEFAULT_BINARY: &str = ".venv/envoy";
/// Environment variable with the path of the module.
const MODULE: &str = "JWT_GATE_WASM";
/// Where the module is otherwise, from the root of the workspace.
const DEFAULT_MODULE: &str = "dist/jwt-gate.wasm";
/// How long Envoy may take to end when it is asked to.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How Envoy is run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Worker threads.
    pub concurrency: u32,
    /// Log level.
    pub log_level: String,
    /// Log levels of components, `wasm:info,jwt:debug`.
    pub component_log_level: String,
    /// How long it may take until it is ready.
    pub ready_within: Duration,
    /// The binary, if it is not [`Envoy::binary`].
    pub binary: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 1,
            log_level: "warning".to_owned(),
            component_log_level: "wasm:info".to_owned(),
            ready_within: Duration::from_secs(30),
            binary: None,
        }
    }
}

/// A running Envoy, until it is dropped.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    admin: SocketAddr,
    log: Log,
    folder: TempDir,
    further: Mutex<Further>,
}

impl Envoy {
    /// The binary: environment variable `ENVOY`, or `.venv/envoy` in the workspace.
    ///
    /// # Errors
    /// There is none.
    pub fn binary() -> Result<PathBuf, Error> {
        existing(BINARY, DEFAULT_BINARY).map_err(Error::NoEnvoy)
    }

    /// The binaries to run a test with: those of the environment variable
    /// `ENVOYS`, or else the one.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn binaries() -> Result<Vec<PathBuf>, Error> {
        let Some(several) = env::var_os(BINARIES) else { return Ok(vec![Self::binary()?]) };
        let existing = |path: PathBuf| path.canonicalize().map_err(|_| Error::NoEnvoy(path));
        env::split_paths(&several).map(existing).collect()
    }

    /// The module under test: environment variable `JWT_GATE_WASM`, or `dist/jwt-gate.wasm` in the
    /// workspace.
    ///
    /// # Errors
    /// There is none.
    pub fn module() -> Result<PathBuf, Error> {
        existing(MODULE, DEFAULT_MODULE).map_err(Error::NoModule)
    }

    /// Starts Envoy and waits until it is ready.
    ///
    /// # Errors
    /// There is no binary, or it refuses the bootstrap, or it takes too long.
    pub fn start(bootstrap: &Bootstrap, options: &Options) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(written(&env::temp_dir()))?;
        let further = folder.path().join(LISTENERS);
        write(&further, &Further::default().to_json())?;
        let configuration = folder.path().join("bootstrap.json");
        write(&configuration, &bootstrap.to_json(further.to_str()))?;
        let admin_file = folder.path().join("admin");

        let mut command = command(&configuration, options)?;
        command.arg("--concurrency").arg(options.concurrency.to_string());
        command.args(["--file-flush-interval-msec", "50"]);
        command.args(["--drain-time-s", "1"]).arg("--admin-address-path").arg(&admin_file);
        let (mut child, log) = run(&mut command, &folder)?;
        match ready(&mut child, &admin_file, &log, options.ready_within) {
            Ok(admin) => Ok(Self { child, admin, log, folder, further: Mutex::default() }),
            Err(error) => {
                stop(&mut child);
                Err(error)
            }
        }
    }

    /// Has Envoy check the bootstrap, with the module's own check of its configuration.
    ///
    /// # Errors
    /// There is no binary, or it refuses the bootstrap: [`Error::Refused`] with its log.
    pub fn validate(bootstrap: &Bootstrap) -> Result<(), Error> {
        let folder = tempfile::tempdir().map_err(written(&env::temp_dir()))?;
        let configuration = folder.path().join("bootstrap.json");
        write(&configuration, &bootstrap.to_json(None))?;
        let mut command = command(&configuration, &Options::default())?;
        let (mut child, log) = run(command.args(["--mode", "validate"]), &folder)?;
        let program = || PathBuf::from(command.get_program());
        let status = child.wait().map_err(|error| Error::Run { program: program(), error })?;
        if status.success() { Ok(()) } else { Err(Error::Refused { log: log.since(0) }) }
    }

    /// Where a listener listens.
    ///
    /// # Errors
    /// Envoy has none of this name.
    pub fn address(&self, listener: &str) -> Result<SocketAddr, Error> {
        let address = self.addresses()?.remove(listener);
        address.ok_or_else(|| Error::NoListener(listener.to_owned()))
    }

    /// Where each listener listens.
    fn addresses(&self) -> Result<HashMap<String, SocketAddr>, Error> {
        let answer = self.admin("/listeners?format=json")?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let statuses = answer.get("listener_statuses").and_then(Value::as_array);
        let address = |status: &Value| {
            let name = status.get("name")?.as_str()?.to_owned();
            Some((name, socket_address(status.get("local_address")?)?))
        };
        Ok(statuses.into_iter().flatten().filter_map(address).collect())
    }

    /// The value of a counter or gauge; 0 where Envoy does not have it (yet).
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub fn counter(&self, name: &str) -> Result<u64, Error> {
        let stats = self.admin(&format!("/stats?filter=^{}$", name.replace('.', "\\.")))?;
        let value = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or_default())
    }

    /// What the admin interface answers to a GET.
    ///
    /// # Errors
    /// It does not answer, or not with a 200.
    pub fn admin(&self, path: &str) -> Result<String, Error> {
        ask(self.admin, path)
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where the admin interface is.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// The lines of the log after so many bytes; all that were written so far.
    #[must_use]
    pub fn log_since(&self, bytes: u64) -> Vec<String> {
        self.log.since(bytes)
    }

    /// The lines of the log after so many bytes, which then are as many as there are.
    #[must_use]
    pub fn log_after(&self, bytes: &mut u64) -> Vec<String> {
        self.log.after(bytes)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn existing(variable: &str, default: &str) -> Result<PathBuf, PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = || here.ancestors().nth(2).unwrap_or(here).join(default);
    let path = env::var_os(variable).map_or_else(workspace, PathBuf::from);
    path.canonicalize().map_err(|_| path)
}

fn command(configuration: &Path, options: &Options) -> Result<Command, Error> {
    let binary = options.binary.clone().map_or_else(Envoy::binary, Ok)?;
    let mut command = Command::new(binary);
    command.arg("-c").arg(configuration).arg("--disable-hot-restart");
    // Otherwise a listener that is added later could have fields that nobody knows.
    command.arg("--reject-unknown-dynamic-fields");
    command.args(["--log-level", &options.log_level]);
    command.args(["--component-log-level", &options.component_log_level]);
    command.args(["--log-format", "%Y-%m-%dT%T.%e %l %n %v"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command)
}

fn run(command: &mut Command, folder: &TempDir) -> Result<(Child, Log), Error> {
    let path = folder.path().join("log");
    let (log, file) = Log::create(path.clone()).map_err(written(&path))?;
    let started = command.stderr(file).spawn();
    let program = || PathBuf::from(command.get_program());
    let child = started.map_err(|error| Error::Run { program: program(), error })?;
    Ok((child, log))
}

fn ready(
    child: &mut Child,
    admin_file: &Path,
    log: &Log,
    within: Duration,
) -> Result<SocketAddr, Error> {
    let outcome = wait::until(within, || {
        if !matches!(child.try_wait(), Ok(None)) {
            return Some(Err(Error::Refused { log: log.since(0) }));
        }
        let admin = fs::read_to_string(admin_file).ok()?.trim().parse().ok()?;
        ask(admin, "/ready").is_ok().then_some(Ok(admin))
    });
    let seconds = within.as_secs();
    outcome.unwrap_or_else(|| Err(Error::NotReady { seconds, log: log.since(0) }))
}

/// Asks the process to end, and ends it where it does not.
fn stop(child: &mut Child) {
    let asked = kill_process(Pid::from_child(child), Signal::TERM);
    let ended = || (!matches!(child.try_wait(), Ok(None))).then_some(());
    if asked.is_err() || wait::until(STOP_WITHIN, ended).is_none() {
        _ = child.kill();
        _ = child.wait();
    }
}

fn ask(admin: SocketAddr, path: &str) -> Result<String, Error> {
    let request = Request::new("GET", path).header("host", "admin");
    match Client::new(admin).send(&request)? {
        answer if answer.status == 200 => Ok(answer.text()),
        answer => Err(Error::Admin { path: path.to_owned(), status: answer.status }),
    }
}

fn socket_address(address: &Value) -> Option<SocketAddr> {
    let address = address.get("socket_address")?;
    let port = u16::try_from(address.get("port_value")?.as_u64()?).ok()?;
    Some(SocketAddr::new(address.get("address")?.as_str()?.parse().ok()?, port))
}

fn write(path: &Path, json: &Value) -> Result<(), Error> {
    fs::write(path, json.to_string()).map_err(written(path))
}

fn written(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::Write { path: path.to_owned(), error }
}
