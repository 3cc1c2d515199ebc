//! Keys: what they are, and where they come from.

pub mod fetch;
pub mod jwk;
pub mod set;
pub mod source;
