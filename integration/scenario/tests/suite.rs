//! The scenarios of the project: sound by themselves, and able to fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jwt_gate_scenario::{
    Document, Driver, Endpoint, Keyring, Level, LoadError, Reply, Report, Request, Suite, rehearse,
    run_suite_matching,
};

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")
}

/// A gate that decides nothing.
#[derive(Debug)]
struct Fixed {
    open: bool,
    longest: Option<Duration>,
}

impl Driver for Fixed {
    fn level(&self) -> Level {
        Level::Core
    }

    fn now(&self) -> u64 {
        1_900_000_000
    }

    fn idp_uri(&self) -> String {
        "http://127.0.0.1:9/jwks".to_owned()
    }

    fn start(&mut self, _: &str, _: Endpoint) -> Result<(), Vec<String>> {
        Ok(())
    }

    fn endpoint(&mut self, _: Document, _: Endpoint) {}

    fn advance(&mut self, _: Duration) {}

    fn send(&mut self, request: Request) -> Result<Reply, String> {
        let Request { target, headers, .. } = request;
        Ok(if self.open {
            Reply::Allowed { target, headers }
        } else {
            Reply::Denied { status: 401, headers: Vec::new(), body: Vec::new() }
        })
    }

    fn fetches(&self) -> Option<u64> {
        None
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        None
    }

    fn longest_wait(&self) -> Option<Duration> {
        self.longest
    }
}

fn report(open: bool, wanted: &str) -> Result<Report, LoadError> {
    let factory = |_: &_| Fixed { open, longest: None };
    run_suite_matching(&scenarios(), Level::Core, wanted, factory)
}

/// The last cell of each row is a scenario's name, or `None` where another cell says that there is
/// no counterpart.
#[test]
fn each_row_of_the_migration_page_is_shown_by_a_scenario_or_has_no_counterpart() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/migration.md");
    let page = std::fs::read_to_string(page).unwrap();
    let suite = Suite::load(&scenarios()).unwrap();
    let names: BTreeSet<&str> = suite.iter().map(|scenario| scenario.name()).collect();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
    let rows: Vec<&[&str]> =
        rows.iter().map(Vec::as_slice).filter(|row| row.last() != Some(&"shown by")).collect();
    assert!(rows.len() > 100, "{}", rows.len());
    let is_shown = |row: &&[&str]| match row {
        [_, here, "None"] => here.starts_with("none: "),
        [_, _, shown] => names.contains(shown),
        _ => false,
    };
    let wrong: Vec<&[&str]> = rows.into_iter().filter(|row| !is_shown(row)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_scenario_loads_and_expands() {
    let keyring = Keyring::new();
    let suite = Suite::load(&scenarios()).unwrap();
    let faults: Vec<String> = suite.iter().filter_map(|s| rehearse(s, &keyring).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(suite.len() >= 90, "{} scenarios", suite.len());
}

#[test]
fn no_scenario_passes_with_an_open_gate_and_with_a_shut_one() {
    let failed =
        |report: &Report| -> BTreeSet<String> { report.failed().map(str::to_owned).collect() };
    let (open, shut) = (report(true, "").unwrap(), report(false, "").unwrap());
    assert!(!open.all_passed() && !shut.all_passed());
    let (open_failed, shut_failed) = (failed(&open), failed(&shut));
    for scenario in Suite::load(&scenarios()).unwrap() {
        let name = scenario.name();
        let runs = scenario.skipped_at(Level::Core).is_none();
        let told = open_failed.contains(name) || shut_failed.contains(name);
        assert!(!runs || told, "{}: {name}: shows nothing", scenario.file());
    }
    let skipped: usize = open.skipped().values().map(Vec::len).sum();
    let summary = format!(
        "core: {} scenarios passed, {} failed, {skipped} skipped",
        open.passed(),
        open_failed.len()
    );
    assert!(open.to_string().starts_with(&summary), "{open}");
}

#[test]
fn nothing_run_is_nothing_passed() {
    let report = report(true, "no scenario has this in its name").unwrap();
    assert_eq!(report.to_string(), "core: 0 scenarios passed, 0 failed, 0 skipped");
    assert!(!report.all_passed());
}

#[test]
fn what_takes_too_long_for_a_level_is_skipped_with_the_reason() {
    let factory = |_: &_| Fixed { open: true, longest: Some(Duration::ZERO) };
    let report = run_suite_matching(&scenarios(), Level::Core, "", factory).unwrap();
    let names = report.skipped().get("more time passes in it than 0 s").unwrap();
    assert!(report.to_string().contains(&format!("\n  {} skipped: more time", names.len())));
}
