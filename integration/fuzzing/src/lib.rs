//! What must hold for every input, as functions of bytes: `fuzz/` hands them to a fuzzer, and
//! `tests/smoke.rs` to a generator that needs no other compiler.
//!
//! A target panics when an input breaks what must hold, and returns otherwise.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

mod challenge;
mod configuration;
mod gate;
mod input;
mod jwks;
mod path;
mod reference;
mod scenario;
pub mod seeds;
mod token;

/// A target: it panics when the input breaks what must hold.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 6] = [
    ("token", token::run),
    ("jwks", jwks::run),
    ("configuration", configuration::run),
    ("path", path::run),
    ("challenge", challenge::run),
    ("scenario", scenario::run),
];

/// The target of that name.
///
/// # Panics
/// There is none.
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.expect("a target of that name").1
}
