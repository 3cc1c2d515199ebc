//! The results as tables in Markdown.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    case::Section,
    machine::Machine,
    measure::{Outcome, Sample},
    startup::{SHOWN, Start},
    stats::Spread,
    subject::{Setup, Subject, Variant},
};

/// Something about a sample, with its name.
type Figure = (&'static str, fn(&Sample) -> f64);

/// CPU time over no filter of all cases of a section, and their ratios.
pub(crate) fn costs(outcomes: &[Outcome], section: Section) -> String {
    let outcomes = of(outcomes, section);
    let variants = variants(&outcomes);
    let goals = outcomes.iter().any(|outcome| outcome.case.goal.is_some());
    let mut head = vec![String::new()];
    head.extend(variants.iter().map(|variant| variant.label().to_owned()));
    head.push("jwt-gate : native".to_owned());
    head.extend(goals.then(|| "at most".to_owned()));
    let rows = outcomes.iter().map(|outcome| {
        let mut row = vec![outcome.case.name.clone()];
        row.extend(variants.iter().map(|variant| {
            if *variant == Variant::Open {
                cell("", outcome.spread(Variant::Open, |sample| sample.cpu), 1)
            } else {
                cell("+", outcome.cost(*variant), 1)
            }
        }));
        row.push(cell("", outcome.ratio(Variant::Gate), 2));
        row.extend(goals.then(|| goal(outcome)));
        row
    });
    table(&head, rows)
}

/// Times to the answer.
pub(crate) fn latencies(outcomes: &[Outcome]) -> String {
    let outcomes = of(outcomes, Section::Latency);
    let median: Figure = ("median", |sample| sample.p50);
    let most: Figure = ("99 of 100 within", |sample| sample.p99);
    let variants = variants(&outcomes);
    let mut head = vec![String::new()];
    head.extend(variants.iter().map(|variant| variant.label().to_owned()));
    let rows = outcomes.iter().flat_map(|outcome| {
        [median, most].map(|(name, figure)| {
            let mut row = vec![format!("{}: {name}", outcome.case.name)];
            row.extend(
                variants.iter().map(|variant| cell("", outcome.spread(*variant, figure), 0)),
            );
            row
        })
    });
    table(&head, rows)
}

/// What a start costs.
pub(crate) fn starts(starts: &BTreeMap<Subject, Start>) -> String {
    let head = [
        "",
        "ready after, ms",
        "CPU until then, ms",
        "memory, MiB",
        "after load, MiB",
        "one more worker, MiB",
    ];
    let rows = starts.iter().map(|(subject, start)| {
        let figures =
            [&start.ready, &start.cpu, &start.memory, &start.loaded, &start.worker].into_iter();
        let cells = figures.map(|figures| cell("", Spread::of(figures.iter().copied()), 1));
        std::iter::once(label(*subject)).chain(cells).collect()
    });
    table(&head.map(str::to_owned), rows)
}

/// CPU time of the first requests.
pub(crate) fn first_requests(starts: &BTreeMap<Subject, Start>) -> String {
    let mut head = vec![String::new()];
    head.extend(SHOWN.map(|number| format!("request {number}")));
    head.push("later ones".to_owned());
    let rows = starts.iter().map(|(subject, start)| {
        let first = SHOWN.iter().map(|number| start.first.get(number));
        let figures = first
            .chain([Some(&start.later)])
            .map(|figures| cell("", Spread::of(figures.into_iter().flatten().copied()), 0));
        std::iter::once(label(*subject)).chain(figures).collect()
    });
    table(&head, rows)
}

/// What it was measured on.
pub(crate) fn machine(machine: &Machine, rounds: u32, seconds: u32, fresh: u32) -> String {
    let Machine { processor, cores, kernel, envoy, module_bytes, module_hash, day, busy, .. } =
        machine;
    let pinned = if machine.apart {
        "Envoy on one core, wrk on another"
    } else {
        "Envoy and wrk on the same core, which disturbs the times to the answer"
    };
    format!(
        "| | |\n|---|---|\n\
         | date | {day} |\n\
         | processor | {processor}, {cores} cores; {pinned} |\n\
         | load of the machine before | {busy:.1} |\n\
         | kernel | Linux {kernel} |\n\
         | Envoy | {envoy}, one worker |\n\
         | module | {module_bytes} bytes, SHA-256 `{module_hash}` |\n\
         | rounds | {rounds}, {seconds} s for each variant of each case |\n\
         | fresh tokens | {fresh} of each kind |\n"
    )
}

/// The line of this state of the project in the table of steps: what the goals are about.
pub(crate) fn step(name: &str, machine: &Machine, outcomes: &[Outcome]) -> String {
    let mut line = format!("| {name} | {} | {} |", machine.day, machine.module_bytes);
    for outcome in outcomes.iter().filter(|outcome| outcome.case.goal.is_some()) {
        let ratio = outcome.ratio(Variant::Gate).map(|ratio| number(ratio.median, 2));
        let cost = outcome.cost(Variant::Gate).map(|cost| number(cost.median, 1));
        let (ratio, cost) = (ratio.unwrap_or_default(), cost.unwrap_or_default());
        // Writing to a string does not fail.
        _ = write!(line, " {ratio} (+{cost}) |");
    }
    line
}

/// The head of the table of steps.
pub(crate) fn step_head(outcomes: &[Outcome]) -> String {
    let mut head = vec!["step".to_owned(), "date".to_owned(), "module, bytes".to_owned()];
    let goals = outcomes.iter().filter_map(|outcome| Some((&outcome.case, outcome.case.goal?)));
    head.extend(
        goals.map(|(case, goal)| format!("{} {}, at most {goal}", case.section.name(), case.name)),
    );
    table(&head, [])
}

fn of(outcomes: &[Outcome], section: Section) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| outcome.case.section == section).collect()
}

