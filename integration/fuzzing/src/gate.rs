//! A gate, asked again and again: it has one verdict on one request, and writes its headers alone.

use std::sync::Arc;

use jwt_gate::cache::TokenCache;
use jwt_gate::effects::{Effects, HeaderOp, Reply};
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::remote::Lack;
use jwt_gate::time::Timestamp;

/// When everything happens, in Unix seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// Header lines as a host shows them, pseudo-headers among them.
pub(crate) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// What a client writes where only the gate may.
pub(crate) const FORGED: &[u8] = b"forged by the client";

/// The headers that the gate of these tests writes, in spellings that some server reads as theirs.
pub(crate) const OWNED: [&[u8]; 6] =
    [b"x-jwt-sub", b"X_Jwt_Sub", b"x.jwt-sub", b"x-jwt-payload", b"x_jwt_payload", b"X~JWT~SUB"];

/// Header lines of a request.
pub(crate) fn request(path: &[u8], headers: &[(&[u8], &[u8])]) -> Lines {
    let pseudo: [(&[u8], &[u8]); 4] = [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"api.example"),
        (b":path", path),
    ];
    let lines = pseudo.iter().chain(headers);
    lines.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

/// The policy of a configuration that is good.
pub(crate) fn policy(config: &str) -> Arc<Policy> {
    Arc::new(Policy::from_json(config.as_bytes()).expect("the configuration is good"))
}

/// A gate for a policy, and the cache that it is lent.
pub(crate) fn gate(policy: Arc<Policy>) -> (Gate, TokenCache) {
    let cache = TokenCache::new(&policy, 7);
    (Gate::new(policy, Timestamp::from_secs(NOW)), cache)
}

/// What becomes of a request: the changes, the answer, or what it waits for.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Passes(Vec<HeaderOp>),
    Answered(Reply),
    Waits(Lack),
}

/// The one verdict: without the cache, with it, and, where it may have learnt something from that,
/// with it once more.
pub(crate) fn verdict(gate: &Gate, cache: &TokenCache, moment: Moment, lines: &Lines) -> Verdict {
    let plain = once(gate, Lent::NOTHING, moment, lines);
    let lent = Lent { cache: Some(cache), ..Lent::NOTHING };
    let times = if matches!(plain, Verdict::Passes(_)) { 2 } else { 1 };
    for _ in 0..times {
        assert_eq!(once(gate, lent, moment, lines), plain, "another verdict with the cache");
    }
    plain
}

/// A verdict of a gate that is lent so much. What passes takes no client's value along.
pub(crate) fn once(gate: &Gate, lent: Lent<'_>, moment: Moment, lines: &Lines) -> Verdict {
    let view = lines.as_slice();
    let effects = match gate.check(moment, &view, lent) {
        Decision::Allow(permit) => gate.permit(moment.now, &view, &permit),
        Decision::Deny(refusal) => gate.refuse(moment.now, &view, &refusal),
        Decision::Wait(lack) => return Verdict::Waits(lack),
    };
    match effects {
        Effects::Forward(forward) => {
            nothing_is_forged(lines, &forward.headers);
            Verdict::Passes(forward.headers)
        }
        Effects::Reply(reply) => Verdict::Answered(reply),
    }
}

/// No header that only the gate may write has a client's value, and each value is one.
fn nothing_is_forged(lines: &Lines, ops: &[HeaderOp]) {
    let mut lines = lines.clone();
    for op in ops {
        match op {
            HeaderOp::Remove(name) => {
                lines.retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_str().as_bytes()));
            }
            HeaderOp::Add(name, value) => {
                let legal = |b: &u8| *b == b'\t' || !b.is_ascii_control();
                assert!(value.iter().all(legal), "{name} is given no header value");
                assert_eq!(value.trim_ascii(), value, "{name} would arrive as another value");
                lines.push((name.as_str().as_bytes().to_vec(), value.clone()));
            }
            HeaderOp::SetPath(_) => {}
        }
    }
    let fold = |b: &u8| if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'-' };
    for (name, value) in &lines {
        let folded: Vec<u8> = name.iter().map(fold).collect();
        let owned = folded == b"x-jwt-sub" || folded == b"x-jwt-payload";
        let shown = String::from_utf8_lossy(name);
        assert!(!owned || value != FORGED, "{shown} reaches the upstream as the client wrote it");
    }
}
