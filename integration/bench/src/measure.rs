//! Rounds of measurements, each of all variants of all cases.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use jwt_gate_envoy::{Bootstrap, Client, Envoy, Options, Request};

use crate::{
    case::Case,
    error::Error,
    process::{self, Cores},
    stats::Spread,
    subject::{Subject, Variant, Workshop},
    wrk::{Counted, Load, Wrk},
};

/// Runs of this many seconds are not made longer where no answer came.
const LONGEST: u32 = 16;

/// Envoy with a listener for each subject.
#[derive(Debug)]
pub(crate) struct Stage {
    envoy: Envoy,
    addresses: BTreeMap<Subject, SocketAddr>,
    wrk: Wrk,
    /// How many tokens of its batch each subject has had for a case: the next run goes on there.
    sent: BTreeMap<(String, Variant), u32>,
}

/// One run of one variant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// CPU time of Envoy for a request, in µs.
    pub(crate) cpu: f64,
    /// Median time to the answer, in µs.
    pub(crate) p50: f64,
    /// Time within which 99 of 100 answers came, in µs.
    pub(crate) p99: f64,
}

/// What came of a case: for each variant, a sample of each round.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The case.
    pub(crate) case: Case,
    /// The samples.
    pub(crate) samples: BTreeMap<Variant, Vec<Sample>>,
}

impl Stage {
    /// Starts Envoy for these cases.
    pub(crate) fn start(
        workshop: &Workshop,
        cases: &[Case],
        cores: Cores,
        folder: &Path,
    ) -> Result<Self, Error> {
        let mut subjects: Vec<Subject> = cases.iter().flat_map(subjects).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let envoy = start(workshop, &subjects, 1, cores)?;
        let address = |subject: &Subject| Ok((*subject, envoy.address(&subject.to_string())?));
        let addresses = subjects.iter().map(address).collect::<Result<_, Error>>()?;
        Ok(Self { envoy, addresses, wrk: Wrk::new(folder)?, sent: BTreeMap::new() })
    }

    /// Version of Envoy, as it says it.
    pub(crate) fn version(&self) -> Result<String, Error> {
        let info = self.envoy.admin("/server_info")?;
        let info: serde_json::Value = serde_json::from_str(&info).unwrap_or_default();
        let version = info.get("version").and_then(serde_json::Value::as_str).unwrap_or_default();
        Ok(version.split('/').nth(1).unwrap_or("of unknown version").to_owned())
    }

    /// Sends one request of the case to each of its variants, and looks at the status.
    pub(crate) fn check(&self, case: &Case, token: &str) -> Result<(), Error> {
        for subject in subjects(case) {
            let answer = Client::new(self.address(subject)?).send(&request(&case.path, token))?;
            let expected = case.expected(subject.variant);
            if answer.status != expected {
                let came = format!("{} came: {}", answer.status, answer.text());
                return Err(unexpected(case, subject.variant, came));
            }
        }
        Ok(())
    }

    /// Measures one variant of a case for so many seconds.
    pub(crate) fn sample(
        &mut self,
        case: &Case,
        variant: Variant,
        tokens: &Path,
        seconds: u32,
    ) -> Result<Sample, Error> {
        let address = self.address(Subject { variant, setup: case.setup })?;
        let sent = self.sent.entry((case.full_name(), variant)).or_default();
        let (path, connections) = (case.path.as_str(), case.connections);
        let mut load = Load { address, path, tokens, skip: *sent, connections, seconds };
        let pid = self.envoy.pid();
        let mut before = process::cpu_time_at_rest(pid)?;
        let mut counted = self.wrk.run(&load)?;
        // On a busy machine the first answer to a slow algorithm may take longer than the run.
        while counted.requests == 0 && load.seconds < LONGEST {
            load.seconds = load.seconds.saturating_mul(2);
            before = process::cpu_time_at_rest(pid)?;
            counted = self.wrk.run(&load)?;
        }
        let spent = process::cpu_time_at_rest(pid)?.saturating_sub(before);
        *sent = sent.wrapping_add(counted.requests);
        verify(case, variant, counted)?;
        Ok(Sample {
            cpu: spent.as_secs_f64() * 1e6 / f64::from(counted.requests),
            p50: counted.p50.as_secs_f64() * 1e6,
            p99: counted.p99.as_secs_f64() * 1e6,
        })
    }

