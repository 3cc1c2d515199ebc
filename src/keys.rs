//! Keys: what they are, and where they come from.

pub mod fetch;
pub mod jwk;
pub mod pem;
pub mod public;
pub mod record;
pub mod set;
pub mod source;
