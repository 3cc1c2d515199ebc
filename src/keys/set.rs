//! The keys of a provider: which of them may verify a token.

mod read;

use std::fmt;

use crate::crypto::Algorithm;
use crate::json::JsonError;
use crate::keys::jwk::{JwkError, Key, Label};
use crate::keys::pem::PemError;

/// The usable keys of a set; at least one.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Box<[Key]>,
    max_tried: usize,
    /// SHA-256 of the JSON that an endpoint published, if one did.
    text: Option<[u8; 32]>,
}

/// What a set may ask of us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyLimits {
    /// Octets of the document.
    pub max_bytes: usize,
    /// Entries of `keys` that are looked at.
    pub max_keys: usize,
    /// Nesting of the document.
    pub max_depth: usize,
    /// Keys of one name that are tried, and so many without a `kid` that chooses them.
    pub max_tried: usize,
    /// Whether `oct` keys are used: only where nobody else can read the set.
    pub allow_symmetric: bool,
}

/// So many keys of a set may have tables, of 80 to 370 KiB each, once signatures by them come.
const TABLES: usize = 8;

/// An entry of a document that is not used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Which one.
    pub place: Place,
    /// Why it is not used.
    pub reason: SkipReason,
}

/// An entry of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// An element of `keys` of a JWK set, counted from 0, and its `kid`, where it has one.
    Jwk(usize, Option<Label>),
    /// The member of this name of a map from names to keys.
    Member(Label),
    /// A block of PEM, counted from 0.
    Block(usize),
}

/// Why an entry of a document is not used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SkipReason {
    /// It is a JWK that is no usable key.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// It is PEM that holds no usable key.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// It comes after as many entries as are looked at, and so do those behind it.
    #[error("{count} entries beyond the first {max} are not looked at")]
    Beyond {
        /// How many they are, this one included.
        count: usize,
        /// How many are looked at.
        max: usize,
    },
}

/// Why a document gives no key at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeySetError {
    /// The document is too long.
    #[error("{bytes} bytes (at most {max} are accepted)")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The document is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The document is JSON, but no object.
    #[error("a JWK set is expected, an object with the list `keys`, not {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// The document is an object of another kind.
    #[error(
        "a JWK set is expected, an object with the list `keys`, or an object of PEM texts; there is no `keys`"
    )]
    NoKeys,
    /// `keys` is no list.
    #[error("`keys` must be a list, not {found}")]
    KeysNotAList {
        /// What it is.
        found: &'static str,
    },
    /// The list is empty.
    #[error("`keys` is empty")]
    Empty,
    /// A private key, where who writes the document can give the public one.
    #[error(
        "{place} is a private key, which must not leave its owner; give the public one: `openssl pkey -in key.pem -pubout`, or the JWK without `d`, `p`, `q`, `dp`, `dq` and `qi`"
    )]
    PrivateKey {
        /// Where it is.
        place: Place,
    },
    /// None of the entries is usable.
    #[error("no usable key{}", first(.skipped))]
    NoUsableKey {
        /// The entries, with their reasons.
        skipped: Vec<Skipped>,
    },
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            max_keys: 100,
            max_depth: 64,
            max_tried: 4,
            allow_symmetric: false,
        }
    }
}

impl KeySet {
    /// Keys that may verify a token with this `kid` and algorithm, in the order to try them.
    ///
    /// First all keys of that name, then those without a name, which serve any. A token without
    /// a `kid` (or with an empty one) may be anybody's. Of the keys that the `kid` chose, and of the
    /// others, at most [`KeyLimits::max_tried`] each are given.
    pub fn candidates<'s>(
        &'s self,
        kid: Option<&'s str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'s Key> {
        let kid = kid.filter(|kid| !kid.is_empty());
        let serving = move |key: &&Key| key.serves(algorithm);
        let named = self.keys.iter().filter(move |key| kid.is_some() && key.kid() == kid);
        let others = self.keys.iter().filter(move |key| kid.is_none() || key.kid().is_none());
        let tried = self.max_tried;
        named.filter(serving).take(tried).chain(others.filter(serving).take(tried))
    }

    /// Whether a key has exactly this name.
    pub fn has_kid(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == Some(kid))
    }

    /// Whether both were published, as the same octets.
    pub fn has_text_of(&self, other: &Self) -> bool {
        self.text.is_some() && self.text == other.text
    }

    /// The keys, in the order of the document.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// How many keys are usable.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwk(index, Some(kid)) => write!(f, "keys[{index}] (kid `{kid}`)"),
            Self::Jwk(index, None) => write!(f, "keys[{index}]"),
            Self::Member(name) => write!(f, "key `{name}`"),
            Self::Block(index) => write!(f, "PEM block {}", index.saturating_add(1)),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// The first reason, as the rest of a message.
fn first(skipped: &[Skipped]) -> String {
    skipped.first().map_or_else(String::new, |skipped| format!("; {skipped}"))
}

#[cfg(test)]
mod tests;
