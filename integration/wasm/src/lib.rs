//! jwt-gate-test-host
