//! Playing a scenario against a driver.

mod compare;

use std::collections::BTreeMap;

use crate::audit;
use crate::driver::{Document, Driver, Endpoint, Reply, Request};
use crate::expand::{ExpandError, Expansion};
use crate::keyring::Keyring;
use crate::suite::{Expected, RequestText, Scenario, Step};

/// What became of a scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// All was as expected.
    Passed,
    /// It does not run here; why.
    Skipped(String),
    /// What was not as expected, each with what came instead.
    Failed(Vec<String>),
}

/// Plays a scenario. The first step that is not as expected ends it.
pub fn run(scenario: &Scenario, driver: &mut dyn Driver, keyring: &Keyring) -> Outcome {
    if let Some(reason) = skipped(scenario, driver) {
        return Outcome::Skipped(reason);
    }
    let failed = |place: &str, problems: Vec<String>| {
        let line = |problem| format!("{}: {place}: {problem}", scenario.name);
        Outcome::Failed(problems.into_iter().map(line).collect())
    };
    let mut expansion = Expansion::new(keyring, &driver.idp_uri()).with_token(&scenario.token);
    expansion.set_now(driver.now());
    let config = match expansion.json(&scenario.config) {
        Ok(config) => config,
        Err(error) => return failed("config", vec![error.to_string()]),
    };
    if let Some(longest) = driver.longest_configuration()
        && config.len() > longest
    {
        return Outcome::Skipped(format!("its configuration has more than {longest} bytes"));
    }
    if let Err(problems) = start(scenario, &config, driver, &mut expansion) {
        return failed("start", problems);
    }
    for (number, step) in (1..).zip(&scenario.steps) {
        if let Err(problems) = play(step, driver, &mut expansion) {
            return failed(&place(number, step), problems);
        }
    }
    Outcome::Passed
}

/// Expands all texts of a scenario without a driver, and sees that its configuration is JSON.
///
/// Finds what is wrong with a scenario itself. A scenario about a refused configuration may have
/// one that is not JSON.
pub fn rehearse(scenario: &Scenario, keyring: &Keyring) -> Result<(), String> {
    let wrong = |place: &str, error: &dyn std::fmt::Display| {
        format!("{}: {}: {place}: {error}", scenario.file, scenario.name)
    };
    let uri = "http://127.0.0.1:9/jwks";
    let mut expansion = Expansion::new(keyring, uri).with_token(&scenario.token);
    expansion.set_now(1_900_000_000);
    let config = expansion.json(&scenario.config).map_err(|e| wrong("config", &e))?;
    let json: Result<serde_json::Value, _> = serde_json::from_str(&config);
    if let (Err(error), None) = (json, &scenario.faults) {
        return Err(wrong("config", &error));
    }
    for endpoint in scenario.idp.values() {
        endpoint.expand(&mut expansion).map_err(|e| wrong("idp", &e))?;
    }
    for (number, step) in (1..).zip(&scenario.steps) {
        let place = place(number, step);
        for endpoint in step.idp.values() {
            endpoint.expand(&mut expansion).map_err(|e| wrong(&place, &e))?;
        }
        if let Some((request, expected)) = &step.request {
            request.expand(&mut expansion).map_err(|e| wrong(&place, &e))?;
            expected.expand(&mut expansion).map_err(|e| wrong(&place, &e))?;
        }
    }
    Ok(())
}

fn skipped(scenario: &Scenario, driver: &dyn Driver) -> Option<String> {
    if let Some(reason) = scenario.skipped_at(driver.level()) {
        return Some(reason.to_owned());
    }
    if !driver.has_endpoint() && scenario.is_about_fetching() {
        return Some("it is about fetching keys".to_owned());
    }
    let longest = driver.longest_wait()?;
    (scenario.wait() > longest)
        .then(|| format!("more time passes in it than {} s", longest.as_secs_f32()))
}

fn start(
    scenario: &Scenario,
    config: &str,
    driver: &mut dyn Driver,
    expansion: &mut Expansion<'_>,
) -> Result<(), Vec<String>> {
    let one = |place: &str, e: &ExpandError| vec![format!("{place}: {e}")];
    let mut idp = Endpoint::absent();
    for (document, endpoint) in &scenario.idp {
        let endpoint = endpoint.expand(expansion).map_err(|e| one("idp", &e))?;
        match document {
            Document::Keys => idp = endpoint,
            Document::Moved | Document::Discovery | Document::Metadata => {
                driver.endpoint(*document, endpoint);
            }
        }
    }
    match (driver.start(config, idp), &scenario.faults) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(faults)) => Err(vec![format!(
            "the configuration is accepted; expected faults:\n{}",
            compare::lines(faults)
        )]),
        (Err(came), None) => {
            Err(vec![format!("the configuration is refused:\n{}", compare::lines(&came))])
        }
        (Err(came), Some(faults)) if came == *faults => Ok(()),
        (Err(came), Some(faults)) => Err(vec![format!(
            "faults: expected\n{}\n  came\n{}",
            compare::lines(faults),
            compare::lines(&came)
        )]),
    }
}

