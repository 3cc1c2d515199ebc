//! The requests that are sent, and what should become of them.

use crate::{
    subject::{Setup, Variant},
    tokens::{Batch, OPEN_PREFIX, Recipe},
};

/// Tokens that come again and again: fewer than any cache holds.
pub(crate) const HOT: u32 = 64;
/// Connections of the load for CPU time: Envoy never waits for a request.
const BUSY: u32 = 16;
/// The algorithms.
const ALGORITHMS: [&str; 7] = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256"];

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Tokens that were seen before.
    Hot,
    /// Tokens that were not.
    Fresh,
    /// What the policy costs beside the token.
    Policy,
    /// Requests that are refused, and such that need no token.
    Other,
    /// Time to the answer, one request at a time.
    Latency,
}

/// One kind of request.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Where it is reported.
    pub(crate) section: Section,
    /// As it is called there.
    pub(crate) name: String,
    /// What the filters are told to do.
    pub(crate) setup: Setup,
    /// The tokens.
    pub(crate) batch: Batch,
    /// The path with the query.
    pub(crate) path: String,
    /// The status that filters answer.
    pub(crate) status: u16,
    /// Who is asked.
    pub(crate) variants: Vec<Variant>,
    /// Connections that are busy all the time.
    pub(crate) connections: u32,
    /// What the gate may cost at most, as a part of what the native filter without cache does.
    pub(crate) goal: Option<f64>,
}

impl Section {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 5] =
        [Self::Hot, Self::Fresh, Self::Policy, Self::Other, Self::Latency];

    /// Its name, which is also that of its part of the page.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Fresh => "fresh",
            Self::Policy => "policy",
            Self::Other => "other",
            Self::Latency => "latency",
        }
    }
}

impl Case {
    fn new(section: Section, name: &str, recipe: Recipe, count: u32) -> Self {
        let setup = Setup::Rules(1);
        Self {
            section,
            name: name.to_owned(),
            setup,
            batch: Batch { recipe: Some(recipe), count },
            path: setup.path(),
            status: 200,
            variants: vec![Variant::Open, Variant::Native, Variant::Gate],
            connections: BUSY,
            goal: None,
        }
    }

    fn with(mut self, variants: &[Variant]) -> Self {
        self.variants.extend_from_slice(variants);
        self.variants.sort_unstable();
        self
    }

    fn set_up(self, setup: Setup) -> Self {
        Self { setup, path: setup.path(), ..self }
    }

    fn goal(self, goal: Option<f64>) -> Self {
        Self { goal, ..self }
    }

    fn refused(self) -> Self {
        Self { status: 401, ..self }
    }

    /// Its name with that of its section: what `--only` looks for.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.section.name(), self.name)
    }

    /// The status that a variant should answer.
    pub(crate) const fn expected(&self, variant: Variant) -> u16 {
        if variant.authenticates() { self.status } else { 200 }
    }
}

/// All cases, with so many fresh tokens; with `quick` those that tell most.
pub(crate) fn all(quick: bool, fresh: u32) -> Vec<Case> {
    let mut cases = authentication(fresh);
    cases.extend(policy());
    cases.extend(other());
    cases.extend(latency(fresh));
    let telling = ["RS256", "ES256", "10,000", "no token, open"];
    cases.retain(|case| !quick || telling.iter().any(|word| case.name.contains(word)));
    cases
}

fn authentication(count: u32) -> Vec<Case> {
    let hot = ALGORITHMS.map(|name| {
        let case = Case::new(Section::Hot, name, Recipe::good(name), HOT);
        case.with(&[Variant::NativeCached]).goal(goal(Section::Hot, name))
    });
    let fresh = ALGORITHMS.map(|name| {
        let case = Case::new(Section::Fresh, name, Recipe::good(name), count);
        let further = [Variant::NativeCached, Variant::GateUncached, Variant::GatePortable];
        case.with(&further).goal(goal(Section::Fresh, name))
    });
    hot.into_iter().chain(fresh).collect()
}

fn policy() -> Vec<Case> {
    let hot = |name: &str| Case::new(Section::Policy, name, Recipe::good("RS256"), HOT);
    let cached = [Variant::NativeCached];
    vec![
        hot("1 rule").with(&cached),
        hot("100 rules").set_up(Setup::Rules(100)).with(&cached),
        hot("10,000 rules").set_up(Setup::Rules(10_000)).with(&cached),
        hot("condition and claim headers").set_up(Setup::Claims).with(&cached),
    ]
}

fn other() -> Vec<Case> {
    let case = |name: &str, fault| {
        let recipe = Recipe { algorithm: "RS256", fault };
        Case::new(Section::Other, name, recipe, HOT)
    };
    let without = |case: Case| Case { batch: Batch { recipe: None, count: 1 }, ..case };
    let open = Case { path: format!("{OPEN_PREFIX}logo"), ..case("no token, open path", "") };
    vec![
        without(open).with(&[Variant::Empty]),
        without(case("no token", "")).refused(),
        case("expired token", "exp=-86400").refused(),
        case("bad signature", "sign=broken").refused(),
    ]
}

fn latency(fresh: u32) -> Vec<Case> {
    [("RS256, hot", HOT), ("RS256, fresh", fresh)]
        .map(|(name, count)| {
            let case = Case::new(Section::Latency, name, Recipe::good("RS256"), count);
            Case { connections: 1, ..case.with(&[Variant::NativeCached]) }
        })
        .into()
}

/// What the gate may cost at most beside the native filter without cache.
const fn goal(section: Section, algorithm: &str) -> Option<f64> {
    match (section, algorithm.as_bytes()) {
        (Section::Hot, b"RS256") => Some(0.25),
        (Section::Hot, b"ES256" | b"EdDSA") => Some(0.13),
        (Section::Fresh, b"RS256") => Some(1.15),
        (Section::Fresh, b"PS256") => Some(4.5),
        (Section::Fresh, b"ES256" | b"EdDSA") => Some(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_case_is_there_once_and_measures_what_the_others_are_compared_with() {
        let cases = all(false, 1_000);
        let names: BTreeSet<_> = cases.iter().map(Case::full_name).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            for variant in [Variant::Open, Variant::Native, Variant::Gate] {
                assert!(case.variants.contains(&variant), "{} {variant:?}", case.full_name());
            }
        }
        assert_eq!(cases.iter().filter(|case| case.goal.is_some()).count(), 7);
    }

    #[test]
    fn the_quick_form_is_a_part_that_has_all_sections() {
        let (quick, full) = (all(true, 1_000), all(false, 1_000));
        assert!(quick.len() < full.len() / 2);
        for section in Section::ALL {
            assert!(quick.iter().any(|case| case.section == section), "{section:?}");
        }
    }
}
