//! The adapter: the only part that names `proxy_wasm` and talks to the proxy.
//!
//! It holds all state and decides nothing. State hangs on the root context, never on a static: an
//! update of the configuration makes a second root in the same VM while the first one drains.

mod abi;
mod apply;
mod counters;
mod crypto;
mod export;
mod fetching;
mod held;
mod logger;
mod nginx;
mod root;
mod shared;
mod stream;
mod trailers;
mod view;

// No hostcall may happen in here: NGINX has no instance to take it yet.
proxy_wasm::main! {{
    proxy_wasm::set_root_context(|id| Box::new(root::Root::new(id)));
}}
