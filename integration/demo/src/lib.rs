//! jwt-gate-demo
