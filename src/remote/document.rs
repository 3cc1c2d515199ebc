//! The kinds of remote document: how the body of an answer becomes one, and what is said of it.
//!
//! A further kind is a variant of [`Kind`] and of [`Document`], and an arm of each `match` here.

use std::fmt;
use std::sync::Arc;

use crate::keys::jwk::Key;
use crate::keys::set::{KeyLimits, KeySet, KeySetError, Skipped};

/// What is expected behind a URL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A JSON Web Key set (RFC 7517, section 5).
    Keys,
}

/// What came.
#[derive(Clone, Debug)]
pub enum Document {
    /// Keys; at least one.
    Keys(Arc<KeySet>),
}

/// Why a body is no document of the expected kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// It is no set with a usable key.
    #[error("no key set: {0}")]
    Keys(#[from] KeySetError),
}

impl Kind {
    /// One word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
        }
    }

    /// The media types that are asked for.
    pub const fn media_types(self) -> &'static str {
        match self {
            Self::Keys => "application/jwk-set+json, application/json",
        }
    }

    /// What a failed fetch means to users, while an older document is served or without one.
    pub const fn consequence(self, served: bool) -> &'static str {
        match (self, served) {
            (Self::Keys, true) => "the keys at hand are served on",
            (Self::Keys, false) => "there are no keys, its tokens are answered with 503",
        }
    }

    /// Takes a body for a document; parts of it that are not used are reported.
    pub fn read(
        self,
        body: &[u8],
        limits: &KeyLimits,
    ) -> Result<(Document, Vec<Skipped>), DocumentError> {
        match self {
            Self::Keys => {
                // A secret that anyone can fetch is none.
                let limits = KeyLimits { allow_symmetric: false, ..*limits };
                let (keys, skipped) = KeySet::from_json(body, &limits)?;
                Ok((Document::Keys(Arc::new(keys)), skipped))
            }
        }
    }
}

impl Document {
    /// How many entries of it are used.
    pub fn entries(&self) -> u64 {
        let count = match self {
            Self::Keys(keys) => keys.len(),
        };
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Whether something can be found in it that was not in the one before: a key under another
    /// name.
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        match (self, before) {
            (_, None) => true,
            (Self::Keys(keys), Some(Self::Keys(before))) => {
                keys.keys().iter().filter_map(Key::kid).any(|kid| !before.has_kid(kid))
            }
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => write!(f, "{} usable", keys.len()),
        }
    }
}
