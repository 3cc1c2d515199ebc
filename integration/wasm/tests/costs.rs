//! The most that a request can cost: what a client can send through a proxy with Envoy's own bounds
//! (60 KiB of headers, 100 of them), counted in instructions, beside an ordinary request.
//!
//! `COSTS=show` prints the table, with times.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code, which measures time on demand"
)]

#[path = "costs/cases.rs"]
mod cases;
#[path = "costs/limits.rs"]
mod limits;
#[path = "support/metered.rs"]
mod metered;
#[path = "costs/worker.rs"]
mod worker;

use cases::{Case, ordinary, worst};
use worker::Worker;

/// How many ordinary requests the worst one may cost, in instructions.
const MOST: u64 = 100;

/// What a request of this kind costs when it comes for the first time.
fn cost(case: &Case) -> u64 {
    let worker = Worker::new(&case.config);
    // What is done once in a worker's life is not the request's doing.
    worker.cost(&cases::bearer("a.b.c"));
    worker.cost(&case.request(&worker))
}

#[test]
fn no_request_costs_much_more_than_an_ordinary_one() {
    let usual = cost(&ordinary());
    let mut costs: Vec<_> = worst().into_iter().map(|case| (cost(&case), case.name)).collect();
    costs.sort_unstable_by(|a, b| b.cmp(a));
    if std::env::var_os("COSTS").is_some() {
        println!("{usual:>12} instructions: {}", ordinary().name);
        for (cost, name) in &costs {
            println!("{cost:>12} instructions, {:>4} times as many: {name}", cost / usual);
        }
        for case in worst().into_iter().chain([ordinary()]) {
            println!("{:>9.3} ms: {}", worker::milliseconds(&case), case.name);
        }
    }
    let wrong: Vec<_> = costs.iter().filter(|(cost, _)| *cost > MOST * usual).collect();
    assert!(wrong.is_empty(), "an ordinary one costs {usual}: {wrong:#?}");
}
