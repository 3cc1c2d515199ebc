//! Faults, and what is no fault.
