//! The cache by itself: what is found, what gives way, what is counted.

use super::*;
use crate::crypto::{Algorithm, NoHostCrypto};
use crate::jws::{Jws, TokenLimits};
use crate::keys::set::KeyLimits;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{Algorithm as _, AlgorithmSignature as _};

const SECRET: [u8; 32] = [7; 32];
const NOW: u64 = 1_000;
const LIMITS: TokenLimits = TokenLimits { max_bytes: 8192, max_depth: 8 };

fn keys() -> Arc<KeySet> {
    let k = URL_SAFE_NO_PAD.encode(SECRET);
    let text = format!(r#"{{"keys":[{{"kty":"oct","k":"{k}"}}]}}"#);
    let limits = KeyLimits { allow_symmetric: true, ..KeyLimits::default() };
    Arc::new(KeySet::from_json(text.as_bytes(), &limits).unwrap().0)
}

fn token(n: usize) -> String {
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{}"}}"#, Algorithm::Hs256.name()));
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{n}"}}"#)));
    let tag = Hs256.sign(&Hs256Key::new(SECRET), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_bytes()))
}

fn verified(token: &str, keys: &KeySet) -> VerifiedToken {
    Jws::parse(token.as_bytes(), LIMITS).unwrap().verify(keys, &NoHostCrypto).unwrap()
}

/// A cache of one shelf for two providers.
fn cache(entries: usize, bytes: usize, largest: usize) -> TokenCache {
    let shelf = RefCell::new(Shelf::new(Room { entries, bytes, largest }));
    let (shelves, places) = ([shelf].into(), [0, 0].into());
    TokenCache { seed: 3, shelves, places, tally: Cell::default() }
}

const P: ProviderId = ProviderId(0);

/// Keeps the tokens `numbers`, each with its end, and says which are found afterwards.
fn found(cache: &TokenCache, keep: &[(usize, u64)], ask: std::ops::Range<usize>) -> Vec<usize> {
    let keys = keys();
    for (n, ends) in keep {
        let token = verified(&token(*n), &keys);
        cache.keep(Timestamp::from_secs(NOW), P, &token, &keys, *ends);
    }
    ask.filter(|n| cache.find(P, token(*n).as_bytes()).is_some()).collect()
}

#[test]
fn a_token_is_found_whole_and_for_its_provider_only() {
    let cache = cache(10, 1 << 20, usize::MAX);
    let (keys, text) = (keys(), token(1));
    cache.keep(Timestamp::from_secs(NOW), P, &verified(&text, &keys), &keys, u64::MAX);
    let known = cache.find(P, text.as_bytes()).unwrap();
    assert_eq!(known.token.compact(), text.as_bytes());
    assert!(known.is_by(&keys));
    assert!(!known.is_by(&Arc::new((*keys).clone())), "an equal set is another set");
    assert!(cache.find(ProviderId(1), text.as_bytes()).is_none());
    assert!(cache.find(ProviderId(2), text.as_bytes()).is_none(), "a provider without a place");
    for at in 0..text.len() {
        let mut other = text.clone().into_bytes();
        other[at] ^= 1;
        assert!(cache.find(P, &other).is_none(), "byte {at}");
        assert!(cache.find(P, &text.as_bytes()[at..]).is_none() || at == 0, "from {at}");
        assert!(cache.find(P, &text.as_bytes()[..at]).is_none(), "to {at}");
    }
}

#[test]
fn the_oldest_gives_way() {
    let never = |range: std::ops::Range<usize>| range.map(|n| (n, u64::MAX)).collect::<Vec<_>>();
    assert_eq!(found(&cache(3, 1 << 20, 8192), &never(0..5), 0..5), [2, 3, 4]);
    assert_eq!(found(&cache(0, 1 << 20, 8192), &never(0..5), 0..5), [0; 0]);
    assert_eq!(found(&cache(9, 1 << 20, 10), &never(0..5), 0..5), [0; 0], "too large a token");
    let size = verified(&token(0), &keys()).size() + OVERHEAD;
    assert_eq!(found(&cache(9, size * 3, 8192), &never(0..5), 0..5), [2, 3, 4]);
    assert_eq!(found(&cache(9, size - 1, 8192), &never(0..5), 0..5), [0; 0]);
}

#[test]
fn what_is_kept_twice_is_there_once() {
    let cache = cache(3, 1 << 20, 8192);
    let keep = [(0, u64::MAX), (1, u64::MAX), (0, u64::MAX)];
    assert_eq!(found(&cache, &keep, 0..3), [0, 1]);
    let twice = cache.bytes();
    let again: TokenCache = self::cache(3, 1 << 20, 8192);
    assert_eq!(found(&again, &keep[..2], 0..3), [0, 1]);
    assert_eq!(twice, again.bytes());
}

#[test]
fn what_has_ended_makes_room_first() {
    let keep = [(0, NOW - 1), (1, u64::MAX), (2, u64::MAX)];
    let cache = cache(9, 1 << 20, 8192);
    assert_eq!(found(&cache, &keep, 0..3), [1, 2]);
    let first = verified(&token(1), &keys());
    cache.forget(P, &first);
    assert_eq!(found(&cache, &[], 0..3), [2]);
    cache.forget(P, &verified(&token(2), &keys()));
    assert_eq!(cache.bytes(), 0);
}

#[test]
fn hits_and_misses_are_counted_where_tokens_are_remembered() {
    let cache = cache(1, 1 << 20, 8192);
    cache.hit();
    cache.missed(P);
    cache.missed(ProviderId(2));
    assert_eq!(cache.take_tally(), Tally { hits: 1, misses: 1 });
    assert_eq!(cache.take_tally(), Tally::default());
    let off = self::cache(0, 1 << 20, 8192);
    off.missed(P);
    assert_eq!(off.take_tally(), Tally::default());
}
