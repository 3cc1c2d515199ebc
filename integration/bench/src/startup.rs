//! What a filter costs before the first request, and the first requests.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use jwt_gate_envoy::{Client, Envoy};

use crate::{
    error::Error,
    measure::{request, start},
    process::{self, Cores},
    stats::Spread,
    subject::{Setup, Subject, Variant, Workshop},
    wrk::{Load, Wrk},
};

/// Whose start is looked at.
const SUBJECTS: [Subject; 6] = [
    Subject { variant: Variant::Open, setup: Setup::Rules(1) },
    Subject { variant: Variant::Empty, setup: Setup::Rules(1) },
    Subject { variant: Variant::Native, setup: Setup::Rules(1) },
    Subject { variant: Variant::Native, setup: Setup::Rules(10_000) },
    Subject { variant: Variant::Gate, setup: Setup::Rules(1) },
    Subject { variant: Variant::Gate, setup: Setup::Rules(10_000) },
];
/// Which of the first requests are shown.
pub(crate) const SHOWN: [usize; 6] = [1, 2, 3, 10, 30, 100];
/// Beginning of those that count as later ones.
const LATER: usize = 100;

/// What a start and the requests after it were like; in each a figure of each round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    /// Until Envoy was ready, in ms.
    pub(crate) ready: Vec<f64>,
    /// CPU time until then, in ms.
    pub(crate) cpu: Vec<f64>,
    /// Memory in MiB, with one worker.
    pub(crate) memory: Vec<f64>,
    /// Memory in MiB, after a second of load.
    pub(crate) loaded: Vec<f64>,
    /// Memory in MiB of one more worker.
    pub(crate) worker: Vec<f64>,
    /// CPU time of the first requests, in µs, by their number.
    pub(crate) first: BTreeMap<usize, Vec<f64>>,
    /// Median CPU time of the later ones, in µs.
    pub(crate) later: Vec<f64>,
}

/// Starts Envoys, and looks at them.
#[derive(Debug)]
pub(crate) struct Starter<'a> {
    /// Where subjects come from.
    pub(crate) workshop: &'a Workshop,
    /// Where they run.
    pub(crate) cores: Cores,
    /// A folder for the load generator.
    pub(crate) folder: &'a Path,
    /// A file with different tokens of one kind.
    pub(crate) file: &'a Path,
    /// The same tokens.
    pub(crate) tokens: &'a [String],
}

impl Starter<'_> {
    /// Looks at every subject so many times.
    pub(crate) fn starts(&self, rounds: u32) -> Result<BTreeMap<Subject, Start>, Error> {
        let mut starts: BTreeMap<Subject, Start> = BTreeMap::new();
        for _ in 0..rounds {
            for subject in SUBJECTS {
                self.look(subject, starts.entry(subject).or_default())?;
            }
        }
        Ok(starts)
    }

    fn look(&self, subject: Subject, seen: &mut Start) -> Result<(), Error> {
        #[expect(clippy::disallowed_methods, reason = "a process outside this one is timed")]
        let begun = Instant::now();
        let envoy = start(self.workshop, &[subject], 1, self.cores)?;
        seen.ready.push(milliseconds(begun.elapsed()));
        seen.cpu.push(milliseconds(process::cpu_time_at_rest(envoy.pid())?));
        let memory = mebibytes(&envoy)?;
        seen.memory.push(memory);
        self.first_requests(&envoy, subject, seen)?;
        self.load(&envoy, subject)?;
        seen.loaded.push(mebibytes(&envoy)?);
        drop(envoy);
        let two = start(self.workshop, &[subject], 2, self.cores)?;
        process::cpu_time_at_rest(two.pid())?;
        seen.worker.push(mebibytes(&two)? - memory);
        Ok(())
    }

    /// One request after the other, each on a connection of its own.
    fn first_requests(
        &self,
        envoy: &Envoy,
        subject: Subject,
        seen: &mut Start,
    ) -> Result<(), Error> {
        let client = Client::new(envoy.address(&subject.to_string())?);
        let mut before = process::cpu_time_at_rest(envoy.pid())?;
        let mut later = Vec::new();
        for (number, token) in (1..=LATER.saturating_mul(2)).zip(self.tokens) {
            client.send(&request(&subject.setup.path(), token))?;
            let now = process::cpu_time_at_rest(envoy.pid())?;
            let spent = now.saturating_sub(before).as_secs_f64() * 1e6;
            before = now;
            if SHOWN.contains(&number) {
                seen.first.entry(number).or_default().push(spent);
            }
            if number > LATER {
                later.push(spent);
            }
        }
        seen.later.extend(Spread::of(later).map(|later| later.median));
        Ok(())
    }

    fn load(&self, envoy: &Envoy, subject: Subject) -> Result<(), Error> {
        let address = envoy.address(&subject.to_string())?;
        let (path, skip, connections, seconds) = (subject.setup.path(), 0, 16, 1);
        let load = Load { address, path: &path, tokens: self.file, skip, connections, seconds };
        Wrk::new(self.folder)?.run(&load).map(drop)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mebibytes(envoy: &Envoy) -> Result<f64, Error> {
    let kibibytes = process::resident_kib(envoy.pid())?;
    Ok(u32::try_from(kibibytes).map_or(f64::INFINITY, f64::from) / 1024.0)
}
