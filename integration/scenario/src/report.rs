//! Running all scenarios of a directory at one level.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::driver::{Driver, Level};
use crate::keyring::Keyring;
use crate::run::{Outcome, run};
use crate::suite::{LoadError, Scenario, Suite};

/// What became of the scenarios of a directory. Displays as a summary with what failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    level: Level,
    passed: usize,
    failed: Vec<Failure>,
    skipped: BTreeMap<String, Vec<String>>,
}

/// A scenario in which not all was as expected.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Failure {
    file: String,
    name: String,
    /// Each begins with the name.
    problems: Vec<String>,
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

    /// The names of those that failed.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.failed.iter().map(|failure| failure.name.as_str())
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
            Outcome::Failed(problems) => {
                let file = scenario.file().to_owned();
                self.failed.push(Failure { file, name, problems });
            }
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
        for Failure { file, problems, .. } in &self.failed {
            write!(f, "\n  FAILED {file}: {}", problems.join("\n    "))?;
        }
        Ok(())
    }
}

/// Runs all scenarios of `dir`, each with a driver of its own, and prints what became of them.
///
/// With the environment variable `SCENARIO`, only those run whose name has that in it.
pub fn run_suite<D: Driver>(
    dir: &Path,
    level: Level,
    factory: impl FnMut(&Scenario) -> D,
) -> Result<Report, LoadError> {
    let report = run_suite_matching(dir, level, &wanted(), factory)?;
    println!("{report}");
    Ok(report)
}

/// The same for the scenarios that have `wanted` in their name, and prints nothing; all have the
/// empty string.
pub fn run_suite_matching<D: Driver>(
    dir: &Path,
    level: Level,
    wanted: &str,
    mut factory: impl FnMut(&Scenario) -> D,
) -> Result<Report, LoadError> {
    let keyring = Keyring::new();
    let mut report = Report::new(level);
    for scenario in Suite::load(dir)?.iter().filter(|s| s.name().contains(wanted)) {
        report.add(scenario, perform(scenario, level, &keyring, &mut factory));
    }
    Ok(report)
}

/// What [`run_suite`] does, for drivers that mostly wait: so many scenarios are under way at once.
/// Prints nothing.
pub fn run_suite_at_once<D: Driver>(
    dir: &Path,
    level: Level,
    at_once: usize,
    factory: impl Fn(&Scenario) -> D + Sync,
) -> Result<Report, LoadError> {
    let (suite, keyring, wanted) = (Suite::load(dir)?, Keyring::new(), wanted());
    let next = Mutex::new(suite.iter().filter(|s| s.name().contains(&wanted)).enumerate());
    let outcomes = Mutex::new(BTreeMap::new());
    let hand = || {
        // The lock is for taking the next one only.
        let next = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((place, scenario)) = next() {
            let outcome = perform(scenario, level, &keyring, &factory);
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.insert(place, (scenario, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(hand);
        }
    });
    let mut report = Report::new(level);
    for (scenario, outcome) in outcomes.into_inner().unwrap_or_default().into_values() {
        report.add(scenario, outcome);
    }
    Ok(report)
}

fn wanted() -> String {
    std::env::var("SCENARIO").unwrap_or_default()
}

fn perform<D: Driver>(
    scenario: &Scenario,
    level: Level,
    keyring: &Keyring,
    mut factory: impl FnMut(&Scenario) -> D,
) -> Outcome {
    match scenario.skipped_at(level) {
        // Not even a driver is made: at some levels it is a whole proxy.
        Some(reason) => Outcome::Skipped(reason.to_owned()),
        None => run(scenario, &mut factory(scenario), keyring),
    }
}