    fn address(&self, subject: Subject) -> Result<SocketAddr, Error> {
        let none = || jwt_gate_envoy::Error::NoListener(subject.to_string()).into();
        self.addresses.get(&subject).copied().ok_or_else(none)
    }
}

impl Outcome {
    /// A figure of a variant over the rounds.
    pub(crate) fn spread(&self, variant: Variant, figure: fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples.get(&variant)?.iter().map(figure))
    }

    /// CPU time of a variant over that of no filter in the same round, in µs.
    pub(crate) fn cost(&self, variant: Variant) -> Option<Spread> {
        Spread::of(self.costs(variant)?)
    }

    /// That time, as a part of what the native filter without cache took in the same round.
    pub(crate) fn ratio(&self, variant: Variant) -> Option<Spread> {
        let native = self.costs(Variant::Native)?;
        Spread::of(self.costs(variant)?.into_iter().zip(native).map(|(own, native)| own / native))
    }

    fn costs(&self, variant: Variant) -> Option<Vec<f64>> {
        let open = self.samples.get(&Variant::Open)?;
        let pairs = self.samples.get(&variant)?.iter().zip(open);
        Some(pairs.map(|(own, open)| own.cpu - open.cpu).collect())
    }
}

/// Starts Envoy with these subjects on its own core.
pub(crate) fn start(
    workshop: &Workshop,
    subjects: &[Subject],
    workers: u32,
    cores: Cores,
) -> Result<Envoy, Error> {
    let listeners = subjects.iter().map(|subject| workshop.listener(*subject));
    let bootstrap = listeners.fold(Bootstrap::new(), Bootstrap::listener);
    let mut options = Options::default();
    options.concurrency = workers;
    // At level info, the default of the tests, a refusal may be worth a line.
    "wasm:warning".clone_into(&mut options.component_log_level);
    Ok(cores.on_proxy(|| Envoy::start(&bootstrap, &options))??)
}

/// A GET with a token; without one where it is empty.
pub(crate) fn request(path: &str, token: &str) -> Request {
    let request = Request::new("GET", path).header("host", "api.example");
    if token.is_empty() {
        return request;
    }
    request.header("authorization", format!("Bearer {token}").as_bytes())
}

fn subjects(case: &Case) -> impl Iterator<Item = Subject> {
    let setup = case.setup;
    case.variants.iter().map(move |variant| Subject { variant: *variant, setup })
}

/// A figure counts only where every request was answered, and as it should be.
fn verify(case: &Case, variant: Variant, counted: Counted) -> Result<(), Error> {
    let Counted { requests, refused, failed, .. } = counted;
    let wrong =
        if case.expected(variant) == 200 { refused } else { requests.saturating_sub(refused) };
    if requests == 0 || wrong > 0 || failed > 0 {
        let came = format!("of {requests} were {wrong} another one; {failed} more failed");
        return Err(unexpected(case, variant, came));
    }
    Ok(())
}

fn unexpected(case: &Case, variant: Variant, came: String) -> Error {
    let expected = case.expected(variant);
    Error::Unexpected { variant: variant.label(), case: case.full_name(), expected, came }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case;

    #[test]
    fn costs_are_compared_within_a_round() {
        let sample = |cpu| Sample { cpu, p50: 0.0, p99: 0.0 };
        let case = case::all(false, 1_000).remove(0);
        let samples = BTreeMap::from([
            (Variant::Open, vec![sample(10.0), sample(20.0), sample(30.0)]),
            (Variant::Native, vec![sample(30.0), sample(60.0), sample(40.0)]),
            (Variant::Gate, vec![sample(20.0), sample(30.0), sample(50.0)]),
        ]);
        let outcome = Outcome { case, samples };
        let spread = |median, least, most| Some(Spread { median, least, most });
        assert_eq!(outcome.cost(Variant::Native), spread(20.0, 10.0, 40.0));
        assert_eq!(outcome.ratio(Variant::Gate), spread(0.5, 0.25, 2.0));
        assert_eq!(outcome.spread(Variant::Open, |sample| sample.cpu), spread(20.0, 10.0, 30.0));
        assert_eq!(outcome.cost(Variant::Empty), None);
    }
}
