//! A gate with a configuration, and what it says.

use std::sync::Arc;

use jwt_gate::effects::{Effects, HeaderOp, Reply};
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::time::Timestamp;

/// Header lines as bytes, pseudo-headers among them.
pub(crate) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// The time at which tests take place, in Unix seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A gate for `config`; the faults where it has some.
pub(crate) fn gate(config: &serde_json::Value) -> Result<Gate, String> {
    let text = config.to_string();
    let policy = Policy::from_json(text.as_bytes())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    Ok(Gate::new(Arc::new(policy), Timestamp::from_secs(NOW)))
}

/// A request from text.
pub(crate) fn request(path: &str, headers: &[(&str, &str)]) -> Lines {
    let pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "api.example")];
    let line = |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let mut lines: Lines = pseudo.iter().map(line).collect();
    lines.push((b":path".to_vec(), path.as_bytes().to_vec()));
    lines.extend(headers.iter().map(line));
    lines
}

/// The outcome of a check: the changes, or the answer.
pub(crate) fn check(gate: &Gate, secs: u64, lines: &Lines) -> Result<Vec<HeaderOp>, Reply> {
    check_with(gate, Lent::NOTHING, secs, lines)
}

/// The same, of a gate that is lent something.
pub(crate) fn check_with(
    gate: &Gate,
    lent: Lent<'_>,
    secs: u64,
    lines: &Lines,
) -> Result<Vec<HeaderOp>, Reply> {
    let view = lines.as_slice();
    let now = Timestamp::from_secs(secs);
    let effects = match gate.check(Moment { now, may_wait: false }, &view, lent) {
        Decision::Allow(permit) => gate.permit(now, &view, &permit),
        Decision::Deny(refusal) => gate.refuse(now, &view, &refusal),
        // A request that may not wait does not.
        Decision::Wait(_) => Effects::misconfigured(),
    };
    match effects {
        Effects::Forward(forward) => Ok(forward.headers),
        Effects::Reply(reply) => Err(reply),
    }
}
