//! A JSON Web Key set (RFC 7517, section 5): which of its keys may verify a token.

use std::fmt;

use crate::crypto::Algorithm;
use crate::json::{self, JsonError};
use crate::keys::jwk::{JwkError, Key, Label};

/// The usable keys of a set; at least one.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Box<[Key]>,
    max_tried: usize,
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
    /// Keys that are tried without a `kid` that chooses them.
    pub max_tried: usize,
    /// Whether `oct` keys are used: only where nobody else can read the set.
    pub allow_symmetric: bool,
}

/// So many keys of a set may have tables, of 30 KiB each.
const TABLES: usize = 16;

/// An entry of a set that is not used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Its place in `keys`.
    pub index: usize,
    /// Its `kid`, where it has one.
    pub kid: Option<Label>,
    /// Why it is not used.
    pub reason: SkipReason,
}

/// Why an entry of a set is not used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SkipReason {
    /// There is no usable key in it.
    #[error(transparent)]
    Jwk(#[from] JwkError),
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
    /// The document is an object of another kind, such as a map from names to certificates.
    #[error("a JWK set is expected, an object with the list `keys`; there is no `keys`")]
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
    /// Reads a set. Entries that are no usable key are skipped and reported; the document is
    /// refused when it is no set or has no usable key.
    pub fn from_json(text: &[u8], limits: &KeyLimits) -> Result<(Self, Vec<Skipped>), KeySetError> {
        if text.len() > limits.max_bytes {
            return Err(KeySetError::TooLarge { bytes: text.len(), max: limits.max_bytes });
        }
        let document = json::parse(text, limits.max_depth)?;
        let members = document
            .as_object()
            .ok_or_else(|| KeySetError::NotAnObject { found: document.kind() })?;
        let keys = members.get("keys").ok_or(KeySetError::NoKeys)?;
        let entries =
            keys.as_array().ok_or_else(|| KeySetError::KeysNotAList { found: keys.kind() })?;
        Self::from_entries(entries, limits)
    }

    fn from_entries(
        entries: &[json::Value],
        limits: &KeyLimits,
    ) -> Result<(Self, Vec<Skipped>), KeySetError> {
        if entries.is_empty() {
            return Err(KeySetError::Empty);
        }
        let mut keys = Vec::new();
        let mut skipped = Vec::new();
        for (index, entry) in entries.iter().enumerate().take(limits.max_keys) {
            match Key::from_jwk(entry, limits.allow_symmetric) {
                Ok(mut key) => {
                    if keys.len() >= TABLES {
                        key.forgo_table();
                    }
                    keys.push(key);
                }
                Err(reason) => {
                    let kid = kid_of(entry).map(Label::new);
                    skipped.push(Skipped { index, kid, reason: reason.into() });
                }
            }
        }
        // One line for all of them: their number is for the sender of the document to choose.
        if let Some(count @ 1..) = entries.len().checked_sub(limits.max_keys) {
            let reason = SkipReason::Beyond { count, max: limits.max_keys };
            skipped.push(Skipped { index: limits.max_keys, kid: None, reason });
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey { skipped });
        }
        Ok((Self { keys: keys.into(), max_tried: limits.max_tried }, skipped))
    }

    /// Keys that may verify a token with this `kid` and algorithm, in the order to try them.
    ///
    /// First all keys of that name, then those without a name, which serve any. A token without
    /// a `kid` (or with an empty one) may be anybody's. Of the keys that the `kid` did not choose,
    /// at most [`KeyLimits::max_tried`] are given.
    pub fn candidates<'s>(
        &'s self,
        kid: Option<&'s str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'s Key> {
        let kid = kid.filter(|kid| !kid.is_empty());
        let serving = move |key: &&Key| key.serves(algorithm);
        let named = self.keys.iter().filter(move |key| kid.is_some() && key.kid() == kid);
        let others = self.keys.iter().filter(move |key| kid.is_none() || key.kid().is_none());
        named.filter(serving).chain(others.filter(serving).take(self.max_tried))
    }

    /// Whether a key has exactly this name.
    pub fn has_kid(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == Some(kid))
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

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]", self.index)?;
        if let Some(kid) = &self.kid {
            write!(f, " (kid `{kid}`)")?;
        }
        write!(f, ": {}", self.reason)
    }
}

fn kid_of(entry: &json::Value) -> Option<&str> {
    entry.as_object()?.get("kid")?.as_str()
}

/// The first reason, as the rest of a message.
fn first(skipped: &[Skipped]) -> String {
    skipped.first().map_or_else(String::new, |skipped| format!("; {skipped}"))
}

#[cfg(test)]
mod tests;
