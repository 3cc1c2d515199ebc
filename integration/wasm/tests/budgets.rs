//! What a request costs in the module: hostcalls and executed instructions, counted.
//!
//! `budgets.toml` holds what it cost last. More than that fails; much less asks for the file to be
//! written anew, which `make budgets` does. Counted is the module as the linker makes it, which is
//! the same with `wasm-opt` and without.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "budgets/bench.rs"]
mod bench;
#[path = "budgets/memory.rs"]
mod memory;
#[path = "support/metered.rs"]
mod metered;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bench::{Case, cases};

/// What one request costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
struct Cost {
    /// Hostcalls from its beginning to its end.
    hostcalls: u64,
    /// Instructions that the module executes for it, as wasmtime's fuel counts them.
    instructions: u64,
}

type Costs = BTreeMap<String, Cost>;

/// Instructions may be off by so much, in percent: another compiler inlines in another way.
const TOLERANCE: u64 = 5;

/// Most hostcalls for a token that comes again, where the upstream is told nothing.
const HOT_HOSTCALLS: u64 = 6;

const HEAD: &str = "\
# What a request costs in the module. Counted by `tests/budgets.rs`, written by `make budgets`.
# Rust 1.95; hostcalls exactly, instructions within 5 %.
";

fn baseline() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("budgets.toml")
}

/// Whether what is measured is to be written down.
fn writes() -> bool {
    std::env::var_os("BUDGETS").is_some_and(|word| word == "write")
}

fn measured() -> Costs {
    cases().into_iter().map(|case: Case| (case.name.clone(), case.cost())).collect()
}

/// What is wrong with a cost, if anything is.
fn complaint(name: &str, was: Option<&Cost>, is: Option<&Cost>) -> Option<String> {
    let (Some(was), Some(is)) = (was, is) else {
        let state = if is.is_some() { "is new" } else { "is gone" };
        return Some(format!("{name} {state}: `make budgets`"));
    };
    if is.hostcalls != was.hostcalls {
        return Some(format!("{name}: {} hostcalls, were {}", is.hostcalls, was.hostcalls));
    }
    let (is, was) = (is.instructions, was.instructions);
    let tenths = is.abs_diff(was) * 1_000 / was.max(1);
    let percent = format!("{}.{} %", tenths / 10, tenths % 10);
    match tenths > TOLERANCE * 10 {
        true if is > was => Some(format!("{name}: {is} instructions, {percent} above {was}")),
        true => Some(format!("{name}: {is} instructions, {percent} below {was}: `make budgets`")),
        false => None,
    }
}

/// What a candidate policy adds to each kind of request that is counted with one and without.
fn shadow_overhead(costs: &Costs) -> String {
    let mut table = String::from(
        "| request | without | with a candidate | ratio | hostcalls |\n|---|---:|---:|---:|---:|\n",
    );
    for (name, with) in costs {
        let Some((request, candidate)) = name.split_once(", shadow policy") else { continue };
        let without = costs[request];
        let hundredths = with.instructions * 100 / without.instructions;
        let (whole, part) = (hundredths / 100, hundredths % 100);
        let more = with.hostcalls - without.hostcalls;
        let comma = if candidate.is_empty() { "" } else { ", by a candidate" };
        writeln!(
            table,
            "| {request}{comma}{candidate} | {} | {} | {whole}.{part:02} | {} + {more} |",
            without.instructions, with.instructions, without.hostcalls,
        )
        .unwrap();
    }
    table
}

/// Holds the table of docs/performance.md against this one.
fn show_on_page(table: &str) {
    assert!(table.lines().count() > 5, "{table}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- candidate: begin -->\n", "<!-- candidate: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (shown, after) = rest.split_once(end).unwrap();
    if writes() {
        std::fs::write(&page, [before, begin, table, end, after].concat()).unwrap();
    } else {
        assert_eq!(shown, table, "`make budgets` writes it down anew");
    }
}

#[test]
fn no_request_costs_more_than_it_did() {
    let measured = measured();
    if writes() {
        let text = format!("{HEAD}\n{}", toml::to_string(&measured).unwrap());
        std::fs::write(baseline(), text).unwrap();
    }
    let text = std::fs::read_to_string(baseline()).unwrap();
    let before: Costs = toml::from_str(&text).unwrap();
    let names: Vec<_> =
        before.keys().chain(measured.keys().filter(|n| !before.contains_key(*n))).collect();
    let wrong = names.into_iter().filter_map(|n| complaint(n, before.get(n), measured.get(n)));
    let wrong = wrong.fold(String::new(), |mut all, line| {
        writeln!(all, "{line}").unwrap();
        all
    });
    assert!(wrong.is_empty(), "\n{wrong}");
    show_on_page(&shadow_overhead(&before));
}

#[test]
fn a_token_that_comes_again_takes_few_hostcalls() {
    let hot = cases().into_iter().find(|case| case.name == "hot").unwrap();
    assert!(hot.cost().hostcalls <= HOT_HOSTCALLS);
}

#[test]
fn a_cost_is_complained_of_when_it_differs() {
    let cost = |hostcalls, instructions| Cost { hostcalls, instructions };
    let rows = [
        (Some(cost(5, 1_000)), Some(cost(5, 1_050)), None),
        (Some(cost(5, 1_000)), Some(cost(5, 951)), None),
        (
            Some(cost(5, 1_000)),
            Some(cost(5, 1_051)),
            Some("x: 1051 instructions, 5.1 % above 1000"),
        ),
        (
            Some(cost(5, 1_000)),
            Some(cost(5, 900)),
            Some("x: 900 instructions, 10.0 % below 1000: `make budgets`"),
        ),
        (Some(cost(5, 1_000)), Some(cost(6, 1_000)), Some("x: 6 hostcalls, were 5")),
        (Some(cost(5, 1_000)), Some(cost(4, 1_000)), Some("x: 4 hostcalls, were 5")),
        (None, Some(cost(5, 1_000)), Some("x is new: `make budgets`")),
        (Some(cost(5, 1_000)), None, Some("x is gone: `make budgets`")),
    ];
    for (was, is, expected) in rows {
        assert_eq!(complaint("x", was.as_ref(), is.as_ref()).as_deref(), expected);
    }
}