fn variants(outcomes: &[&Outcome]) -> Vec<Variant> {
    let mut all: Vec<_> =
        outcomes.iter().flat_map(|outcome| outcome.samples.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn label(Subject { variant, setup }: Subject) -> String {
    match setup {
        Setup::Rules(10_000) => format!("{}, 10,000 rules", variant.label()),
        Setup::Rules(_) | Setup::Claims => variant.label().to_owned(),
    }
}

fn goal(outcome: &Outcome) -> String {
    let Some(goal) = outcome.case.goal else { return String::new() };
    let met = outcome.ratio(Variant::Gate).is_some_and(|ratio| ratio.median <= goal);
    format!("{goal} {}", if met { "✓" } else { "✗" })
}

/// `+12.3 (12.1–12.9)`.
fn cell(sign: &str, spread: Option<Spread>, decimals: usize) -> String {
    let Some(Spread { median, least, most }) = spread else { return String::new() };
    let sign = if median < 0.0 { "" } else { sign };
    let [median, least, most] = [median, least, most].map(|figure| number(figure, decimals));
    if least == most {
        format!("{sign}{median}")
    } else {
        format!("{sign}{median} ({least}–{most})")
    }
}

/// With a true minus sign, so that a range is not mistaken.
fn number(figure: f64, decimals: usize) -> String {
    format!("{figure:.decimals$}").replace('-', "−")
}

fn table(head: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<_> =
        (0..head.len()).map(|i| if i == 0 { "---" } else { "---:" }.to_owned()).collect();
    let rows = rows.into_iter().map(|row| line(&row));
    [line(head), line(&rule)].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case;

    fn outcome() -> Outcome {
        let case = case::all(false, 1_000).remove(0);
        let samples = [(Variant::Open, 10.0), (Variant::Native, 30.0), (Variant::Gate, 14.0)];
        let sample = |cpu| vec![Sample { cpu, p50: 100.0, p99: 200.4 }];
        Outcome { case, samples: samples.map(|(variant, cpu)| (variant, sample(cpu))).into() }
    }

    #[test]
    fn a_table_has_the_cost_of_each_variant_and_says_whether_the_goal_is_met() {
        let expected = "|  | no filter | native | jwt-gate | jwt-gate : native | at most |\n\
                        | --- | ---: | ---: | ---: | ---: | ---: |\n\
                        | RS256 | 10.0 | +20.0 | +4.0 | 0.20 | 0.25 ✓ |\n";
        assert_eq!(costs(&[outcome()], Section::Hot), expected);
    }

    #[test]
    fn a_cell_shows_the_median_and_how_far_the_rounds_lie_apart() {
        let spread = |median, least, most| Some(Spread { median, least, most });
        for (spread, expected) in [
            (spread(12.34, 12.04, 13.0), "+12.3 (12.0–13.0)"),
            (spread(-0.2, -0.4, 0.1), "−0.2 (−0.4–0.1)"),
            (spread(5.0, 5.0, 5.01), "+5.0"),
            (None, ""),
        ] {
            assert_eq!(cell("+", spread, 1), expected);
        }
    }

    #[test]
    fn a_step_is_one_line_with_what_the_goals_are_about() {
        let machine = Machine {
            processor: String::new(),
            cores: 2,
            apart: true,
            busy: 0.0,
            kernel: String::new(),
            envoy: String::new(),
            module_bytes: 1_000,
            module_hash: String::new(),
            day: "2026-11-25".to_owned(),
        };
        let line = step("before", &machine, &[outcome()]);
        assert_eq!(line, "| before | 2026-11-25 | 1000 | 0.20 (+4.0) |");
        assert_eq!(step_head(&[outcome()]).lines().count(), 2);
    }
}
