//! JWT authentication and access policy for any proxy that speaks proxy-wasm.
pub mod json;
pub mod time;
