//! Lines that the guest logged.

/// Severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// For developers.
    Debug,
    /// In the course of things.
    Info,
    /// Degraded.
    Warn,
    /// An operator must act.
    Error,
    /// A panic, mostly.
    Critical,
}

impl Level {
    pub(crate) fn from_abi(level: u32) -> Option<Self> {
        match level {
            0 => Some(Self::Trace),
            1 => Some(Self::Debug),
            2 => Some(Self::Info),
            3 => Some(Self::Warn),
            4 => Some(Self::Error),
            5 => Some(Self::Critical),
            _ => None,
        }
    }
}

/// A line that the guest logged, or wrote to its standard output (info) or error (error).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Severity.
    pub level: Level,
    /// The text, as it is.
    pub text: String,
}
