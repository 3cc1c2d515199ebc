//! The scenarios against the core: no proxy, no sockets, time is a number.

use std::path::Path;

use jwt_gate_core_driver::Core;
use jwt_gate_scenario::{Level, run_suite};

#[test]
fn every_scenario_holds_in_the_core() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let report = run_suite(&scenarios, Level::Core, |_| Core::new()).unwrap();
    assert!(report.all_passed(), "{report}");
}
