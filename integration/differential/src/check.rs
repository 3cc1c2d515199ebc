//! Running the cases that are written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jwt_gate_envoy::{Behaviour, Error, Fault};
use jwt_gate_scenario::{Expansion, Keyring};
use serde_json::{Map, Value};

use crate::divergence::Divergence;
use crate::stage::{Behind, Door, Stage, Version};
use crate::trial::Trial;
use crate::written::{Configuration, Fields};

/// How often a case is tried: a token at the end of its life may be judged in two seconds.
const ATTEMPTS: u32 = 3;
/// Configurations that are worked on at once.
const WORKERS: usize = 2;

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests that both sides answered.
    pub comparisons: usize,
    /// What was not as written, each with its place.
    pub failures: Vec<String>,
    /// The divergences that showed.
    pub shown: BTreeSet<String>,
}

/// A configuration with what both sides made of it.
struct Pair<'c> {
    configuration: &'c Configuration,
    native: Result<Door, Vec<String>>,
    ours: Result<Door, Vec<String>>,
}

/// Runs all cases.
///
/// # Errors
/// Envoy cannot be told, or a configuration cannot be expanded.
pub fn run(
    stage: &Stage,
    keyring: &Keyring,
    configurations: &[Configuration],
) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut behind = Vec::new();
    let mut sound = Vec::new();
    for (number, configuration) in configurations.iter().enumerate() {
        match prepare(stage, keyring, number, configuration) {
            Ok(pair) => {
                behind.extend(pair);
                sound.push(configuration);
            }
            Err(problem) => report.failures.push(format!("{}: {problem}", place(configuration))),
        }
    }
    let mut doors = stage.put_up(&behind)?.into_iter();
    let mut pairs = Vec::new();
    for configuration in sound {
        if let (Some(native), Some(ours)) = (doors.next(), doors.next()) {
            pairs.push(Pair { configuration, native, ours });
        }
    }
    let (queue, report) = (Mutex::new(pairs.into_iter()), Mutex::new(report));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(pair) = next else { return };
                    let found = pair.play(stage, keyring);
                    report.lock().unwrap_or_else(PoisonError::into_inner).add(found);
                }
            });
        }
    });
    Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What the list of divergences says that the cases do not show.
#[must_use]
pub fn stale(
    divergences: &BTreeMap<String, Divergence>,
    configurations: &[Configuration],
    shown: &BTreeSet<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let cases = shown_by(configurations);
    for (id, divergence) in divergences {
        if !shown.contains(id) {
            problems.push(format!("divergence `{id}` is listed and does not show"));
        }
        let Some(case) = cases.get(&divergence.case) else {
            problems.push(format!("divergence `{id}`: there is no case `{}`", divergence.case));
            continue;
        };
        let written = (Some(id), divergence.native.as_str(), divergence.ours.as_str());
        if (case.0, case.1.as_str(), case.2.as_str()) != written {
            problems.push(format!(
                "divergence `{id}`: its case shows {:?}, native `{}`, ours `{}`",
                case.0, case.1, case.2
            ));
        }
    }
    let listed = |id: &&String| !divergences.contains_key(*id);
    problems.extend(
        shown.iter().filter(listed).map(|id| format!("divergence `{id}` shows and is not listed")),
    );
    problems
}

/// What each case, and each configuration that is refused, shows: the divergence, what the native
/// filter says, what ours says.
fn shown_by(
    configurations: &[Configuration],
) -> BTreeMap<String, (Option<&String>, String, String)> {
    let mut shown = BTreeMap::new();
    for configuration in configurations {
        let file = &configuration.file;
        for case in &configuration.cases {
            let native = text(case.native(), &case.native_with);
            let ours = text(case.ours(), &case.ours_with);
            let case_id = format!("{file}: {}", case.id);
            shown.insert(case_id, (case.divergence.as_ref(), native, ours));
        }
        if let Some(refused) = &configuration.refused {
            let verdict = |words: &Option<String>| match words {
                Some(words) => format!("refused: {words}"),
                None => "taken".to_owned(),
            };
            let (native, ours) = (verdict(&refused.native), verdict(&refused.ours));
            let name = format!("{file}: {}", configuration.name);
            shown.insert(name, (refused.divergence.as_ref(), native, ours));
        }
    }
    shown
}

/// An expectation with its fields, in one line.
fn text(outcome: &str, fields: &Fields) -> String {
    fields.iter().fold(outcome.to_owned(), |text, (name, values)| {
        let values = values.list().join(", ");
        format!("{text}; {name}: {}", if values.is_empty() { "none" } else { &values })
    })
}

fn place(configuration: &Configuration) -> String {
    format!("{}: {}", configuration.file, configuration.name)
}

impl Report {
    fn add(&mut self, other: Self) {
        self.comparisons = self.comparisons.saturating_add(other.comparisons);
        self.failures.extend(other.failures);
        self.shown.extend(other.shown);
    }
}

