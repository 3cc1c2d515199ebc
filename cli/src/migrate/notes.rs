//! What could not be taken over as it was.

use serde::Serialize;

/// What becomes of something that has no counterpart.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// It restricts, and cannot be said: there is no policy.
    Fault,
    /// More is refused than there.
    Stricter,
    /// It is similar, not the same.
    Differs,
    /// It restricts nothing, and is left out.
    Dropped,
}

impl Kind {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Stricter => "stricter",
            Self::Differs => "differs",
            Self::Dropped => "dropped",
        }
    }
}

/// Something that could not be taken over as it was.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Note {
    /// What becomes of it.
    pub(crate) kind: Kind,
    /// Where it is in what was read.
    pub(crate) place: String,
    /// What it is, and what to do about it.
    pub(crate) what: String,
}

/// All that could not be taken over as it was.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// Adds a note, once.
    pub(crate) fn add(&mut self, kind: Kind, place: &str, what: impl Into<String>) {
        let note = Note { kind, place: place.to_owned(), what: what.into() };
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// It restricts, and cannot be said.
    pub(crate) fn fault(&mut self, place: &str, what: impl Into<String>) {
        self.add(Kind::Fault, place, what);
    }

    /// More is refused than there.
    pub(crate) fn stricter(&mut self, place: &str, what: impl Into<String>) {
        self.add(Kind::Stricter, place, what);
    }

    /// It is similar, not the same.
    pub(crate) fn differs(&mut self, place: &str, what: impl Into<String>) {
        self.add(Kind::Differs, place, what);
    }

    /// It restricts nothing.
    pub(crate) fn dropped(&mut self, place: &str, what: impl Into<String>) {
        self.add(Kind::Dropped, place, what);
    }

    /// Whether something makes a policy impossible.
    pub(crate) fn has_faults(&self) -> bool {
        self.0.iter().any(|note| note.kind == Kind::Fault)
    }

    /// The notes, faults first.
    pub(crate) fn finish(mut self) -> Vec<Note> {
        self.0.sort_by_key(|note| note.kind);
        self.0
    }
}
