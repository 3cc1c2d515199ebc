//! Verified tokens, so that one that comes again costs neither parsing nor its signature.
//!
//! A hit replaces these two and nothing else: time, issuer, audience and the whole policy are
//! looked at again. What is remembered is bound to the provider and to the very key set that
//! verified it; another set, be it newer or another configuration's, has to verify the token anew.
//! Only good tokens are remembered, the oldest gives way first.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use crate::jws::VerifiedToken;
use crate::keys::set::KeySet;
use crate::policy::Policy;
use crate::requirement::ProviderId;
use crate::time::Timestamp;

/// How much a cache may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    /// Tokens; 0: the cache is off.
    pub entries: usize,
    /// Bytes that they take, all together.
    pub bytes: usize,
    /// Size of the largest token that is remembered, in bytes.
    pub largest: usize,
}

/// The verified tokens of one policy. It belongs to whoever runs the gate, and is lent to each check.
pub struct TokenCache {
    seed: u64,
    shelves: Box<[RefCell<Shelf>]>,
    /// The shelf of each provider.
    places: Box<[usize]>,
    tally: Cell<Tally>,
}

/// What the cache has saved.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Tokens whose signature had been checked before.
    pub hits: u32,
    /// Tokens whose signature had to be checked.
    pub misses: u32,
}

/// A token that was verified before.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    /// The token.
    pub(crate) token: VerifiedToken,
    /// What verified it. A weak reference does not keep the keys, but no other set can come to lie
    /// at its address.
    keys: Weak<KeySet>,
}

/// Tokens in the order in which they came.
#[derive(Debug)]
struct Shelf {
    room: Room,
    queue: VecDeque<Option<Entry>>,
    /// Number of the first one in the queue.
    first: u64,
    /// Numbers, by hash. Of two tokens with one hash the later is found.
    numbers: HashMap<u64, u64, BuildHasherDefault<Hashed>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    provider: ProviderId,
    /// The second after which no screening lets it pass.
    ends: u64,
    size: usize,
    remembered: Remembered,
}

impl Remembered {
    /// Whether it was verified by this set.
    pub(crate) fn is_by(&self, keys: &Arc<KeySet>) -> bool {
        std::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys))
    }
}

impl TokenCache {
    /// An empty cache for a policy. `seed` should be hard to guess.
    pub fn new(policy: &Policy, seed: u64) -> Self {
        let mut shelves = vec![RefCell::new(Shelf::new(policy.token_cache))];
        let mut place = |own: Option<Room>| match own {
            None => 0,
            Some(room) => {
                shelves.push(RefCell::new(Shelf::new(room)));
                shelves.len().saturating_sub(1)
            }
        };
        let places = policy.providers.iter().map(|provider| place(provider.token_cache)).collect();
        Self { seed, places, shelves: shelves.into(), tally: Cell::default() }
    }

    /// What was counted since the last time.
    pub fn take_tally(&self) -> Tally {
        self.tally.take()
    }

    /// Bytes that are held, about.
    pub fn bytes(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.borrow().bytes).sum()
    }

    /// A token of that provider, if it was verified before.
    pub(crate) fn find(&self, provider: ProviderId, token: &[u8]) -> Option<Remembered> {
        let shelf = self.shelf(provider)?.borrow();
        let entry = shelf.entry(hash(self.seed, provider, token))?;
        let is_it = entry.provider == provider && same(entry.remembered.token.compact(), token);
        is_it.then(|| entry.remembered.clone())
    }

    /// Counts a token whose signature need not be checked.
    pub(crate) fn hit(&self) {
        let tally = self.tally.get();
        self.tally.set(Tally { hits: tally.hits.saturating_add(1), ..tally });
    }

    /// Counts a token whose signature has to be checked, if tokens of that provider are remembered.
    pub(crate) fn missed(&self, provider: ProviderId) {
        if self.shelf(provider).is_some_and(|shelf| shelf.borrow().room.entries > 0) {
            let tally = self.tally.get();
            self.tally.set(Tally { misses: tally.misses.saturating_add(1), ..tally });
        }
    }

    /// Remembers a token of that provider which these keys have verified, at most until second
    /// `ends`.
    pub(crate) fn keep(
        &self,
        now: Timestamp,
        provider: ProviderId,
        token: &VerifiedToken,
        keys: &Arc<KeySet>,
        ends: u64,
    ) {
        let Some(shelf) = self.shelf(provider) else { return };
        let remembered = Remembered { token: token.clone(), keys: Arc::downgrade(keys) };
        let hash = hash(self.seed, provider, token.compact());
        let size = token.size().saturating_add(OVERHEAD);
        shelf.borrow_mut().push(now, Entry { hash, provider, ends, size, remembered });
    }

    /// Forgets a token that has ended.
    pub(crate) fn forget(&self, provider: ProviderId, token: &VerifiedToken) {
        if let Some(shelf) = self.shelf(provider) {
            shelf.borrow_mut().forget(hash(self.seed, provider, token.compact()));
        }
    }

    fn shelf(&self, provider: ProviderId) -> Option<&RefCell<Shelf>> {
        self.shelves.get(*self.places.get(provider.0)?)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.shelves.iter().map(|shelf| shelf.borrow().numbers.len());
        write!(f, "TokenCache({} tokens, {} bytes)", held.sum::<usize>(), self.bytes())
    }
}

