//! The statuses that a hostcall answers with.

/// Status of a hostcall, as the guest reads it.
///
/// A number and not an enum: hosts return values that the specification does not name, and a test
/// must be able to do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(
    /// The number that the guest sees.
    pub u32,
);

impl Status {
    /// The call did what it says.
    pub const OK: Self = Self(0);
    /// There is no such thing.
    pub const NOT_FOUND: Self = Self(1);
    /// An argument makes no sense, here or now.
    pub const BAD_ARGUMENT: Self = Self(2);
    /// A value could not be written out.
    pub const SERIALIZATION_FAILURE: Self = Self(3);
    /// A value could not be read.
    pub const PARSE_FAILURE: Self = Self(4);
    /// A pointer leads outside of the guest's memory.
    pub const INVALID_MEMORY_ACCESS: Self = Self(6);
    /// The queue holds nothing.
    pub const EMPTY: Self = Self(7);
    /// Somebody else wrote in between.
    pub const CAS_MISMATCH: Self = Self(8);
    /// The host failed.
    pub const INTERNAL_FAILURE: Self = Self(10);
    /// The host has no such function.
    pub const UNIMPLEMENTED: Self = Self(12);
}
