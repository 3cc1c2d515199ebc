//! jwt-gate-scenario
