//! Why a decision came about, as a tree: for people who write policies, not for proxies.
//!
//! [`Gate::explain`](crate::gate::Gate::explain) makes one. Each node is decided by the functions that decide on
//! requests; what it says of a token never has the signature in it.

use crate::policy::condition::Truth;

/// A question, its answer, and what the answer is made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// The question.
    pub what: String,
    /// The answer; `None` where nothing was asked, or nobody looked.
    pub state: Option<Truth>,
    /// What is asked for.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// Questions that this one is made of.
    pub parts: Vec<Self>,
}

impl Node {
    /// A question with an answer.
    pub fn new(what: impl Into<String>, state: impl Into<Truth>) -> Self {
        Self { state: Some(state.into()), ..Self::note(what) }
    }

    /// Something to know.
    pub fn note(what: impl Into<String>) -> Self {
        Self { what: what.into(), state: None, expected: None, found: None, parts: Vec::new() }
    }

    /// The same with what is asked for.
    #[must_use]
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// The same with what is there.
    #[must_use]
    pub fn found(self, found: impl Into<String>) -> Self {
        Self { found: Some(found.into()), ..self }
    }

    /// The same with what it is made of.
    #[must_use]
    pub fn with(self, parts: Vec<Self>) -> Self {
        Self { parts, ..self }
    }
}

/// Names in backticks.
pub(crate) fn names<T: AsRef<str>>(names: &[T]) -> String {
    let each: Vec<_> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    each.join(", ")
}

/// Octets as text.
pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
