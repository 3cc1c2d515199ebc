//! Keys: what they are, and sets of them.

pub mod jwk;
pub mod set;
