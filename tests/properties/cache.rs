//! The token cache: with it and without it the same is decided.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::json;

use jwt_gate::cache::TokenCache;
use jwt_gate::effects::Effects;
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::remote::fetch::Answer;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::Algorithm;

use super::support::{Lines, NOW, request};
use super::{KEYRING, budget, token_of};

/// Sets that the endpoint answers with in turn; the second has lost a key, the third a name.
static SETS: LazyLock<[String; 4]> = LazyLock::new(|| {
    let set = |keys: &[&str]| KEYRING.jwks(keys).unwrap();
    let named = set(&["ed25519-1"]);
    let renamed = named.replace("ed25519-1", "ed25519-2");
    [set(&["ed25519-1", "p256-1"]), set(&["p256-1"]), renamed, named]
});

/// Good tokens and bad ones.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let payloads = [
        json!({ "iss": "a", "aud": "x", "exp": NOW + 100, "scope": "read" }),
        json!({ "iss": "a", "aud": "x", "exp": NOW + 2_000, "sub": "s1" }),
        json!({ "iss": "a", "aud": "y", "exp": NOW + 900, "nbf": NOW + 300, "sub": "s2" }),
        json!({ "iss": "b", "exp": NOW + 500, "scope": "read write" }),
        json!({ "iss": "b", "sub": "without an end" }),
    ];
    let keys = [
        ("hmac-1", Algorithm::Hs256),
        ("ed25519-1", Algorithm::EdDsa),
        ("p256-1", Algorithm::Es256),
    ];
    let each = payloads.iter().flat_map(|payload| {
        keys.map(|(key, algorithm)| token_of(key, algorithm, &payload.to_string()))
    });
    let mut tokens: Vec<_> = each.collect();
    // A good signature under another payload, and no token at all.
    let (_, payload, _) = parts(&tokens[0]);
    let (header, _, signature) = parts(&tokens[1]);
    tokens.extend([format!("{header}.{payload}.{signature}"), "a.b".to_owned()]);
    tokens
});

fn parts(token: &str) -> (&str, &str, &str) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    (header, payload, signature)
}

/// A policy with two providers, whose tokens may be at the same place; `size` differs.
fn policy_of(variant: usize) -> Arc<Policy> {
    let sizes = [json!({}), json!({ "entries": 2 }), json!({ "entries": 0 })];
    let audiences = if variant.is_multiple_of(2) { json!(["x"]) } else { json!([]) };
    let remote = json!({ "http_uri": { "uri": "https://a/jwks", "cluster": "c", "timeout": "1s" },
        "cache_duration": "300s", "stale_if_error": "600s" });
    let config = json!({
        "providers": {
            "a": { "issuer": "a", "audiences": audiences, "remote_jwks": remote,
                "claim_to_headers": [{ "header_name": "x-sub", "claim_name": "sub" }] },
            "b": { "local_jwks": { "inline_string": KEYRING.jwks(&["hmac-1", "ed25519-1"]).unwrap() },
                "jwt_cache_config": { "jwt_cache_size": 2 }, "require_expiration": variant == 2,
                "forward_payload_header": "x-payload", "forward": true },
        },
        "token_cache": sizes[variant % sizes.len()],
        "rules": [
            { "match": { "prefix": "/a" }, "requires": { "provider_name": "a" } },
            { "match": { "prefix": "/b" }, "requires": { "provider_name": "b" }, "authorize": { "scopes": ["read"] } },
            { "match": { "prefix": "/any" }, "requires": { "requires_any": { "requirements": [
                { "provider_name": "a" }, { "provider_and_audiences": { "provider_name": "b", "audiences": ["y"] } }] } } },
            { "match": { "prefix": "/missing" }, "requires": { "allow_missing": {} } },
            { "match": { "prefix": "/failed" }, "requires": { "allow_missing_or_failed": {} } },
            { "match": { "prefix": "/shadow" }, "requires": { "provider_name": "a" }, "enforcement": "shadow" },
        ],
    });
    Arc::new(Policy::from_json(config.to_string().as_bytes()).unwrap())
}

const PATHS: [&str; 6] = ["/a", "/b", "/any", "/missing", "/failed", "/shadow"];

