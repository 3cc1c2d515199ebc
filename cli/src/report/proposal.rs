//! A tighter policy, as a diff: less is allowed, and everything that was allowed in the log is
//! still.

mod tighten;

use serde::Serialize;
use similar::TextDiff;

use jwt_gate::policy::Policy;

use super::lens::Lens;
use super::tally::Tally;
use tighten::Change;

/// A tighter policy.
#[derive(Debug, Serialize)]
pub(crate) struct Proposed {
    /// What is changed, and why.
    pub(crate) changes: Vec<String>,
    /// What could be changed but for something.
    pub(crate) withheld: Vec<String>,
    /// A unified diff of the policy; empty: nothing is changed.
    pub(crate) diff: String,
}

/// Makes the policy `name` tighter.
pub(crate) fn propose(name: &str, tally: &Tally, lens: &Lens) -> Proposed {
    if let Some(why) = unfit(tally, lens) {
        return Proposed { changes: Vec::new(), withheld: vec![why], diff: String::new() };
    }
    let (mut changes, mut withheld) = (Vec::new(), Vec::new());
    let mut text = lens.text.clone();
    for change in tighten::changes(tally, lens, &mut withheld) {
        match applied(&text, &change) {
            Some(changed) => {
                text = changed;
                changes.push(change.why);
            }
            None => withheld.push(format!("{}: the policy would not compile", change.why)),
        }
    }
    let diff = TextDiff::from_lines(lens.text.as_str(), text.as_str());
    let diff = if changes.is_empty() {
        String::new()
    } else {
        diff.unified_diff()
            .context_radius(3)
            .header(&format!("a/{name}"), &format!("b/{name}"))
            .to_string()
    };
    Proposed { changes, withheld, diff }
}

/// Why a log says nothing about what is needed.
fn unfit(tally: &Tally, lens: &Lens) -> Option<String> {
    if tally.counts.total() == 0 {
        return Some("the log has no audit lines".to_owned());
    }
    if tally.unobjectionable == 0 {
        let why = "the log has only what was refused, so that nothing is known about what is \
                   needed: read the access log, or set `audit.log` to \"all\" for a while";
        return Some(why.to_owned());
    }
    if tally.rules.is_cut() {
        return Some(
            "the log names more rules than a policy has: is it of this policy?".to_owned(),
        );
    }
    let known = tally.rules.ranked().into_iter().filter(|(name, _)| !name.is_empty());
    let strange: Vec<_> =
        known.filter(|(name, _)| lens.rules.iter().all(|r| r.name != *name)).collect();
    let (name, _) = strange.first()?;
    Some(format!(
        "the log names a rule `{name}` that the policy does not have: is it of this policy?"
    ))
}

/// The text with a change, if it still compiles.
fn applied(text: &str, change: &Change) -> Option<String> {
    let changed = change.edit.apply(text)?;
    Policy::from_json(changed.as_bytes()).is_ok().then_some(changed)
}

#[cfg(test)]
mod tests;
