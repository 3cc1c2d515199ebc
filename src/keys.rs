//! Keys: what they are, and sets of them.

pub mod absent;
pub mod jwk;
pub mod set;