fn play(
    step: &Step,
    driver: &mut dyn Driver,
    expansion: &mut Expansion<'_>,
) -> Result<(), Vec<String>> {
    let one = |e: ExpandError| vec![e.to_string()];
    // Lines of before do not count for this step.
    drop(driver.logs());
    if !step.after.is_zero() {
        driver.advance(step.after);
    }
    expansion.set_now(driver.now());
    for (document, endpoint) in &step.idp {
        driver.endpoint(*document, endpoint.expand(expansion).map_err(one)?);
    }
    let mut problems = Vec::new();
    if let Some((request, expected)) = &step.request {
        let request = request.expand(expansion).map_err(one)?;
        let expected = expected.expand(expansion).map_err(one)?;
        match driver.send(request) {
            Ok(reply) => problems.extend(expected.compare(&reply)),
            Err(error) => problems.push(format!("the request was not decided: {error}")),
        }
    }
    problems.extend(left(step, driver, expansion).map_err(one)?);
    if let (Some(expected), Some(came)) = (step.fetches, driver.fetches())
        && expected != came
    {
        problems.push(format!("fetches: expected {expected}, came {came}"));
    }
    problems.extend(counted(step, driver));
    if let Some(lines) = driver.logs() {
        problems.extend(audit::faults(&lines).into_iter().map(|fault| format!("audit: {fault}")));
        problems.extend(audited(step, &lines, expansion).map_err(one)?);
        let missing = step.log.iter().filter(|part| !lines.iter().any(|l| l.contains(*part)));
        problems.extend(missing.map(|part| {
            format!("log: expected a line with `{part}`, came\n{}", compare::lines(&lines))
        }));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The counters that are not as the step expects them, where they can be seen.
fn counted(step: &Step, driver: &mut dyn Driver) -> Vec<String> {
    if step.counters.is_empty() {
        return Vec::new();
    }
    let Some(came) = driver.counters() else { return Vec::new() };
    let value = |name: &String| came.get(name).copied().unwrap_or(0);
    let wrong = step.counters.iter().filter(|(name, wanted)| value(name) != **wanted);
    wrong.map(|(name, wanted)| format!("{name}: expected {wanted}, came {}", value(name))).collect()
}

/// How the audit lines differ from those that the step expects.
fn audited(
    step: &Step,
    lines: &[String],
    expansion: &mut Expansion<'_>,
) -> Result<Option<String>, ExpandError> {
    let Some(texts) = &step.audit else { return Ok(None) };
    let texts = texts.iter().map(|text| expansion.text(text));
    let wanted = texts.collect::<Result<Vec<_>, _>>()?;
    let came = audit::lines(lines);
    let said = || {
        let (wanted, came) = (compare::lines(&wanted), compare::lines(&came));
        format!("audit: expected\n{wanted}\n  came\n{came}")
    };
    Ok((wanted != came).then(said))
}

/// What is not left for later filters as the step expects it, where that can be seen.
fn left(
    step: &Step,
    driver: &dyn Driver,
    expansion: &mut Expansion<'_>,
) -> Result<Vec<String>, ExpandError> {
    let mut problems = Vec::new();
    let Some(left) = driver.left() else { return Ok(problems) };
    if let Some(exports) = &step.exports {
        let mut wanted = BTreeMap::new();
        for (name, value) in exports {
            wanted.insert(name.clone(), expansion.bytes(value)?);
        }
        let came = without_times(&left.exports);
        if wanted != came {
            let (wanted, came) = (compare::exports(&wanted), compare::exports(&came));
            problems.push(format!("exports: expected {wanted}, came {came}"));
        }
    }
    if let Some(wanted) = step.rerouted.filter(|wanted| *wanted != left.rerouted) {
        problems.push(format!("rerouted: expected {wanted}, came {}", left.rerouted));
    }
    Ok(problems)
}

/// The same, but for the time in the text of an audit line.
fn without_times(exports: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let without = |(name, value): (&String, &Vec<u8>)| {
        let text = str::from_utf8(value).map(|text| audit::without_time(text).into_bytes());
        (name.clone(), text.unwrap_or_else(|_| value.clone()))
    };
    exports.iter().map(without).collect()
}

fn place(number: usize, step: &Step) -> String {
    match &step.request {
        Some((request, _)) => format!("step {number} ({} {})", request.method, request.target),
        None => format!("step {number}"),
    }
}

impl RequestText {
    fn expand(&self, expansion: &mut Expansion<'_>) -> Result<Request, ExpandError> {
        let target = expansion.bytes(&self.target)?;
        let mut headers = Vec::new();
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            headers.push(("host".to_owned(), b"api.example".to_vec()));
        }
        for (name, value) in &self.headers {
            headers.push((name.clone(), expansion.bytes(value)?));
        }
        Ok(Request { method: self.method.clone(), target, headers })
    }
}

impl Expected {
    fn expand(&self, expansion: &mut Expansion<'_>) -> Result<compare::Wanted, ExpandError> {
        match self {
            Self::Allow { path, upstream, gone } => {
                let target = path.as_deref().map(|path| expansion.bytes(path)).transpose()?;
                let mut headers = Vec::new();
                for (name, values) in upstream {
                    let values = values.iter().map(|value| expansion.bytes(value));
                    headers.push((name.clone(), values.collect::<Result<_, _>>()?));
                }
                Ok(compare::Wanted::Allowed { target, headers, gone: gone.clone() })
            }
            Self::Deny { status, body, challenge, answer } => {
                let body = body.as_deref().map(|body| expansion.bytes(body)).transpose()?;
                let mut headers = Vec::new();
                if let Some(challenge) = challenge {
                    let value = expansion.bytes(challenge)?;
                    let values = if value.is_empty() { Vec::new() } else { vec![value] };
                    headers.push(("www-authenticate".to_owned(), values));
                }
                for (name, value) in answer {
                    headers.push((name.clone(), vec![expansion.bytes(value)?]));
                }
                Ok(compare::Wanted::Denied { status: *status, body, headers })
            }
        }
    }
}

#[cfg(test)]
mod tests;
