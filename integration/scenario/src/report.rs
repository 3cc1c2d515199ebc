//! Running all scenarios of a directory at one level.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::driver::{Driver, Level};
use crate::keyring::Keyring;
use crate::run::{Outcome, run};
use crate::suite::{LoadError, Scenario, Suite};

/// What became of the scenarios of a directory. Displays as the closing summary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    level: Level,
    passed: usize,
    failed: Vec<(String, Vec<String>)>,
    skipped: BTreeMap<String, Vec<String>>,
}

impl Report {
    /// Whether there was something to run and none of it failed.
    #[must_use]
    pub fn all_passed(&self) -> bool {
        self.failed.is_empty() && self.passed > 0
    }

    /// How many scenarios passed.
    #[must_use]
    pub const fn passed(&self) -> usize {
        self.passed
    }

    /// Those that failed, by name, with what was not as expected.
    #[must_use]
    pub fn failed(&self) -> &[(String, Vec<String>)] {
        &self.failed
    }

    /// Those that did not run, by reason.
    #[must_use]
    pub const fn skipped(&self) -> &BTreeMap<String, Vec<String>> {
        &self.skipped
    }

    const fn new(level: Level) -> Self {
        Self { level, passed: 0, failed: Vec::new(), skipped: BTreeMap::new() }
    }

    fn add(&mut self, scenario: &Scenario, outcome: Outcome) {
        let name = scenario.name().to_owned();
        match outcome {
            Outcome::Passed => self.passed = self.passed.saturating_add(1),
            Outcome::Skipped(reason) => self.skipped.entry(reason).or_default().push(name),
            Outcome::Failed(problems) => self.failed.push((name, problems)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped: usize = self.skipped.values().map(Vec::len).sum();
        write!(
            f,
            "{}: {} scenarios passed, {} failed, {skipped} skipped",
            self.level,
            self.passed,
            self.failed.len()
        )?;
        for (reason, names) in &self.skipped {
            write!(f, "\n  {} skipped: {reason}", names.len())?;
        }
        Ok(())
    }
}

/// Runs all scenarios of `dir`, each with a driver of its own, and prints what failed and a summary.
///
/// With the environment variable `SCENARIO`, only those run whose name has that in it.
pub fn run_suite<D: Driver>(
    dir: &Path,
    level: Level,
    factory: impl FnMut(&Scenario) -> D,
) -> Result<Report, LoadError> {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    run_suite_matching(dir, level, &wanted, factory)
}

/// The same for the scenarios that have `wanted` in their name; all have the empty string.
pub fn run_suite_matching<D: Driver>(
    dir: &Path,
    level: Level,
    wanted: &str,
    mut factory: impl FnMut(&Scenario) -> D,
) -> Result<Report, LoadError> {
    let keyring = Keyring::new();
    let mut report = Report::new(level);
    for scenario in Suite::load(dir)?.iter().filter(|s| s.name().contains(wanted)) {
        let outcome = match scenario.skipped_at(level) {
            // Not even a driver is made: at some levels it is a whole proxy.
            Some(reason) => Outcome::Skipped(reason.to_owned()),
            None => run(scenario, &mut factory(scenario), &keyring),
        };
        if let Outcome::Failed(problems) = &outcome {
            println!("{level}: FAILED {}: {}", scenario.file(), problems.join("\n  "));
        }
        report.add(scenario, outcome);
    }
    println!("{report}");
    Ok(report)
}
