//! Running generated cases, many configurations at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use jwt_gate_envoy::Error;
use jwt_gate_scenario::Keyring;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as RunnerConfig, RngAlgorithm, TestRng, TestRunner};

use super::Play;
use super::doors::{Doors, Shown};
use super::strategy;
use super::texts::Texts;
use crate::stage::{Door, Stage};

/// Requests for each configuration.
const ASKS: usize = 40;
/// Configurations that Envoy has at once.
const BATCH: usize = 48;
/// Batches after which a new Envoy is started.
const BATCHES: usize = 20;
/// Plays at once.
const WORKERS: usize = 2;
/// Steps of making a failing case smaller.
const STEPS: usize = 200;
/// How often a request is tried before a difference counts: two tries may be in two seconds.
const ATTEMPTS: usize = 3;

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests that both sides answered.
    pub comparisons: usize,
    /// Those in which both sides differed on purpose.
    pub explained: usize,
    /// How often each divergence may have been why, by its id.
    pub shown: BTreeMap<&'static str, usize>,
    /// Configurations.
    pub configurations: usize,
    /// Envoys that were started.
    pub envoys: usize,
    /// The smallest case that failed first, to be pasted.
    pub failure: Option<String>,
}

/// What came of one configuration.
#[derive(Default)]
struct Played {
    made: usize,
    shown: Vec<Shown>,
    failure: Option<String>,
    doors: Vec<Door>,
}

/// Compares until so many comparisons are made, or one fails.
///
/// # Errors
/// Envoy cannot be started or told.
pub fn run(comparisons: usize, seed: u64) -> Result<Report, Error> {
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte = value;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(RunnerConfig::default(), rng);
    let (keyring, plays) = (Keyring::new(), strategy::play(ASKS));
    let mut report = Report::default();
    while report.comparisons < comparisons && report.failure.is_none() {
        let stage = Stage::open()?;
        report.envoys = report.envoys.saturating_add(1);
        for _ in 0..BATCHES {
            if report.comparisons >= comparisons || report.failure.is_some() {
                break;
            }
            let trees = (0..BATCH).filter_map(|_| plays.new_tree(&mut runner).ok());
            batch(&stage, &keyring, trees.collect(), &mut report)?;
        }
    }
    Ok(report)
}

fn batch<T: ValueTree<Value = Play>>(
    stage: &Stage,
    keyring: &Keyring,
    mut trees: Vec<T>,
    report: &mut Report,
) -> Result<(), Error> {
    let plays: Vec<Play> = trees.iter().map(ValueTree::current).collect();
    let played = Mutex::new(Vec::new());
    let doors = Doors::put_up(stage, keyring, &plays)?;
    let queue = Mutex::new(doors.into_iter().zip(&plays).enumerate());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((number, (doors, play))) = next else { return };
                    let outcome = perform(stage, keyring, play, doors);
                    played.lock().unwrap_or_else(PoisonError::into_inner).push((number, outcome));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.sort_by_key(|(number, _)| *number);
    let mut failed = None;
    let mut closed = Vec::new();
    for (number, outcome) in played {
        closed.extend(report.add(outcome, &mut failed, number));
    }
    stage.take_down(closed)?;
    if let Some((number, failure)) = failed {
        report.failure = match trees.get_mut(number) {
            Some(tree) => Some(smallest(stage, keyring, tree, failure)?),
            None => Some(failure),
        };
    }
    Ok(())
}

impl Report {
    /// The doors that are to be taken down.
    fn add(
        &mut self,
        played: Played,
        failed: &mut Option<(usize, String)>,
        number: usize,
    ) -> Vec<Door> {
        self.comparisons = self.comparisons.saturating_add(played.made);
        self.explained = self.explained.saturating_add(played.shown.len());
        self.configurations = self.configurations.saturating_add(1);
        for id in played.shown.into_iter().flatten() {
            let count = self.shown.entry(id).or_default();
            *count = count.saturating_add(1);
        }
        if let (None, Some(failure)) = (&failed, played.failure) {
            *failed = Some((number, failure));
        }
        played.doors
    }
}

/// Asks all, up to the first failure.
fn perform(stage: &Stage, keyring: &Keyring, play: &Play, doors: Result<Doors, String>) -> Played {
    let mut played = Played::default();
    let mut doors = match doors {
        Ok(doors) => doors,
        Err(refused) => return Played { failure: Some(refused), ..played },
    };
    // Within a second the same words are the same token, which the gate then knows.
    let mut texts = Texts::new(keyring, stage.now());
    for ask in &play.asks {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 || texts.now() != stage.now() {
                texts = Texts::new(keyring, stage.now());
            }
            played.made = played.made.saturating_add(1);
            match doors.compare(&mut texts, &play.config, ask) {
                Ok(shown) => {
                    played.shown.extend((!shown.is_empty()).then_some(shown));
                    played.failure = None;
                    break;
                }
                Err(problem) => played.failure = Some(problem),
            }
        }
        if played.failure.is_some() {
            break;
        }
    }
    played.doors = doors.all().into();
    played
}

/// Makes a failing play smaller as long as it fails.
fn smallest<T: ValueTree<Value = Play>>(
    stage: &Stage,
    keyring: &Keyring,
    tree: &mut T,
    mut failure: String,
) -> Result<String, Error> {
    let mut go_on = tree.simplify();
    for _ in 0..STEPS {
        if !go_on {
            break;
        }
        let play = tree.current();
        let doors = Doors::put_up(stage, keyring, std::slice::from_ref(&play))?.pop();
        let played = doors.map(|doors| perform(stage, keyring, &play, doors)).unwrap_or_default();
        stage.take_down(played.doors)?;
        go_on = match played.failure {
            Some(found) => {
                failure = found;
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    Ok(failure)
}
