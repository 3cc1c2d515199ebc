//! What can go wrong: a module that does not load, a call that does not return.

/// A module or an instance that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read module `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The bytes are not a module that this engine runs.
    #[error("cannot compile the module: {0}")]
    Compile(String),
    /// An import is not what this host has under that name.
    #[error("cannot link the module: {0}")]
    Link(String),
    /// The module exports no `memory`.
    #[error("the module exports no `memory`")]
    NoMemory,
    /// The start function trapped.
    #[error(transparent)]
    Start(#[from] Trap),
}

/// A call into the guest that did not return; from then on the VM is dead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trap {
    /// The guest's own doing: a panic, an access out of bounds, an exit.
    #[error("{entry}: the guest trapped: {message}")]
    Guest {
        /// Export that was running.
        entry: &'static str,
        /// What the engine says, with the guest's stack.
        message: String,
    },
    /// The guest broke a rule that the host enforces with a trap.
    #[error("{entry}: host rule: {rule}")]
    Rule {
        /// Export that was running.
        entry: &'static str,
        /// The rule, in words.
        rule: String,
    },
    /// The guest did what makes the real host crash.
    #[error("{entry}: the host crashes: {rule}")]
    Crash {
        /// Export that was running.
        entry: &'static str,
        /// What must not be done, in words.
        rule: String,
    },
    /// The VM trapped before and takes no more calls.
    #[error("{entry}: the VM is dead")]
    Dead {
        /// Export that should have run.
        entry: &'static str,
    },
    /// The test asked for something that this VM does not have.
    #[error("misuse of the test host: {0}")]
    Misuse(String),
}

/// A rule that a hostcall broke, on its way through the engine.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{rule}")]
pub(crate) struct BrokenRule {
    pub(crate) rule: String,
    /// The real host does not trap here, it crashes.
    pub(crate) crash: bool,
}

/// Why a hostcall does not return `Ok`.
#[derive(Debug)]
pub(crate) enum Refusal {
    Status(crate::Status),
    Rule(BrokenRule),
    /// The guest trapped in its allocator.
    Engine(wasmtime::Error),
}

impl Refusal {
    pub(crate) fn rule(rule: impl Into<String>) -> Self {
        Self::Rule(BrokenRule { rule: rule.into(), crash: false })
    }

    pub(crate) fn crash(rule: impl Into<String>) -> Self {
        Self::Rule(BrokenRule { rule: rule.into(), crash: true })
    }
}

impl From<crate::Status> for Refusal {
    fn from(status: crate::Status) -> Self {
        Self::Status(status)
    }
}

/// What a hostcall comes to.
pub(crate) type Outcome<T = ()> = Result<T, Refusal>;
