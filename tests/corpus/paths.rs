//! Paths, and what servers make of them.
