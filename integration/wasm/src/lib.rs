//! A proxy-wasm host for tests: it keeps state, and is asked afterwards what it holds.
//!
//! A [`Host`] behaves like one proxy ([`Personality`]) with a clock that the test moves. It runs one
//! or more [`Vm`]s of a [`Module`]; each has root contexts ([`Vm::configure`]) and streams
//! ([`Vm::request`]). Callouts wait in [`Vm::callouts`] until the test says what becomes of them.
//! Nothing scripts the order of hostcalls: headers, metrics, logs, replies and shared data are
//! looked at when it is over.
//!
//! Every call into the guest returns a `Result` with a [`Trap`]; after one the VM is dead.
//!
//! ```
//! use jwt_gate_test_host::{Host, Module, Personality, Phase, Request};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let module = Module::from_bytes(br#"(module (memory (export "memory") 1)
//!     (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 1))"#)?;
//! let host = Host::new(Personality::Envoy);
//! let vm = host.vm(&module)?;
//! let root = vm.configure(b"{}")?.ok_or("refused")?;
//! let stream = vm.request(root, &Request::get("/"))?;
//! assert_eq!(vm.stream(stream)?.phase, Phase::Paused);
//! # Ok(())
//! # }
//! ```

mod abi;
mod callout;
mod control;
mod driver;
mod error;
mod faults;
mod foreign;
mod headers;
mod host;
mod http;
mod log;
mod metrics;
mod module;
mod personality;
mod property;
mod shared_data;
mod status;
mod stream;
mod uri;
mod vm;
mod vm_state;
mod wasi;

pub use callout::{Callout, CalloutResult, Context, MAX_ANSWER_BYTES, Token};
pub use driver::{ScenarioDriver, Traps};
pub use error::{LoadError, Trap};
pub use faults::Times;
pub use headers::{Headers, NGINX_AUTHORITY, ProxySetHeader};
pub use host::{Cluster, Host};
pub use log::{Level, LogLine};
pub use metrics::{Metric, MetricKind};
pub use module::Module;
pub use personality::Personality;
pub use shared_data::SharedData;
pub use status::Status;
pub use stream::{LocalReply, Phase, Request, StreamState};
pub use vm::Vm;

/// A root context: one configuration in one VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootId(pub(crate) u32);

/// A stream: one request in one VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u32);
