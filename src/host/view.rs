//! The request as the host shows it, read on demand and as bytes.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::abi::{self, Map, Status};
use crate::policy::HostKind;
use crate::request::{HeaderName, Lines, Pseudo, RequestView};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A view of the effective context's request. Headers must not change while it is in use.
pub(super) struct HostView {
    kind: HostKind,
    /// Pseudo-headers, once somebody asked: each rule that is looked at does.
    pseudo: [OnceCell<Option<Vec<u8>>>; 4],
    /// All headers, once somebody had to know whether one comes twice.
    pairs: OnceCell<Pairs>,
    /// Whether something could not be read. What was decided then was decided on half a request.
    broken: Cell<bool>,
}

impl HostView {
    /// A view that has read nothing yet.
    pub(super) const fn new(kind: HostKind) -> Self {
        Self {
            kind,
            pseudo: [const { OnceCell::new() }; 4],
            pairs: OnceCell::new(),
            broken: Cell::new(false),
        }
    }

    /// Whether the host failed to show something that was asked for.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken.get()
    }

    fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| {
            let pairs = abi::headers(Map::Request).ok().and_then(|bytes| parse_pairs(&bytes));
            pairs.unwrap_or_else(|| {
                self.broken.set(true);
                Pairs::new()
            })
        })
    }

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        match abi::header(Map::Request, name) {
            Ok(value) => value,
            Err(Status::NOT_FOUND) => None,
            Err(_) => {
                self.broken.set(true);
                None
            }
        }
    }
}

impl RequestView for HostView {
    fn pseudo(&self, name: Pseudo) -> Option<Cow<'_, [u8]>> {
        let [method, scheme, authority, path] = &self.pseudo;
        let (cell, key) = match (name, self.kind) {
            (Pseudo::Method, _) => (method, name.as_str()),
            (Pseudo::Scheme, _) => (scheme, name.as_str()),
            // There `:authority` is the machine's own name.
            (Pseudo::Authority, HostKind::Nginx) => (authority, "host"),
            (Pseudo::Authority, HostKind::Envoy | HostKind::Bare) => (authority, name.as_str()),
            (Pseudo::Path, _) => (path, name.as_str()),
        };
        cell.get_or_init(|| self.value(key)).as_deref().map(Cow::Borrowed)
    }

    fn lines(&self, name: &HeaderName) -> Lines<'_> {
        // Envoy joins the lines of this one, and NGINX answers 400 to a second one, so that the
        // single value is all there is, and cheaper than a look at all headers.
        let single = match self.kind {
            HostKind::Envoy | HostKind::Nginx => *name == HeaderName::AUTHORIZATION,
            HostKind::Bare => false,
        };
        if single {
            return self
                .value(name.as_str())
                .map_or(Lines::None, |value| Lines::One(Cow::Owned(value)));
        }
        let name = name.as_str().as_bytes();
        self.pairs()
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| Cow::Borrowed(value.as_slice()))
            .collect()
    }

    fn each_name(&self, see: &mut dyn FnMut(&[u8])) {
        let fields = self.pairs().iter().filter(|(name, _)| name.first() != Some(&b':'));
        fields.for_each(|(name, _)| see(name));
    }
}

/// Reads serialised pairs: their number, then the sizes of name and value of each, then names and
/// values, each with a NUL behind it. Sizes are 32 bits, little endian.
fn parse_pairs(bytes: &[u8]) -> Option<Pairs> {
    let size = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
    };
    if bytes.is_empty() {
        return Some(Pairs::new());
    }
    let count = size(0)?;
    let mut text = count.checked_mul(8)?.checked_add(4)?;
    let mut take = |length: usize| {
        let end = text.checked_add(length)?;
        let taken = bytes.get(text..end)?.to_vec();
        text = end.checked_add(1)?;
        Some(taken)
    };
    let mut pairs = Pairs::new();
    for i in 0..count {
        let at = i.checked_mul(8)?.checked_add(4)?;
        pairs.push((take(size(at)?)?, take(size(at.checked_add(4)?)?)?));
    }
    Some(pairs)
}

/// Writes pairs in the form that [`parse_pairs`] reads.
pub(super) fn serialise_pairs(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = |length: usize, bytes: &mut Vec<u8>| {
        bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    };
    size(pairs.len(), &mut bytes);
    for (name, value) in pairs {
        size(name.len(), &mut bytes);
        size(value.len(), &mut bytes);
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}