/// Bytes that an entry takes beside its token: its place in the queue and in the index.
const OVERHEAD: usize = 96;

/// Entries at the front that are looked at when one is added: more than come, so that those which
/// have ended do not pile up.
const SWEEP: usize = 2;

impl Shelf {
    fn new(room: Room) -> Self {
        let (queue, numbers) = (VecDeque::new(), HashMap::default());
        Self { room, queue, first: 0, numbers, bytes: 0 }
    }

    fn entry(&self, hash: u64) -> Option<&Entry> {
        let at = self.numbers.get(&hash)?.checked_sub(self.first)?;
        self.queue.get(usize::try_from(at).ok()?)?.as_ref()
    }

    fn push(&mut self, now: Timestamp, entry: Entry) {
        let Room { entries, bytes, largest } = self.room;
        let fits = entry.remembered.token.compact().len() <= largest && entry.size <= bytes;
        if entries == 0 || !fits {
            return;
        }
        self.forget(entry.hash);
        for _ in 0..SWEEP {
            let ended = |entry: &Entry| entry.ends < now.as_secs();
            if !self.queue.front().is_some_and(|front| front.as_ref().is_none_or(ended)) {
                break;
            }
            self.pop();
        }
        let most = bytes.saturating_sub(entry.size);
        while (self.queue.len() >= entries || self.bytes > most) && self.pop() {}
        let number = self.first.saturating_add(u64::try_from(self.queue.len()).unwrap_or(u64::MAX));
        self.bytes = self.bytes.saturating_add(entry.size);
        self.numbers.insert(entry.hash, number);
        self.queue.push_back(Some(entry));
    }

    /// Takes the oldest out, if there is one.
    fn pop(&mut self) -> bool {
        let Some(front) = self.queue.pop_front() else { return false };
        self.first = self.first.saturating_add(1);
        self.drop(front);
        true
    }

    /// Takes one out; its place in the queue stays until it comes to the front.
    fn forget(&mut self, hash: u64) {
        let at = self.numbers.get(&hash).and_then(|number| number.checked_sub(self.first));
        let place = at.and_then(|at| self.queue.get_mut(usize::try_from(at).ok()?));
        let entry = place.and_then(Option::take);
        self.drop(entry);
    }

    fn drop(&mut self, entry: Option<Entry>) {
        if let Some(entry) = entry {
            self.bytes = self.bytes.saturating_sub(entry.size);
            self.numbers.remove(&entry.hash);
        }
    }
}

/// A hash over the end of the token, which is the end of its signature: nobody chooses it. Equal
/// hashes cost a look at the wrong token, no more.
fn hash(seed: u64, provider: ProviderId, token: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |state: u64, word: u64| {
        let mixed = (state ^ word).wrapping_mul(ODD);
        mixed ^ mixed >> 29
    };
    let last = |bytes: &[u8]| bytes.last_chunk::<8>().map_or(0, |chunk| u64::from_le_bytes(*chunk));
    let before = token.get(..token.len().saturating_sub(8)).unwrap_or_default();
    let number = u64::try_from(provider.0).unwrap_or(u64::MAX);
    let words = [last(token), last(before), number];
    words.into_iter().fold(seed, mix)
}

/// Whether the bytes are the same. The comparison of the standard library goes byte by byte in a
/// module, which costs a microsecond for a token.
fn same(a: &[u8], b: &[u8]) -> bool {
    let (heads, tail) = a.as_chunks::<8>();
    let (others, rest) = b.as_chunks::<8>();
    a.len() == b.len()
        && tail == rest
        && heads.iter().zip(others).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
}

/// The keys of the index are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests;