/// Both sides of a configuration.
fn prepare(
    stage: &Stage,
    keyring: &Keyring,
    number: usize,
    configuration: &Configuration,
) -> Result<[Behind; 2], String> {
    let mut expansion = Expansion::new(keyring, "");
    expansion.set_now(stage.now());
    let idp = &configuration.idp;
    let body = idp.body.as_deref().map(|body| expansion.bytes(body)).transpose();
    let body = body.map_err(|error| format!("idp: {error}"))?;
    let default = if body.is_some() { 200 } else { 404 };
    let behaviour = Behaviour::ok(body.unwrap_or_default());
    let behaviour = behaviour.with_status(idp.status.unwrap_or(default));
    let behaviour = match (idp.reset, idp.silent) {
        (true, _) => behaviour.with_fault(Fault::Reset),
        (false, true) => behaviour.with_fault(Fault::Timeout),
        (false, false) => behaviour,
    };
    let uri = stage.serve(&format!("/{number}/jwks.json"), behaviour);
    let mut expansion = Expansion::new(keyring, &uri);
    expansion.set_now(stage.now());
    let text = expansion.json(&configuration.config).map_err(|error| error.to_string())?;
    let yaml = !text.trim_start().starts_with('{');
    let native: Value = match yaml {
        true => serde_yaml_ng::from_str(&text).map_err(|error| format!("config: {error}"))?,
        false => serde_json::from_str(&text).map_err(|error| format!("config: {error}"))?,
    };
    let mut ours = native.clone();
    if let Some(more) = &configuration.ours_has
        && let Some(members) = ours.as_object_mut()
    {
        let more: Map<String, Value> =
            serde_json::from_str(&more.members).map_err(|error| format!("ours_has: {error}"))?;
        members.extend(more);
    }
    // Half of them by each of the ways that Envoy has to tell a module, YAML by the one that it takes.
    // An empty `Struct` is no bytes.
    let empty = ours.as_object().is_none_or(Map::is_empty);
    let ours = match (number.is_multiple_of(2) || yaml, configuration.ours_has.is_some()) {
        (true, _) if !empty => Behind::GateOfStruct(ours),
        (_, true) => Behind::Gate(ours.to_string()),
        (_, false) => Behind::Gate(text),
    };
    Ok([Behind::Native(native), ours])
}

impl Pair<'_> {
    fn play(mut self, stage: &Stage, keyring: &Keyring) -> Report {
        let mut report = Report::default();
        let place = place(self.configuration);
        for problem in self.check_refusal(&mut report.shown) {
            report.failures.push(format!("{place}: {problem}"));
        }
        let (Ok(native), Ok(ours)) = (&mut self.native, &mut self.ours) else { return report };
        let cases = || self.configuration.cases.iter();
        let by_both = cases()
            .map(|case| (case, Version::Http1))
            .chain(cases().filter(|case| !case.http1).map(|case| (case, Version::Http2)));
        for (case, version) in by_both {
            let mut problems = Vec::new();
            for _ in 0..ATTEMPTS {
                report.comparisons = report.comparisons.saturating_add(1);
                let tried = Trial::new(stage, keyring, case).map_err(|error| error.to_string());
                let compared = tried.and_then(|trial| {
                    let request = &trial.request;
                    let sent = (native.send(request, version), ours.send(request, version));
                    let native = sent.0.map_err(|error| format!("native: {error}"))?;
                    let ours = sent.1.map_err(|error| format!("ours: {error}"))?;
                    Ok(trial.compare(&native, &ours))
                });
                let (found, shown) =
                    compared.unwrap_or_else(|problem| (vec![problem], BTreeSet::new()));
                problems = found;
                if problems.is_empty() {
                    report.shown.extend(shown);
                    break;
                }
            }
            let id = match version {
                Version::Http1 => case.id.clone(),
                Version::Http2 => format!("{}, by HTTP/2", case.id),
            };
            report.failures.extend(problems.iter().map(|p| format!("{place}: {id}: {p}")));
        }
        report
    }

    fn check_refusal(&self, shown: &mut BTreeSet<String>) -> Vec<String> {
        let mut problems = Vec::new();
        let expected = self.configuration.refused.as_ref();
        for (side, wanted, came) in [
            ("native", expected.and_then(|r| r.native.as_ref()), &self.native),
            ("ours", expected.and_then(|r| r.ours.as_ref()), &self.ours),
        ] {
            match (wanted, came) {
                (None, Ok(_)) => {}
                (Some(wanted), Err(said)) if said.iter().any(|line| line.contains(wanted)) => {}
                (Some(_), Ok(_)) => problems.push(format!("{side} takes the configuration")),
                (_, Err(said)) => {
                    problems
                        .push(format!("{side} refuses the configuration:\n{}", said.join("\n")));
                }
            }
        }
        if problems.is_empty() {
            shown.extend(expected.and_then(|refused| refused.divergence.clone()));
            shown.extend(self.configuration.ours_has.as_ref().map(|more| more.divergence.clone()));
        }
        problems
    }
}
