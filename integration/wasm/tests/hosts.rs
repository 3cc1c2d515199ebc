//! The module on hosts that are not Envoy: what each lacks or does otherwise, and what holds there
//! all the same.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "hosts/bare.rs"]
mod bare;
#[path = "support/metered.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod metered;
#[path = "hosts/nginx.rs"]
mod nginx;
mod support;
#[path = "support/worker.rs"]
mod worker;
