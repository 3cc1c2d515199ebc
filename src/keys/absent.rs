//! `kid`s that requests named and no key has: which were asked for, and which are known to be
//! absent.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::keys::set::KeySet;
use crate::time::Timestamp;

/// How many names are remembered of each sort.
pub const MAX_NAMES: usize = 256;

/// A `kid` by its hash: whoever makes them up chooses neither our memory nor our log.
///
/// Two names of one hash are taken for each other for a minute at most; it decides no more than
/// whether the keys are fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KidHash(u64);

impl KidHash {
    /// The hash of a `kid`.
    pub fn new(kid: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        kid.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// The hash as a number, for other workers.
    pub const fn to_number(self) -> u64 {
        self.0
    }

    /// The hash that another worker gave as a number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// The names that keys of one set are lacking for.
#[derive(Debug, Default)]
pub struct Names {
    asked: Vec<Asked>,
    absent: Vec<(KidHash, Timestamp)>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    kid: KidHash,
    since: Timestamp,
    /// Whether a fetch has begun after it was asked for.
    is_sought: bool,
}

impl Names {
    /// A request names a `kid` that no key has.
    pub fn ask(&mut self, now: Timestamp, kid: KidHash) {
        let known = self.asked.iter().any(|asked| asked.kid == kid);
        if !known && self.asked.len() < MAX_NAMES {
            self.asked.push(Asked { kid, since: now, is_sought: false });
        }
    }

    /// A fetch begins here: what it does not bring of that which was asked for is absent.
    pub fn seek(&mut self) {
        self.asked.iter_mut().for_each(|asked| asked.is_sought = true);
    }

    /// Keys came, by our own fetch or by another worker's that `began` then. With news among
    /// them all is forgotten: a rotation goes on, and more may come.
    pub fn settle(
        &mut self,
        keys: &KeySet,
        is_news: bool,
        began: Option<Timestamp>,
        until: Timestamp,
    ) {
        let there = names(keys);
        let was_sought = |asked: &Asked| began.map_or(asked.is_sought, |began| asked.since < began);
        let (sought, waiting): (Vec<_>, Vec<_>) = self.asked.iter().partition(|a| was_sought(a));
        self.asked = waiting;
        if is_news {
            self.absent.clear();
        }
        self.note(sought.iter().map(|asked| asked.kid).filter(|kid| !there.contains(kid)), until);
    }

    /// Another worker's fetch has shown that no key has these names. What it found absent is
    /// refused here too, and not held for a fetch that nobody would begin yet.
    pub fn adopt(&mut self, keys: &KeySet, absent: &[KidHash], until: Timestamp) {
        let there = names(keys);
        self.note(absent.iter().copied().filter(|kid| !there.contains(kid)), until);
    }

    /// What is known to be absent now.
    pub fn absent(&self, now: Timestamp) -> impl Iterator<Item = KidHash> {
        self.absent.iter().filter(move |(_, until)| now < *until).map(|(kid, _)| *kid)
    }

    fn note(&mut self, absent: impl Iterator<Item = KidHash>, until: Timestamp) {
        for kid in absent {
            self.absent.retain(|(known, _)| *known != kid);
            self.absent.push((kid, until));
        }
        let surplus = self.absent.len().saturating_sub(MAX_NAMES);
        self.absent.drain(..surplus);
    }

    /// The fetch failed, and showed nothing.
    pub fn give_up(&mut self) {
        self.asked.clear();
    }

    /// Whether a fresh fetch has shown that no key has this name.
    pub fn is_absent(&self, now: Timestamp, kid: KidHash) -> bool {
        self.absent(now).any(|known| known == kid)
    }
}

/// The names that keys have.
fn names(keys: &KeySet) -> Vec<KidHash> {
    keys.keys().iter().filter_map(|key| key.kid().map(KidHash::new)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::set::KeyLimits;

    fn keys(kids: &[&str]) -> KeySet {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key =
            |kid: &&str| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{kid}"}}"#);
        let keys: Vec<_> = kids.iter().map(key).collect();
        let text = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        KeySet::from_json(text.as_bytes(), &KeyLimits::default()).unwrap().0
    }

    const fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// Which of these names are known to be absent.
    fn absent<'k>(names: &Names, now: Timestamp, kids: &[&'k str]) -> Vec<&'k str> {
        kids.iter().copied().filter(|kid| names.is_absent(now, KidHash::new(kid))).collect()
    }

    #[test]
    fn a_fetch_that_began_after_the_question_answers_it() {
        let mut names = Names::default();
        names.ask(at(1), KidHash::new("a"));
        names.ask(at(1), KidHash::new("new"));
        names.seek();
        names.ask(at(2), KidHash::new("late"));
        names.settle(&keys(&["k", "new"]), false, None, at(10));
        let all = ["a", "new", "late", "other"];
        assert_eq!(absent(&names, at(9), &all), ["a"]);
        assert_eq!(absent(&names, at(10), &all), [""; 0], "for a while only");
        names.seek();
        names.settle(&keys(&["k"]), false, None, at(20));
        assert_eq!(absent(&names, at(10), &all), ["late"]);
    }

    #[test]
    fn another_workers_fetch_answers_what_was_asked_before_it_began() {
        let mut names = Names::default();
        names.ask(at(1), KidHash::new("a"));
        names.ask(at(2), KidHash::new("b"));
        names.seek();
        names.settle(&keys(&["k"]), false, Some(at(2)), at(10));
        assert_eq!(absent(&names, at(3), &["a", "b"]), ["a"]);
    }

    #[test]
    fn what_another_worker_found_absent_is_absent_here_unless_a_key_has_the_name() {
        let mut names = Names::default();
        let found = ["a", "k"].map(KidHash::new);
        names.adopt(&keys(&["k"]), &found, at(10));
        assert_eq!(absent(&names, at(9), &["a", "k", "b"]), ["a"]);
        assert_eq!(absent(&names, at(10), &["a"]), [""; 0]);
        assert_eq!(names.absent(at(9)).collect::<Vec<_>>(), [KidHash::new("a")]);
    }

    #[test]
    fn a_change_of_the_keys_ends_what_was_known() {
        let mut names = Names::default();
        names.ask(at(1), KidHash::new("a"));
        names.seek();
        names.settle(&keys(&["k"]), false, None, at(10));
        names.settle(&keys(&["l"]), true, None, at(10));
        assert_eq!(absent(&names, at(2), &["a"]), [""; 0]);
    }

    #[test]
    fn a_fetch_that_failed_answers_nothing() {
        let mut names = Names::default();
        names.ask(at(1), KidHash::new("a"));
        names.seek();
        names.give_up();
        names.settle(&keys(&["k"]), false, None, at(10));
        assert_eq!(absent(&names, at(2), &["a"]), [""; 0]);
    }

    #[test]
    fn names_without_end_take_a_bounded_place() {
        let mut names = Names::default();
        for round in 0..3 {
            for i in 0..1_000 {
                names.ask(at(1), KidHash::new(&format!("{round}-{i}")));
            }
            names.seek();
            names.settle(&keys(&["k"]), false, None, at(10));
        }
        assert_eq!((names.asked.len(), names.absent.len()), (0, MAX_NAMES));
        assert_eq!(absent(&names, at(2), &["1-0", "2-0", "2-255", "2-256"]), ["2-0", "2-255"]);
    }
}
