//! Keys: what they are, in which forms they come, and sets of them.

pub mod absent;
pub mod jwk;
pub mod pem;
pub mod public;
pub mod set;
