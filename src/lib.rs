//! JWT authentication and access policy for any proxy that speaks proxy-wasm.
//!
//! Everything outside `host` is a function of its arguments: no clock, no hostcall, no global.
//! `DESIGN.md` says how the parts hang together.

pub mod audit;
pub mod cache;
pub mod claims;
pub mod config;
pub mod credential;
pub mod effects;
#[cfg(feature = "tools")]
pub mod explain;
pub mod gate;
#[cfg(target_arch = "wasm32")]
mod host;
pub mod json;
pub mod jws;
pub mod keys;
pub mod metrics;
pub mod policy;
pub mod rejection;
pub mod remote;
pub mod request;
pub mod requirement;
pub mod revocation;
pub mod time;
pub mod wire;

pub use jwt_gate_crypto as crypto;
