//! The examples of bootstraps are good to Envoy, and the policies in them to the module.

use std::fs;
use std::path::Path;
use std::process::Command;

use jwt_gate_envoy::Envoy;

#[test]
fn envoy_takes_every_example() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = Envoy::binary().unwrap_or_else(|error| panic!("{error}"));
    Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let mut examples = 0_u32;
    for entry in fs::read_dir(here.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let mut envoy = Command::new(&binary);
        // They name the module as it lies in the workspace.
        envoy.current_dir(here.join("../..")).args(["--mode", "validate", "-c"]).arg(&path);
        let output = envoy.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {log}", path.display());
        assert!(log.contains("configuration loaded: 1 providers"), "{}: {log}", path.display());
        examples = examples.saturating_add(1);
    }
    assert_eq!(examples, 3);
}
