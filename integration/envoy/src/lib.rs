//! Real Envoy for tests and for the demo: a process, its configuration, and the three parties
//! around it.
//!
//! ```text
//! Client ──► Envoy (listener per scenario: filter, router) ──► Upstream   answers what it saw
//!                         └── callouts ──► Idp                            JWKS, and its faults
//! ```
//!
//! Everything is blocking and listens on 127.0.0.1 only. What runs is stopped when its value is
//! dropped.

pub mod bootstrap;
pub mod client;
pub mod driver;
pub mod envoy;
pub mod error;
pub mod idp;
pub mod upstream;
pub mod world;

mod log;
mod message;
mod port;
mod server;
mod wait;

pub use bootstrap::{Bootstrap, Cluster, Filter, Listener, Module};
pub use client::{Answer, Client, Connection, Request};
pub use driver::{Scene, Theatre, behaviour, reply};
pub use envoy::{Envoy, Options};
pub use error::Error;
pub use idp::{Behaviour, Fault, Idp};
pub use upstream::{Seen, Upstream};
pub use world::World;
