//! Truth, claim by claim.
