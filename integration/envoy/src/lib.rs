//! jwt-gate-envoy
