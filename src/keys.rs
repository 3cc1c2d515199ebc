//! Keys: what they are, and where they come from.

pub mod fetch;
pub mod jwk;
pub mod record;
pub mod set;
pub mod source;
