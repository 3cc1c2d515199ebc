//! The scenarios against the release module, on a host like Envoy, on one like NGINX, and on one
//! that has little.
//!
//! `JWT_GATE_WASM` names the module; by default it is the one that `make wasm` builds.
#![expect(clippy::panic, reason = "test code")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jwt_gate_scenario::{Level, run_suite};
use jwt_gate_test_host::{Module, Personality, ScenarioDriver, Traps};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let default = || workspace().join("dist/jwt-gate.wasm");
        let path = std::env::var_os("JWT_GATE_WASM").map_or_else(default, PathBuf::from);
        Module::from_file(&path).unwrap_or_else(|error| panic!("{error}: run `make wasm` first"))
    })
}

fn every_scenario_holds(level: Level, personality: Personality) {
    let module = module();
    let traps = Traps::default();
    let driver = |_: &_| ScenarioDriver::new(personality, module, &traps);
    let report = run_suite(&workspace().join("tests/scenarios"), level, driver);
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(traps.all(), Vec::<String>::new(), "a scenario trapped");
    assert!(report.all_passed(), "{report}");
}

#[test]
fn every_scenario_holds_for_the_module_on_envoy() {
    every_scenario_holds(Level::Module, Personality::Envoy);
}

#[test]
fn every_scenario_holds_for_the_module_on_nginx() {
    every_scenario_holds(Level::Nginx, Personality::Nginx);
}

#[test]
fn every_scenario_with_one_set_of_keys_holds_for_the_module_on_a_bare_host() {
    every_scenario_holds(Level::Bare, Personality::Bare);
}
