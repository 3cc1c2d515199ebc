//! The kinds of remote document: how the body of an answer becomes one, and what is said of it.
//!
//! A further kind is a variant of [`Kind`] and of [`Document`], and an arm of each `match` here.

use std::fmt;
use std::sync::Arc;

use crate::keys::jwk::Key;
use crate::keys::set::{KeyLimits, KeySet, KeySetError, Skipped};
use crate::remote::discovery::{Discovery, DiscoveryError};
use crate::remote::endpoint::Endpoint;
use crate::revocation::{ListError, RevocationList};

/// What is expected behind a URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// What an issuer says of itself (RFC 8414, section 3).
    Discovery(Arc<Discovery>),
    /// A JSON Web Key set (RFC 7517, section 5).
    Keys,
    /// A list of revoked tokens.
    Revocations(RevocationTerms),
}

/// What a list of revoked tokens may be, and what happens without it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RevocationTerms {
    /// Octets of the document.
    pub max_bytes: usize,
    /// Whether tokens pass while there is none.
    pub open: bool,
}

/// What came.
#[derive(Clone, Debug)]
pub enum Document {
    /// Where the issuer's keys are.
    Discovery(Endpoint),
    /// Keys; at least one.
    Keys(Arc<KeySet>),
    /// Revoked tokens.
    Revocations(Arc<RevocationList>),
}

/// Why a body is no document of the expected kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// It does not say where the issuer's keys are, or nothing that would be believed.
    #[error("no discovery document: {0}")]
    Discovery(#[from] DiscoveryError),
    /// It is no set with a usable key.
    #[error("no key set: {0}")]
    Keys(#[from] KeySetError),
    /// It is no list of revoked tokens, or an entry of it cannot be understood.
    #[error("no revocation list: {0}")]
    Revocations(#[from] ListError),
}

impl Kind {
    /// One word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Discovery(_) => "discovery",
            Self::Keys => "keys",
            Self::Revocations(_) => "revocations",
        }
    }

    /// The media types that are asked for.
    pub const fn media_types(&self) -> &'static str {
        match self {
            Self::Keys => "application/jwk-set+json, application/json",
            Self::Discovery(_) | Self::Revocations(_) => "application/json",
        }
    }

    /// What a failed fetch means to users, while an older document is served or without one.
    pub const fn consequence(&self, served: bool) -> &'static str {
        match (self, served) {
            (Self::Discovery(_), true) => "keys are fetched from where they were",
            (Self::Discovery(_), false) => {
                "nobody knows where its keys are, its tokens are answered with 503"
            }
            (Self::Keys, true) => "the keys at hand are served on",
            (Self::Keys, false) => "there are no keys, its tokens are answered with 503",
            (Self::Revocations(_), true) => "the list at hand is served on",
            (Self::Revocations(RevocationTerms { open: true, .. }), false) => {
                "there is no list, its tokens pass without"
            }
            (Self::Revocations(_), false) => "there is no list, its tokens are answered with 503",
        }
    }

    /// How many octets a body may have.
    pub const fn max_bytes(&self, limits: &KeyLimits) -> usize {
        match self {
            Self::Discovery(_) | Self::Keys => limits.max_bytes,
            Self::Revocations(terms) => terms.max_bytes,
        }
    }

    /// Takes a body for a document; parts of it that are not used are reported.
    pub fn read(
        &self,
        body: &[u8],
        limits: &KeyLimits,
    ) -> Result<(Document, Vec<Skipped>), DocumentError> {
        match self {
            Self::Discovery(discovery) => {
                let keys = discovery.read(body, limits.max_depth)?;
                Ok((Document::Discovery(keys), Vec::new()))
            }
            Self::Keys => {
                // A secret that anyone can fetch is none.
                let limits = KeyLimits { allow_symmetric: false, ..*limits };
                let (keys, skipped) = KeySet::published(body, &limits)?;
                Ok((Document::Keys(Arc::new(keys)), skipped))
            }
            Self::Revocations(RevocationTerms { max_bytes, .. }) => {
                let list = RevocationList::from_json(body, *max_bytes, limits.max_depth)?;
                Ok((Document::Revocations(Arc::new(list)), Vec::new()))
            }
        }
    }
}

impl Document {
    /// How many entries of it are used.
    pub fn entries(&self) -> u64 {
        let count = match self {
            Self::Discovery(_) => 1,
            Self::Keys(keys) => keys.len(),
            Self::Revocations(list) => list.len(),
        };
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// This one; or the one before, where the endpoint published the same octets again: what was
    /// verified by those keys needs no second look.
    #[must_use]
    pub fn or_same(self, before: Option<&Self>) -> Self {
        match (&self, before) {
            (Self::Keys(keys), Some(Self::Keys(before))) if keys.has_text_of(before) => {
                Self::Keys(before.clone())
            }
            (Self::Discovery(_) | Self::Keys(_) | Self::Revocations(_), _) => self,
        }
    }

    /// Whether something can be found in it that was not in the one before: a key under another
    /// name, or keys at another address.
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        match (self, before) {
            (_, None) => true,
            (Self::Keys(keys), Some(Self::Keys(before))) => {
                keys.keys().iter().filter_map(Key::kid).any(|kid| !before.has_kid(kid))
            }
            (Self::Discovery(keys), Some(Self::Discovery(before))) => keys != before,
            // Nobody asks a list for what is not in it.
            (Self::Discovery(_) | Self::Keys(_) | Self::Revocations(_), Some(_)) => false,
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovery(keys) => write!(f, "keys are at {keys}"),
            Self::Keys(keys) => write!(f, "{} usable", keys.len()),
            Self::Revocations(list) => write!(f, "{} entries", list.len()),
        }
    }
}
