//! Tokens with their key sets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::cases;
use super::support::{NOW, check, gate, request};

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

/// What the gate says to a token sent with `Authorization: Bearer`.
fn outcome(case: &Value, now: u64) -> Result<(), String> {
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
    let config = json!({
        "providers": { "p": provider },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    });
    let gate = gate(&config).map_err(|faults| format!("the keys: {faults}"))?;
    let authorization = format!("Bearer {}", case["token"].as_str().unwrap());
    let lines = request("/", &[("authorization", &authorization)]);
    // A token is good to the last second of the leeway here, and no leeway cannot be configured;
    // the cases that are about time leave that second out, and most of them have no leeway.
    let clocks = match case["leeway"].as_u64() {
        Some(0) => [now + 2, now - 1],
        Some(_) => [now + 1, now],
        None => [now, now],
    };
    for now in clocks {
        check(&gate, now, &lines).map_err(|reply| reply.body)?;
    }
    Ok(())
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
    for case in &cases {
        tally.judge(case, expected(case), &outcome(case, time(case)));
    }
    tally.report(file, excused);
}

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
