//! Tokens that were taken back before they expire.

use std::collections::BTreeMap;

use crate::json::{self, JsonError, Number, Value};
use crate::jws::VerifiedToken;
use crate::keys::jwk::Label;
use crate::time::rfc3339;

/// What an entry may name of a token: claims, and the key that signed it.
pub const NAMES: [&str; 5] = ["jti", "sub", "sid", "kid", "iss"];

/// The member that bounds the time of issue.
const ISSUED_BEFORE: &str = "issued_before";

/// An entry of a list. It revokes the tokens for which all of it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    names: Names<Box<str>>,
    issued: Issued,
}

/// Values of [`NAMES`], each where it is there.
type Names<T> = [Option<T>; NAMES.len()];

/// Which tokens an entry means, by the time when they were issued.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Issued {
    /// Before this time in Unix seconds.
    Before(u64),
    /// At any time.
    Ever,
}

/// Why an entry says nothing that could be acted on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryError {
    /// It is no object.
    #[error("an object is expected, not {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// It asks for something that is not understood.
    #[error("`{name}` is unknown; jti, sub, sid, kid, iss and issued_before are known")]
    Unknown {
        /// What it asks for.
        name: Label,
    },
    /// A member is no text of at least one character.
    #[error("`{name}` must be a string that is not empty")]
    NotText {
        /// Its name.
        name: &'static str,
    },
    /// The time is none.
    #[error("`issued_before` must be Unix seconds or a time such as \"2026-01-31T12:00:00Z\"")]
    NotATime,
    /// It would revoke every token of the provider, or every one of an issuer, for ever.
    #[error("one of jti, sub, sid, kid and issued_before is required")]
    Everything,
}

/// Why a document is no list. None of its entries counts then: whichever was not understood might
/// be the one that matters.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ListError {
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
    /// The document is something else.
    #[error("an object with the list `revoked` is expected")]
    NotAList,
    /// An entry says nothing that could be acted on.
    #[error("revoked[{index}]: {why}")]
    Entry {
        /// Its place in the list.
        index: usize,
        /// Why not.
        why: EntryError,
    },
}

/// A list of entries, looked up by what they name.
///
/// Entries that name the same members are one ordered map, and there are at most 32 of those: a
/// token costs a few look-ups, however long the list is.
#[derive(Clone, Debug, Default)]
pub struct RevocationList {
    /// By which of [`NAMES`] are there, then by their values.
    kinds: BTreeMap<[bool; NAMES.len()], BTreeMap<Box<[u8]>, Issued>>,
}

impl Entry {
    /// An entry of these parts; refused when it would revoke all tokens for ever.
    pub fn new(
        names: [Option<Box<str>>; NAMES.len()],
        issued_before: Option<u64>,
    ) -> Result<Self, EntryError> {
        let [own @ .., _iss] = &names;
        if issued_before.is_none() && own.iter().all(Option::is_none) {
            return Err(EntryError::Everything);
        }
        Ok(Self { names, issued: issued_before.map_or(Issued::Ever, Issued::Before) })
    }

    fn from_json(value: &Value) -> Result<Self, EntryError> {
        let members =
            value.as_object().ok_or_else(|| EntryError::NotAnObject { found: value.kind() })?;
        let known = |name: &str| NAMES.contains(&name) || name == ISSUED_BEFORE;
        if let Some(name) = members.keys().find(|name| !known(name)) {
            return Err(EntryError::Unknown { name: Label::new(name) });
        }
        let mut names = Names::default();
        for (name, slot) in NAMES.into_iter().zip(&mut names) {
            let Some(value) = members.get(name) else { continue };
            let text = value.as_str().filter(|text| !text.is_empty());
            *slot = Some(text.ok_or(EntryError::NotText { name })?.into());
        }
        let issued_before = members.get(ISSUED_BEFORE).map(seconds).transpose()?;
        Self::new(names, issued_before)
    }
}

impl RevocationList {
    /// Reads `{"revoked": [entry, …]}`; further members beside the list are ignored.
    pub fn from_json(text: &[u8], max_bytes: usize, max_depth: usize) -> Result<Self, ListError> {
        if text.len() > max_bytes {
            return Err(ListError::TooLarge { bytes: text.len(), max: max_bytes });
        }
        let document = json::parse(text, max_depth)?;
        let list = document.as_object().and_then(|members| members.get("revoked"));
        let entries = list.and_then(Value::as_array).ok_or(ListError::NotAList)?.iter();
        let read =
            |(index, value)| Entry::from_json(value).map_err(|why| ListError::Entry { index, why });
        entries.enumerate().map(read).collect()
    }

    /// Whether some entry revokes the token.
    pub fn revokes(&self, token: &VerifiedToken) -> bool {
        if self.kinds.is_empty() {
            return false;
        }
        let claims = token.claims();
        let claim = |name| claims.get(name).and_then(Value::as_str);
        let names = NAMES.map(|name| if name == "kid" { token.kid() } else { claim(name) });
        self.kinds.iter().any(|(kind, entries)| {
            let key = key(kind, &names);
            match key.and_then(|key| entries.get(&*key)) {
                // A token that does not say when it was issued may be as old as any.
                Some(Issued::Before(time)) => claims.iat.is_none_or(|iat| iat < *time),
                Some(Issued::Ever) => true,
                None => false,
            }
        })
    }

    /// How many entries there are; those that differ in their time alone are one.
    pub fn len(&self) -> usize {
        self.kinds.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

impl FromIterator<Entry> for RevocationList {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut list = Self::default();
        for Entry { names, issued } in entries {
            let kind = names.each_ref().map(Option::is_some);
            let names = names.each_ref().map(Option::as_deref);
            let Some(key) = key(&kind, &names) else { continue };
            let known = list.kinds.entry(kind).or_default().entry(key.into()).or_insert(issued);
            *known = issued.max(*known);
        }
        list
    }
}

/// The values of these names, one after the other, so that no two lists of values look alike;
/// `None` when one of them is lacking.
fn key(kind: &[bool], names: &[Option<&str>]) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    for (_, name) in kind.iter().zip(names).filter(|(wanted, _)| **wanted) {
        let name = (*name)?;
        key.extend(name.len().to_le_bytes());
        key.extend(name.as_bytes());
    }
    Some(key)
}

fn seconds(value: &Value) -> Result<u64, EntryError> {
    let time = match value {
        Value::Number(Number::Unsigned(seconds)) => Some(*seconds),
        Value::String(text) => rfc3339(text),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    time.ok_or(EntryError::NotATime)
}

#[cfg(test)]
mod tests;
