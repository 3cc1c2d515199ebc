//! A filter that does nothing: what any module costs a request before it has done its work.

#[cfg(target_arch = "wasm32")]
mod filter;
