//! `jwt-gate test`: tables of requests with what is expected of them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jwt_gate::policy::Policy;
use jwt_gate_core_driver::Core;
use jwt_gate_scenario::{Keyring, Outcome, Scenario, Suite, run};
use serde::Serialize;

use crate::Ending;
use crate::configuration;
use crate::document::{Member, Node, Passage, Value};
use crate::error::Error;
use crate::output::{BAD, DOUBTFUL, GOOD, NAME, Output, styled};
use crate::progress::Progress;
use crate::source::Source;

/// Test a policy with requests and what is expected of them.
///
/// The tests are files of scenarios, which tests/scenarios/README.md describes. Their tokens are signed with keys that are
/// made for the occasion, and every provider of the policy has these keys in place of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration, or a file that has one in it.
    #[arg(value_name = "FILE")]
    policy: String,
    /// Files of scenarios.
    #[arg(required = true, value_name = "TESTS")]
    tests: Vec<PathBuf>,
    /// Run only those with this in their name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Fail when there is a rule that no test reaches.
    #[arg(long)]
    every_rule: bool,
}

/// What became of all tests.
#[derive(Debug, Serialize)]
struct Report {
    tests: Vec<Tested>,
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Rules that no test reached.
    untested_rules: Vec<RuleName>,
}

/// What became of a test.
#[derive(Debug, Serialize)]
struct Tested {
    name: String,
    file: String,
    outcome: &'static str,
    /// What was not as expected, or why it was skipped.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RuleName {
    name: String,
    place: String,
}

/// Tests, each with its file.
type Tests<'a> = Vec<(&'a Path, Scenario)>;

/// Keys that every provider has.
const KEYS: &str = "${jwks rsa-1 p256-1 p384-1 p521-1 ed25519-1 hmac-1}";

/// Runs the tests.
pub(crate) fn run_all(arguments: &Arguments, output: &mut Output<'_>) -> Result<Ending, Error> {
    let source = Source::read(&arguments.policy)?;
    let mut root = configuration::only(&source)?.root;
    let policy = Policy::from_json(root.to_string().as_bytes());
    let policy = policy.map_err(|faults| Error::faults(&arguments.policy, &faults))?;
    replace_local_keys(&mut root);
    let config = root.to_string();
    let mut scenarios = Vec::new();
    for path in &arguments.tests {
        let read = Suite::about(path, &config).map_err(|e| Error::Tests(e.to_string()))?;
        scenarios.extend(read.into_iter().map(|test| (path.as_path(), test)));
    }
    let scenarios = chosen(scenarios, &arguments.only)?;
    let (keyring, mut reached) = (Keyring::new(), BTreeSet::new());
    let progress = Progress::new("tests", scenarios.len());
    let tests = scenarios.iter().map(|(path, scenario)| {
        progress.step(scenario.name());
        let mut core = Core::new();
        let outcome = run(scenario, &mut core, &keyring);
        reached.extend(core.rules().iter().cloned());
        Tested::of(path, scenario.name(), outcome)
    });
    let tests: Vec<_> = tests.collect();
    drop(progress);
    let untested = policy.rules().filter(|(place, _)| !reached.contains(place));
    let untested = untested.map(|(place, rule)| RuleName { name: rule.name.to_string(), place });
    let report = Report::of(tests, untested.collect());
    output.result(&report)?;
    let is_whole = report.untested_rules.is_empty() || !arguments.every_rule;
    let is_good = report.failed == 0 && report.passed > 0 && is_whole;
    Ok(if is_good { Ending::Good } else { Ending::Faults })
}

/// The tests with a text in their name. That there are none is a mistake: a run of nothing shows nothing.
fn chosen<'a>(tests: Tests<'a>, text: &str) -> Result<Tests<'a>, Error> {
    let all = tests.len();
    let chosen: Vec<_> = tests.into_iter().filter(|(_, test)| test.name().contains(text)).collect();
    if chosen.is_empty() {
        return Err(Error::Argument(match all {
            0 => "there is no test in these files".to_owned(),
            _ => format!("--only {text:?}: none of the {all} tests has that in its name"),
        }));
    }
    Ok(chosen)
}

/// Puts the keys of the tests in place of those that stand in the configuration. Those behind a URL
/// come from the endpoint that a scenario describes.
fn replace_local_keys(root: &mut Node) {
    let Some(Value::Object(providers)) = root.member_mut("providers").map(|node| &mut node.value)
    else {
        return;
    };
    for provider in providers {
        let Value::Object(members) = &mut provider.node.value else { continue };
        let is_local = |member: &&mut Member| matches!(&*member.name, "local_jwks" | "localJwks");
        for member in members.iter_mut().filter(is_local) {
            let text = Node { at: member.at, value: Value::Text(Passage::whole(KEYS)) };
            let name = "inline_string".to_owned();
            member.node.value = Value::Object(vec![Member { at: member.at, name, node: text }]);
        }
    }
}

impl Tested {
    fn of(path: &Path, name: &str, outcome: Outcome) -> Self {
        let (outcome, problems) = match outcome {
            Outcome::Passed => ("passed", Vec::new()),
            Outcome::Skipped(reason) => ("skipped", vec![reason]),
            Outcome::Failed(problems) => ("failed", problems),
        };
        Self { name: name.to_owned(), file: path.display().to_string(), outcome, problems }
    }
}

impl Report {
    fn of(tests: Vec<Tested>, untested_rules: Vec<RuleName>) -> Self {
        let count = |outcome| tests.iter().filter(|test| test.outcome == outcome).count();
        let (passed, failed, skipped) = (count("passed"), count("failed"), count("skipped"));
        Self { tests, passed, failed, skipped, untested_rules }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for test in &self.tests {
            let mark = match test.outcome {
                "passed" => styled(GOOD, "✔"),
                "failed" => styled(BAD, "✘"),
                _ => styled(DOUBTFUL, "-"),
            };
            writeln!(f, "{mark} {}", test.name)?;
            test.problems.iter().try_for_each(|problem| writeln!(f, "    {problem}"))?;
        }
        let style = if self.failed == 0 { GOOD } else { BAD };
        let passed = format!("{} passed, {} failed", self.passed, self.failed);
        writeln!(f, "{}, {} skipped", styled(style, passed), self.skipped)?;
        if !self.untested_rules.is_empty() {
            let named = |rule: &RuleName| format!("{} ({})", styled(NAME, &rule.name), rule.place);
            let names: Vec<_> = self.untested_rules.iter().map(named).collect();
            writeln!(f, "{} {}", styled(DOUBTFUL, "no test reaches:"), names.join(", "))?;
        }
        Ok(())
    }
}
