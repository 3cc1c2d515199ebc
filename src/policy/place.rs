//! Where a rule stands in the configuration.

use super::Policy;
use super::rule::Rule;

/// The place of the rule number `at`, such as `rules[3]`. The first `scoped` rules are those for some hosts only, each
/// group of which is closed by one of `ends`.
pub(crate) fn place(at: usize, ends: &[usize], scoped: usize) -> String {
    if let Some(at) = at.checked_sub(scoped) {
        return format!("rules[{at}]");
    }
    let (before, behind) = ends.split_at(ends.partition_point(|end| *end < at));
    let first = before.last().map_or(0, |last| last.saturating_add(1));
    let (group, index) = (before.len(), at.saturating_sub(first));
    if behind.first() == Some(&at) {
        format!("_rules_[{group}]")
    } else {
        format!("_rules_[{group}].rules[{index}]")
    }
}

impl Policy {
    /// The rules with their places, in the order in which they are looked at.
    pub fn rules(&self) -> impl Iterator<Item = (String, &Rule)> {
        let rules = self.rules.iter().enumerate().filter(|(at, _)| !self.ends.contains(at));
        rules.map(|(at, rule)| (self.place(at), rule))
    }

    /// The place of the rule number `at`.
    pub(crate) fn place(&self, at: usize) -> String {
        place(at, &self.ends, self.scoped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_hosts_are_counted_within_their_group() {
        let places: Vec<_> = (0..6).map(|at| place(at, &[1, 4], 5)).collect();
        let expected = [
            "_rules_[0].rules[0]",
            "_rules_[0]",
            "_rules_[1].rules[0]",
            "_rules_[1].rules[1]",
            "_rules_[1]",
            "rules[0]",
        ];
        assert_eq!(places, expected);
    }
}
