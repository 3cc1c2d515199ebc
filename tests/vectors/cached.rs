//! Published signatures by way of the cache of verified tokens. They sign messages that are no tokens,
//! so that a token carries the signature, and the host, which is asked for RS* and ES*, is shown the
//! message in place of the token. The RFCs' own tokens need no such detour.

use std::cell::RefCell;
use std::sync::Arc;

use jwt_gate::cache::{Tally, TokenCache};
use jwt_gate::crypto::{Algorithm, HostCrypto, Question};
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::time::Timestamp;
use serde_json::{Value, json};

use super::{encode, rivals};

/// A message, a signature, and whether it is good.
pub(super) struct Case {
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) is_good: bool,
}

/// What was played.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Good signatures that were verified once, and passed once more without.
    pub(super) remembered: usize,
    /// Bad ones that were refused beside good ones of their key which the cache knew.
    pub(super) refused: usize,
}

/// A host that is shown another message than the token's.
#[derive(Debug, Default)]
struct Swapped(RefCell<Vec<u8>>);

impl HostCrypto for Swapped {
    fn verify(&self, question: &Question<'_>) -> Option<bool> {
        let message = &self.0.borrow();
        rivals::AwsLc.verify(&Question { message, ..*question })
    }
}

/// A gate that knows this key alone, and its cache.
pub(super) struct Door {
    gate: Gate,
    cache: TokenCache,
    host: Swapped,
    now: Timestamp,
}

impl Door {
    /// `None` for a key that is not used.
    pub(super) fn new(jwk: &Value, now: Timestamp) -> Option<Self> {
        let config = json!({
            "providers": { "p": { "require_expiration": false,
                "local_jwks": { "inline_string": json!({ "keys": [jwk] }).to_string() } } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
        });
        let policy = Policy::from_json(config.to_string().as_bytes()).ok()?;
        let cache = TokenCache::new(&policy, 7);
        let gate = Gate::new(Arc::new(policy), now);
        Some(Self { gate, cache, host: Swapped::default(), now })
    }

    /// Whether a token passes, and what the cache had to do with that.
    pub(super) fn ask(&self, token: &str) -> (bool, Tally) {
        self.ask_with(&rivals::AwsLc, token)
    }

    fn ask_with(&self, crypto: &dyn HostCrypto, token: &str) -> (bool, Tally) {
        let bearer = format!("Bearer {token}");
        let view: &[(&str, &str)] =
            &[(":method", "GET"), (":path", "/"), ("authorization", &bearer)];
        let lent = Lent { crypto, cache: Some(&self.cache) };
        let moment = Moment { now: self.now, may_wait: false };
        let passes = matches!(self.gate.check(moment, &view, lent), Decision::Allow(_));
        (passes, self.cache.take_tally())
    }

    fn ask_about(&self, algorithm: Algorithm, case: &Case, message: &[u8]) -> (bool, Tally) {
        *self.host.0.borrow_mut() = message.to_vec();
        let header = encode(json!({ "alg": algorithm.to_string() }).to_string().as_bytes());
        let token = format!("{header}.{}.{}", encode(b"{}"), encode(&case.signature));
        self.ask_with(&self.host, &token)
    }
}

/// What is counted when the cache knows a token.
pub(super) const HIT: Tally = Tally { hits: 1, misses: 0 };

impl Played {
    /// All signatures of a key: the good ones twice, then the bad ones beside them. Of a key without
    /// good ones the cache can know nothing.
    pub(super) fn play(&mut self, jwk: &Value, algorithm: Algorithm, cases: &[Case]) {
        if !cases.iter().any(|case| case.is_good) {
            return;
        }
        let Some(door) = Door::new(jwk, Timestamp::from_secs(1_800_000_000)) else { return };
        let (good, bad): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.is_good);
        for case in &good {
            let (passes, _) = door.ask_about(algorithm, case, &case.message);
            assert!(passes, "{algorithm}: {:02x?}", case.signature);
            // The host would say no to that: it is not asked.
            let known = door.ask_about(algorithm, case, b"no message of this test");
            assert_eq!(known, (true, HIT), "{algorithm}: {:02x?}", case.signature);
            self.remembered += 1;
        }
        for case in &bad {
            // A signature is good for one message and bad for others.
            if good.iter().any(|good| good.signature == case.signature) {
                continue;
            }
            let (passes, tally) = door.ask_about(algorithm, case, &case.message);
            assert_eq!((passes, tally.hits), (false, 0), "{algorithm}: {:02x?}", case.signature);
            self.refused += 1;
        }
    }

    pub(super) fn report(&self, name: &str) {
        println!("{name}, cached: {self:?}");
        assert_ne!((self.remembered, self.refused), (0, 0), "{name}");
    }
}
