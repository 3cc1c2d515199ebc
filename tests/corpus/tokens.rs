//! Tokens with their key sets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use jwt_gate::cache::{Tally as Hits, TokenCache};
use jwt_gate::gate::{Gate, Lent};

use super::cases;
use super::support::{NOW, check_with, gate, request};

/// What became of the cases of a file.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    accepted: usize,
    either: usize,
    /// Good ones that are refused, by reason.
    excused: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn judge(&mut self, case: &Value, expected: &str, outcome: &Result<(), String>) {
        self.cases += 1;
        self.accepted += usize::from(outcome.is_ok());
        let line = || format!("{} ({}): {outcome:?}", case["id"], case["comment"]);
        match (expected, outcome) {
            ("valid", Ok(())) | ("invalid", Err(_)) => {}
            ("either", _) => self.either += 1,
            ("valid", Err(why)) => match excuse(why) {
                Some(reason) => *self.excused.entry(reason).or_default() += 1,
                None => self.wrong.push(line()),
            },
            ("invalid", Ok(())) if ACCEPTED.iter().any(|(id, _)| case["id"] == *id) => {}
            ("invalid", Ok(())) => self.wrong.push(format!("ACCEPTED {}", line())),
            (other, _) => panic!("{}: {other}", case["id"]),
        }
    }

    /// Fails unless everything went right; `excused` are the refusals that we know of.
    fn report(&self, name: &str, excused: &[(&'static str, usize)]) {
        let Self { cases, accepted, either, excused: refused, wrong } = self;
        println!(
            "{name}: {cases} cases, {accepted} accepted, {either} left open, good but refused: {refused:?}"
        );
        assert_ne!(*cases, 0, "{name}");
        assert!(wrong.is_empty(), "{name}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(*refused, BTreeMap::from_iter(excused.iter().copied()), "{name}");
    }
}

/// Why a good token is refused, where that is meant.
fn excuse(why: &str) -> Option<&'static str> {
    let reasons = [
        ("Jwt is too large", "larger than `limits.max_token_bytes`"),
        ("`Ed448` is not supported", "ES256K and Ed448 are not supported"),
        ("`secp256k1` is not supported", "ES256K and Ed448 are not supported"),
        ("2048 to 4096 are accepted", "RSA above 4096 bits"),
        ("starts with a zero octet", "a modulus that is not written in the fewest octets"),
        ("`x5c` does not begin with", "words of a program in `x5c`, by a slip of the collection"),
        ("field is not a positive 64 bit integer", "a time before 1970 or beyond 64 bits"),
        ("Jwt payload is an invalid JSON", "nested more deeply than `limits.max_depth`"),
        ("Jwt is expired", "in the last second, fractions of which do not count"),
    ];
    reasons.into_iter().find(|(part, _)| why.contains(part)).map(|(_, reason)| reason)
}

/// Tokens that pass although the publisher would refuse them, and why.
const ACCEPTED: [(&str, &str); 1] =
    [("claims/117", "`https://` before an audience does not count, as with the native filter")];

/// The configuration for a case.
fn config(case: &Value) -> Value {
    let mut provider = json!({
        "require_expiration": false,
        "accept_bound_tokens_unchecked": true,
        "clock_skew_seconds": 1,
        "local_jwks": { "inline_string": case["jwks"].to_string() },
    });
    if let Some(issuer) = case["issuer"].as_str() {
        provider["issuer"] = issuer.into();
        provider["audiences"] = case["audiences"].clone();
        provider["require_expiration"] = true.into();
    }
    if let Some(leeway @ 1..) = case["leeway"].as_u64() {
        provider["clock_skew_seconds"] = leeway.into();
    }
    json!({
        "providers": { "p": provider },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    })
}

/// The times at which a case has to have its outcome.
fn clocks(case: &Value) -> [u64; 2] {
    // A token is good to the last second of the leeway here, and no leeway cannot be configured;
    // the cases that are about time leave that second out, and most of them have no leeway.
    let now = time(case);
    match case["leeway"].as_u64() {
        Some(0) => [now + 2, now - 1],
        Some(_) => [now + 1, now],
        None => [now, now],
    }
}

/// What the gate says to a token sent with `Authorization: Bearer`.
fn ask(gate: &Gate, cache: Option<&TokenCache>, case: &Value) -> Result<(), String> {
    let authorization = format!("Bearer {}", case["token"].as_str().unwrap());
    let lines = request("/", &[("authorization", &authorization)]);
    let lent = Lent { cache, ..Lent::NOTHING };
    for now in clocks(case) {
        check_with(gate, lent, now, &lines).map_err(|reply| reply.body)?;
    }
    Ok(())
}

fn outcome(case: &Value) -> Result<(), String> {
    let gate = gate(&config(case)).map_err(|faults| format!("the keys: {faults}"))?;
    ask(&gate, None, case)
}

/// A time at which the token is valid, if its payload says one.
fn time(case: &Value) -> u64 {
    if let Some(now) = case["now"].as_u64() {
        return now;
    }
    let payload = case["token"].as_str().unwrap().split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let expires = claims["exp"].as_u64().unwrap_or(u64::MAX).saturating_sub(1);
    NOW.max(claims["nbf"].as_u64().unwrap_or(0)).min(expires)
}

fn expected(case: &Value) -> &str {
    case["jwt_expect"].as_str().or_else(|| case["expect"].as_str()).unwrap()
}

fn run(file: &str, excused: &[(&'static str, usize)]) {
    let Some(cases) = cases(file) else { return };
    let mut tally = Tally::default();
    let mut groups = BTreeMap::<String, Vec<(&Value, bool)>>::new();
    for case in &cases {
        let outcome = outcome(case);
        tally.judge(case, expected(case), &outcome);
        groups.entry(config(case).to_string()).or_default().push((case, outcome.is_ok()));
    }
    tally.report(file, excused);
    let mut cached = Cached::default();
    groups.values().for_each(|group| cached.ask(group));
    println!("{file}: {cached:?}");
    assert_eq!(cached.remembered, tally.accepted);
}

/// The cases of a file with a cache, after all good tokens of the same keys were put into it.
#[derive(Debug, Default)]
struct Cached {
    /// Tokens that were verified once and passed once more without.
    remembered: usize,
    /// Tokens that were refused beside good ones which the cache knew.
    refused: usize,
    /// Tokens that were refused although no token is good by their keys.
    alone: usize,
}

impl Cached {
    fn ask(&mut self, group: &[(&Value, bool)]) {
        let Ok(gate) = gate(&config(group[0].0)) else {
            assert!(group.iter().all(|(_, is_good)| !is_good));
            self.alone += group.len();
            return;
        };
        let cache = TokenCache::new(gate.policy(), 7);
        let asked = |case: &Value| {
            let outcome = ask(&gate, Some(&cache), case).is_ok();
            (outcome, cache.take_tally())
        };
        let (good, bad): (Vec<_>, Vec<_>) = group.iter().partition(|(_, is_good)| *is_good);
        for (case, _) in &good {
            let (is_good, _) = asked(case);
            assert_eq!((is_good, asked(case)), (true, (true, BY_CACHE)), "{}", case["id"]);
            self.remembered += 1;
        }
        for (case, _) in &bad {
            // One of the good ones may have ended by the time of this one; another is there.
            let known = good.iter().filter(|(good, _)| asked(good) == (true, BY_CACHE)).count();
            // Twice: what was refused leaves nothing behind.
            for _ in 0..2 {
                assert!(!asked(case).0, "{}", case["id"]);
            }
            *(if known == 0 { &mut self.alone } else { &mut self.refused }) += 1;
        }
    }
}

/// What is counted where the cache knows a token, at both times.
const BY_CACHE: Hits = Hits { hits: 2, misses: 0 };

#[test]
fn published_tokens_pass_only_where_they_are_good() {
    run(
        "corpus.jsonl.gz",
        &[
            ("larger than `limits.max_token_bytes`", 2),
            ("ES256K and Ed448 are not supported", 3),
            ("RSA above 4096 bits", 1),
            ("a modulus that is not written in the fewest octets", 2),
            ("words of a program in `x5c`, by a slip of the collection", 4),
            ("a time before 1970 or beyond 64 bits", 1),
        ],
    );
}

#[test]
fn derived_tokens_pass_only_where_they_are_good() {
    run("derived.jsonl.gz", &[]);
}

#[test]
fn tokens_pass_only_with_good_claims() {
    run(
        "claims.jsonl.gz",
        &[
            ("a time before 1970 or beyond 64 bits", 1),
            ("in the last second, fractions of which do not count", 1),
            ("larger than `limits.max_token_bytes`", 1),
            ("nested more deeply than `limits.max_depth`", 4),
        ],
    );
}
