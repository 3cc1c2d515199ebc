//! Which proxy the host behaves like.

/// The proxy whose rules the host follows.
///
/// The rules themselves stand where they apply; the compiler finds every place when one is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personality {
    /// Envoy: deferred resume and reply, effective contexts, foreign functions.
    Envoy,
    /// NGINX with `ngx_wasm_module`: effective contexts ignored, automatic resume, traps where others
    /// return a status.
    Nginx,
    /// A host without timers, callouts, shared data, metrics and foreign functions.
    Bare,
}