/// What happens next.
#[derive(Clone, Debug)]
enum Happens {
    /// A request with these tokens, in `authorization` and as a parameter.
    Request { path: &'static str, header: Option<usize>, parameter: Option<usize>, may_wait: bool },
    /// Time goes on, or is set back.
    Step(i64),
    /// The endpoint answers with this set.
    Rotate(usize),
    /// Another configuration, with a cache of its own or, by mistake, the old one's.
    Configure { variant: usize, old_cache: bool },
}

fn happens() -> impl Strategy<Value = Happens> {
    let token = || prop::option::weighted(0.8, 0..TOKENS.len());
    let request = (prop::sample::select(PATHS.to_vec()), token(), token(), 0..8u8, any::<bool>());
    let request = request.prop_map(|(path, header, parameter, both, may_wait)| Happens::Request {
        path,
        header,
        parameter: parameter.filter(|_| both == 0 || header.is_none()),
        may_wait,
    });
    prop_oneof![
        20 => request,
        3 => prop_oneof![4 => 0..400i64, 1 => -300..0i64].prop_map(Happens::Step),
        2 => (0..SETS.len()).prop_map(Happens::Rotate),
        1 => (0..3usize, any::<bool>()).prop_map(|(variant, old_cache)| Happens::Configure { variant, old_cache }),
    ]
}

fn lines(path: &str, header: Option<usize>, parameter: Option<usize>) -> Lines {
    let path = match parameter {
        Some(at) => format!("{path}?access_token={}", TOKENS[at]),
        None => path.to_owned(),
    };
    let bearer = header.map(|at| format!("Bearer {}", TOKENS[at]));
    let headers: Vec<_> = bearer.iter().map(|value| ("authorization", value.as_str())).collect();
    request(&path, &headers)
}

/// Everything that a decision says, and what the host would do.
fn outcome(
    gate: &Gate,
    moment: Moment,
    lines: &Lines,
    lent: Lent<'_>,
) -> (String, Option<Effects>) {
    let view = lines.as_slice();
    match gate.check(moment, &view, lent) {
        Decision::Allow(permit) => {
            let told = permit.accepted().iter().map(|accepted| {
                let token = &accepted.token;
                let from = (&accepted.provider.name, accepted.location);
                format!("{from:?} {:?} {:?} {}", token.claims(), token.typ(), token.payload())
            });
            let shadowed = permit.shadowed().map(|refusal| &refusal.why);
            let said = format!("{shadowed:?} {:?}", told.collect::<Vec<_>>());
            (said, Some(gate.permit(moment.now, &view, &permit)))
        }
        Decision::Deny(refusal) => {
            let said = format!("{:?} {:?}", refusal.why, refusal.rule.map(|rule| &rule.name));
            (said, Some(gate.refuse(moment.now, &view, &refusal)))
        }
        Decision::Wait(source) => (format!("{source:?}"), None),
    }
}

proptest! {
    #![proptest_config(budget(96))]

    #[test]
    fn with_and_without_a_cache_the_same_is_decided(
        first in 0..3usize, course in prop::collection::vec(happens(), 1..120),
    ) {
        let mut now = Timestamp::from_secs(NOW);
        let mut policy = policy_of(first);
        let mut gates = [(); 2].map(|()| Gate::new(Arc::clone(&policy), now));
        let mut cache = TokenCache::new(&policy, 7);
        for event in course {
            match event {
                Happens::Request { path, header, parameter, may_wait } => {
                    let lines = lines(path, header, parameter);
                    let moment = Moment { now, may_wait };
                    let lent = Lent { cache: Some(&cache), ..Lent::NOTHING };
                    let with = outcome(&gates[0], moment, &lines, lent);
                    let without = outcome(&gates[1], moment, &lines, Lent::NOTHING);
                    prop_assert_eq!(with, without, "{} {:?} {:?}", path, header, parameter);
                }
                Happens::Step(secs) => {
                    now = Timestamp::from_secs(now.as_secs().saturating_add_signed(secs));
                }
                Happens::Rotate(set) => {
                    for gate in &mut gates {
                        let sources: Vec<_> = gate.sources().collect();
                        let answer = Answer { status: 200, body: SETS[set].as_bytes(), fresh_for: None };
                        let _ = gate.settle(now, sources[0], Ok(answer));
                    }
                }
                Happens::Configure { variant, old_cache } => {
                    policy = policy_of(variant);
                    gates = [(); 2].map(|()| Gate::new(Arc::clone(&policy), now));
                    if !old_cache {
                        cache = TokenCache::new(&policy, 7);
                    }
                }
            }
        }
    }
}

#[test]
fn a_token_that_comes_again_is_a_hit_until_its_keys_are_gone() {
    let now = Timestamp::from_secs(NOW);
    let policy = policy_of(0);
    let mut gate = Gate::new(Arc::clone(&policy), now);
    let cache = TokenCache::new(&policy, 7);
    let source = gate.sources().next().unwrap();
    let mut counted = Vec::new();
    for set in [0, 0, 1, 0] {
        let answer = Answer { status: 200, body: SETS[set].as_bytes(), fresh_for: None };
        let _ = gate.settle(now, source, Ok(answer));
        for _ in 0..2 {
            let lines = lines("/a", Some(1), None);
            let lent = Lent { cache: Some(&cache), ..Lent::NOTHING };
            let (said, _) = outcome(&gate, Moment { now, may_wait: false }, &lines, lent);
            let tally = cache.take_tally();
            counted.push((said.starts_with("None"), tally.hits, tally.misses));
        }
    }
    let (miss, hit, refused) = ((true, 0, 1), (true, 1, 0), (false, 0, 1));
    // The same octets again are the same keys, others are not, and a set that comes back is a new one.
    assert_eq!(counted, [miss, hit, hit, hit, refused, refused, miss, hit]);
}
