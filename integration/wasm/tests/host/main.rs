//! What the host does, seen by small guests: a test for each rule that it keeps.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod callouts;
mod driver;
mod faults;
mod foreign;
mod guest;
mod headers;
mod lifecycle;
mod metrics;
mod properties;
mod replies;
mod shared_data;
mod ticks;
