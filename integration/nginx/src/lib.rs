//! The module in NGINX itself, built with ngx_wasm_module, where somebody has one.

mod authority;
mod cache;
mod conf;
mod driver;
mod process;

pub use conf::without_wasm;
pub use driver::{Scene, Stage};
pub use process::{Error, Nginx};
