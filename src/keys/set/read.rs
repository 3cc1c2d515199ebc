//! From a document to its keys: a JWK set, a map from names to PEM, or PEM.

use sha2::{Digest as _, Sha256};

use super::{KeyLimits, KeySet, KeySetError, Place, SkipReason, Skipped, TABLES};
use crate::json::{self, Object, Value};
use crate::keys::jwk::{JwkError, Key, Label};
use crate::keys::pem::{self, PemError};

/// The usable keys of a document, and why others are not used.
type Read = Result<(KeySet, Vec<Skipped>), KeySetError>;

impl KeySet {
    /// Reads what an endpoint publishes: a JWK set (RFC 7517, section 5), or an object of PEM texts
    /// whose names are the `kid`s.
    ///
    /// Entries that are no usable key are skipped and reported; the document is refused when it
    /// has none.
    pub fn from_json(text: &[u8], limits: &KeyLimits) -> Read {
        check_size(text, limits)?;
        let document = json::parse(text, limits.max_depth)?;
        let members = document
            .as_object()
            .ok_or_else(|| KeySetError::NotAnObject { found: document.kind() })?;
        Self::from_object(members, limits)
    }

    /// The same, to be known again by [`KeySet::has_text_of`].
    pub fn published(text: &[u8], limits: &KeyLimits) -> Read {
        let (keys, skipped) = Self::from_json(text, limits)?;
        Ok((Self { text: Some(Sha256::digest(text).into()), ..keys }, skipped))
    }

    fn from_object(members: &Object, limits: &KeyLimits) -> Read {
        match members.get("keys") {
            Some(Value::Array(entries)) => Self::from_jwks(entries, limits),
            Some(other) => Err(KeySetError::KeysNotAList { found: other.kind() }),
            None if members.values().any(|v| v.as_str().is_some_and(pem::is_in)) => {
                Self::from_members(members, limits)
            }
            None => Err(KeySetError::NoKeys),
        }
    }

    /// Reads what a configuration holds: the same, or PEM, whose keys have no names.
    ///
    /// Who can read a configuration is trusted: only here a shared secret can be a key. Who writes
    /// one can mend it: a private key is refused, not skipped.
    pub fn from_configuration(text: &[u8], limits: &KeyLimits) -> Read {
        let limits = KeyLimits { allow_symmetric: true, ..*limits };
        let read = match str::from_utf8(text) {
            Ok(text) if pem::is_in(text) && !text.trim_start().starts_with('{') => {
                Self::from_pem(text, &limits)
            }
            Ok(_) | Err(_) => Self::from_json(text, &limits),
        };
        let skipped = match &read {
            Ok((_, skipped)) | Err(KeySetError::NoUsableKey { skipped }) => skipped.as_slice(),
            Err(_) => &[],
        };
        match skipped.iter().find(|skipped| skipped.reason.is_private()) {
            Some(private) => Err(KeySetError::PrivateKey { place: private.place.clone() }),
            None => read,
        }
    }

    fn from_jwks(entries: &[Value], limits: &KeyLimits) -> Read {
        let place = |index, entry: &&Value| Place::Jwk(index, kid_of(entry).map(Label::new));
        let read = |entry: &Value| Ok(Key::from_jwk(entry, limits.allow_symmetric)?);
        Self::collect(entries.iter(), limits, place, read)
    }

    fn from_members(members: &Object, limits: &KeyLimits) -> Read {
        let members = members.iter().map(|(kid, value)| (&**kid, value));
        let place = |_, (kid, _): &(&str, _)| Place::Member(Label::new(kid));
        let read = |(kid, value): (&str, &Value)| {
            let text = value.as_str().ok_or(PemError::NotText { found: value.kind() })?;
            Ok(Key::named(kid, pem::only_key(text)?))
        };
        Self::collect(members, limits, place, read)
    }

    fn from_pem(text: &str, limits: &KeyLimits) -> Read {
        check_size(text.as_bytes(), limits)?;
        let place = |index, _: &&str| Place::Block(index);
        let read = |block: &str| Ok(Key::named("", pem::key(block)?));
        Self::collect(pem::blocks(text), limits, place, read)
    }

    fn collect<E>(
        mut entries: impl Iterator<Item = E>,
        limits: &KeyLimits,
        place: impl Fn(usize, &E) -> Place,
        read: impl Fn(E) -> Result<Key, SkipReason>,
    ) -> Read {
        let mut keys = Vec::new();
        let mut skipped = Vec::new();
        for (index, entry) in entries.by_ref().take(limits.max_keys).enumerate() {
            let place = place(index, &entry);
            match read(entry) {
                Ok(mut key) => {
                    if keys.len() >= TABLES {
                        key.forgo_table();
                    }
                    keys.push(key);
                }
                Err(reason) => skipped.push(Skipped { place, reason }),
            }
        }
        if keys.is_empty() && skipped.is_empty() {
            return Err(KeySetError::Empty);
        }
        // One line for all of them: their number is for the sender of the document to choose.
        if let Some(entry) = entries.next() {
            let count = entries.count().saturating_add(1);
            let reason = SkipReason::Beyond { count, max: limits.max_keys };
            skipped.push(Skipped { place: place(limits.max_keys, &entry), reason });
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey { skipped });
        }
        let (keys, max_tried) = (keys.into(), limits.max_tried);
        Ok((Self { keys, max_tried, text: None }, skipped))
    }
}

impl SkipReason {
    const fn is_private(&self) -> bool {
        matches!(self, Self::Jwk(JwkError::Private { .. }) | Self::Pem(PemError::Private))
    }
}

const fn check_size(text: &[u8], limits: &KeyLimits) -> Result<(), KeySetError> {
    if text.len() > limits.max_bytes {
        return Err(KeySetError::TooLarge { bytes: text.len(), max: limits.max_bytes });
    }
    Ok(())
}

fn kid_of(entry: &Value) -> Option<&str> {
    entry.as_object()?.get("kid")?.as_str()
}
