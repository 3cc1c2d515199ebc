//! The gate and Envoy's own `jwt_authn` filter, side by side.
//!
//! ```text
//!          ┌─► door: jwt_authn ─┐
//! request ─┤   one Envoy        ├─► upstream, which answers what it saw
//!          └─► door: the gate ──┘
//! ```
//!
//! Both get the same configuration and the same bytes; what differs must stand in
//! `integration/envoy/divergences.toml`. Cases come from `cases/*.toml` and from a generator.

pub mod challenge;
pub mod check;
pub mod divergence;
pub mod ending;
pub mod generated;
pub mod metadata;
pub mod outcome;
pub mod stage;
pub mod written;

mod trial;
