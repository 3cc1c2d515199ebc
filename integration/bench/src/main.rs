//! What the gate costs a request in a real Envoy, beside Envoy's own filter.
//!
//! One Envoy has a listener for each variant, and answers by itself what a filter lets through.
//! wrk sends requests; what counts is the CPU time that the kernel has Envoy down for.

mod case;
mod chart;
mod error;
mod machine;
mod measure;
mod page;
mod process;
mod report;
mod startup;
mod stats;
mod subject;
mod tokens;
mod wrk;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use jwt_gate_scenario::Keyring;

use crate::{
    case::{Case, Section},
    error::Error,
    machine::Machine,
    measure::{Outcome, Stage},
    page::Page,
    process::Cores,
    startup::{Start, Starter},
    subject::{Subject, Variant, Workshop},
    tokens::{Batch, Files, Recipe},
};

/// Measures what the gate costs a request in Envoy, beside Envoy's own filter.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Arguments {
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each variant of each case is measured, in seconds.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Fresh tokens of each kind; more than any cache holds, or they are none.
    #[arg(long, default_value_t = 32_768, value_parser = clap::value_parser!(u32).range(1..))]
    fresh: u32,
    /// Only the cases with this in their name, `hot RS256` or `start`; the page is not written.
    #[arg(long)]
    only: Option<String>,
    /// One round of the cases that tell most; the page is not written.
    #[arg(long)]
    quick: bool,
    /// Name of what was changed: adds a line to the table of steps.
    #[arg(long)]
    step: Option<String>,
    /// The module that does nothing.
    #[arg(long)]
    empty: PathBuf,
}

/// Everything that was measured.
struct Results {
    machine: Machine,
    outcomes: Vec<Outcome>,
    starts: BTreeMap<Subject, Start>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let rounds = if arguments.quick { 1 } else { arguments.rounds };
    let results = measure(arguments, rounds)?;
    let parts = parts(&results, rounds, arguments);
    for (name, part) in parts.iter().filter(|(_, part)| part.lines().count() > 2) {
        println!("## {name}\n{part}");
    }
    if arguments.quick || arguments.only.is_some() {
        return Ok(());
    }
    write(arguments, &results, &parts)
}

fn measure(arguments: &Arguments, rounds: u32) -> Result<Results, Error> {
    let cores = Cores::choose()?;
    let keyring = Keyring::new();
    let empty = arguments.empty.canonicalize().map_err(Error::file(&arguments.empty))?;
    let workshop = Workshop::new(&keyring, empty)?;
    let mut cases = case::all(arguments.quick, arguments.fresh);
    let starts = select(&mut cases, arguments.only.as_deref())?;
    drop_unavailable(&mut cases, &workshop);

    let folder = tempfile::tempdir().map_err(Error::file(&std::env::temp_dir()))?;
    // Before Envoy runs: they are made on all cores.
    eprintln!("Making tokens …");
    let mut files = Files::new(folder.path());
    for case in &cases {
        files.file(&keyring, &case.batch)?;
    }
    let mut stage = Stage::start(&workshop, &cases, cores, folder.path())?;
    let machine = Machine::look(workshop.module(), stage.version()?, cores)?;
    let outcomes = play(&mut stage, cases, &keyring, &mut files, (rounds, arguments.seconds))?;
    drop(stage);

    let mut looked_at = BTreeMap::new();
    if starts {
        eprintln!("Looking at starts …");
        let batch = Batch { recipe: Some(Recipe::good("RS256")), count: arguments.fresh };
        let file = files.file(&keyring, &batch)?;
        let tokens = read(&file)?;
        let (workshop, tokens) = (&workshop, tokens.as_slice());
        let starter = Starter { workshop, cores, folder: folder.path(), file: &file, tokens };
        looked_at = starter.starts(rounds)?;
    }
    Ok(Results { machine, outcomes, starts: looked_at })
}

/// Leaves the cases that were asked for; whether starts were is the answer.
fn select(cases: &mut Vec<Case>, only: Option<&str>) -> Result<bool, Error> {
    let Some(only) = only else { return Ok(true) };
    let names: Vec<_> = cases.iter().map(Case::full_name).collect();
    cases.retain(|case| case.full_name().contains(only));
    let starts = "start".contains(only);
    if cases.is_empty() && !starts {
        return Err(Error::NoCase(only.to_owned(), names.join("\n  ") + "\n  start"));
    }
    Ok(starts)
}

/// A setting that the module does not know has nothing to be measured.
fn drop_unavailable(cases: &mut [Case], workshop: &Workshop) {
    for variant in [Variant::GateUncached, Variant::GatePortable] {
        if !workshop.is_available(variant) {
            eprintln!("This module does not have what makes `{}`.", variant.label());
            for case in cases.iter_mut() {
                case.variants.retain(|other| *other != variant);
            }
        }
    }
}

/// Checks every answer once, then measures round by round.
fn play(
    stage: &mut Stage,
    cases: Vec<Case>,
    keyring: &Keyring,
    files: &mut Files,
    (rounds, seconds): (u32, u32),
) -> Result<Vec<Outcome>, Error> {
    for case in &cases {
        let tokens = read(&files.file(keyring, &case.batch)?)?;
        stage.check(case, tokens.first().map(String::as_str).unwrap_or_default())?;
    }
    let outcome = |case| Outcome { case, samples: BTreeMap::new() };
    let mut outcomes: Vec<_> = cases.into_iter().map(outcome).collect();
    for round in 1..=rounds {
        for Outcome { case, samples } in &mut outcomes {
            eprintln!("Round {round} of {rounds}: {} …", case.full_name());
            let file = files.file(keyring, &case.batch)?;
            for variant in &case.variants {
                let sample = stage.sample(case, *variant, &file, seconds)?;
                samples.entry(*variant).or_default().push(sample);
            }
        }
    }
    Ok(outcomes)
}

/// The parts of the page, but for the steps.
fn parts(results: &Results, rounds: u32, arguments: &Arguments) -> Vec<(&'static str, String)> {
    let Results { machine, outcomes, starts } = results;
    let mut parts =
        vec![("machine", report::machine(machine, rounds, arguments.seconds, arguments.fresh))];
    for section in Section::ALL {
        let table = if section == Section::Latency {
            report::latencies(outcomes)
        } else {
            report::costs(outcomes, section)
        };
        parts.push((section.name(), table));
    }
    parts.push(("start", report::starts(starts)));
    parts.push(("first requests", report::first_requests(starts)));
    parts
}

fn write(
    arguments: &Arguments,
    results: &Results,
    parts: &[(&'static str, String)],
) -> Result<(), Error> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut page = Page::read(&docs.join("performance.md"))?;
    for (name, part) in parts {
        page.replace(name, part)?;
    }
    if let Some(step) = &arguments.step {
        let Results { machine, outcomes, .. } = results;
        let row = report::step(step, machine, outcomes);
        page.add_row("steps", &report::step_head(outcomes), &row)?;
    }
    page.write()?;
    let chart = docs.join("performance.svg");
    fs::write(&chart, chart::draw(&results.outcomes)).map_err(Error::file(&chart))
}

fn read(file: &Path) -> Result<Vec<String>, Error> {
    let text = fs::read_to_string(file).map_err(Error::file(file))?;
    Ok(text.lines().map(str::to_owned).collect())
}
