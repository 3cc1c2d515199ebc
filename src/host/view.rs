//! The request as the host shows it, read on demand and as bytes.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::abi::{self, Map, Status};
use crate::policy::HostKind;
use crate::request::{HeaderName, Lines, Pseudo, RequestView};

/// A view of the effective context's request. Headers must not change while it is in use.
#[derive(Clone)]
pub(super) struct HostView {
    kind: HostKind,
    /// Whether all headers are read at once, which costs what four single ones do, and nothing else
    /// is read then.
    whole: bool,
    /// Pseudo-headers, once somebody asked: each rule that is looked at does.
    pseudo: [OnceCell<Option<Vec<u8>>>; 4],
    /// `authorization`, once somebody asked.
    authorization: OnceCell<Option<Vec<u8>>>,
    /// All headers, once somebody had to know whether one comes twice.
    pairs: OnceCell<Pairs>,
    /// Whether something could not be read. What was decided then was decided on half a request.
    broken: Cell<bool>,
}

impl HostView {
    /// A view that has read nothing yet. `whole`: the names of all headers will be asked for.
    pub(super) const fn new(kind: HostKind, whole: bool) -> Self {
        Self {
            kind,
            // Envoy shows pseudo-headers among the others; of the rest that is not known.
            whole: whole && matches!(kind, HostKind::Envoy),
            pseudo: [const { OnceCell::new() }; 4],
            authorization: OnceCell::new(),
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
            abi::headers(Map::Request).ok().and_then(Pairs::parse).unwrap_or_else(|| {
                self.broken.set(true);
                Pairs::default()
            })
        })
    }

    fn property(&self, path: &str) -> Option<Vec<u8>> {
        abi::property(path).unwrap_or_else(|_| {
            self.broken.set(true);
            None
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
        if self.whole {
            return self.pairs().named(name.as_str()).next().map(Cow::Borrowed);
        }
        let [method, scheme, authority, path] = &self.pseudo;
        let cell = match name {
            Pseudo::Method => method,
            Pseudo::Scheme => scheme,
            Pseudo::Authority => authority,
            Pseudo::Path => path,
        };
        let read = || match (name, self.kind) {
            // There `:authority` is the machine's own name.
            (Pseudo::Authority, HostKind::Nginx) => self.value("host"),
            // There `:path` is NGINX's reading, with escapes decoded: a `?` in it may have been `%3F`.
            // The upstream gets what the client sent.
            (Pseudo::Path, HostKind::Nginx) => self.property("ngx\0request_uri"),
            (Pseudo::Method | Pseudo::Scheme | Pseudo::Authority | Pseudo::Path, _) => {
                self.value(name.as_str())
            }
        };
        cell.get_or_init(read).as_deref().map(Cow::Borrowed)
    }

    fn lines(&self, name: &HeaderName) -> Lines<'_> {
        // Envoy joins the lines of this one, and NGINX answers 400 to a second one, so that the
        // single value is all there is, and cheaper than a look at all headers.
        let single = match self.kind {
            HostKind::Envoy | HostKind::Nginx => *name == HeaderName::AUTHORIZATION,
            HostKind::Bare => false,
        };
        if single && !self.whole {
            let value = self.authorization.get_or_init(|| self.value(name.as_str())).as_deref();
            return value.map_or(Lines::None, |value| Lines::One(Cow::Borrowed(value)));
        }
        self.pairs().named(name.as_str()).map(Cow::Borrowed).collect()
    }

    fn each_name(&self, see: &mut dyn FnMut(&[u8])) {
        let fields = self.pairs().iter().filter(|(name, _)| name.first() != Some(&b':'));
        fields.for_each(|(name, _)| see(name));
    }
}

/// Serialised pairs, in the one piece in which they came: their number, then the sizes of name and
/// value of each, then names and values, each with a NUL behind it. Sizes are 32 bits, little
/// endian.
#[derive(Clone, Default)]
pub(super) struct Pairs {
    bytes: Vec<u8>,
    count: usize,
}

impl Pairs {
    /// Takes the bytes, if they are pairs.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let count = size(bytes.first_chunk()?)?;
        let pairs = Self { bytes, count };
        (pairs.iter().count() == count).then_some(pairs)
    }

    /// The pairs, up to one that is not there as a whole.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (sizes, _) = self.bytes.get(4..).unwrap_or_default().as_chunks::<4>();
        let (sizes, _) = sizes.as_chunks::<2>();
        let texts = self.count.checked_mul(8).and_then(|sizes| sizes.checked_add(4));
        let mut texts = texts.and_then(|at| self.bytes.get(at..)).unwrap_or_default();
        let mut take = move |size: usize| {
            let (text, rest) = texts.split_at_checked(size)?;
            texts = rest.split_first()?.1;
            Some(text)
        };
        let sizes = sizes.iter().take(self.count);
        sizes.map_while(move |[name, value]| Some((take(size(name)?)?, take(size(value)?)?)))
    }

    /// The values of this name, in any case.
    fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let is_it = move |found: &[u8]| found.eq_ignore_ascii_case(name.as_bytes());
        self.iter().filter(move |(name, _)| is_it(name)).map(|(_, value)| value)
    }
}

fn size(bytes: &[u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

/// Writes pairs in the form that [`Pairs`] reads.
pub(super) fn serialise_pairs(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let write = |length: usize, bytes: &mut Vec<u8>| {
        bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    };
    write(pairs.len(), &mut bytes);
    for (name, value) in pairs {
        write(name.len(), &mut bytes);
        write(value.len(), &mut bytes);
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}
