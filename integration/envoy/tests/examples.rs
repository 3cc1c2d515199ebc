//! The examples of bootstraps: Envoy takes them as they stand, and with the tests' own upstream and
//! identity provider they do what they say.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

#[path = "examples/capabilities.rs"]
mod capabilities;
#[path = "examples/stage.rs"]
mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jwt_gate_envoy::{Bootstrap, Envoy};
use serde::Deserialize;
use serde_json::{Value, json};
use stage::Stage;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn envoy_takes_every_example_as_it_stands() {
    let binary = Envoy::binary().unwrap_or_else(|error| panic!("{error}"));
    Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let mut examples = 0_u32;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let mut envoy = Command::new(&binary);
        // They name the module as it lies in the workspace.
        envoy.current_dir(folder().join("../../..")).args(["--mode", "validate", "-c"]).arg(&path);
        let output = envoy.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {log}", path.display());
        assert!(log.contains("configuration loaded: 1 providers"), "{}: {log}", path.display());
        examples = examples.saturating_add(1);
    }
    assert_eq!(examples, 3);
}

/// What `EnvoyPatchPolicy` adds for Envoy Gateway is a cluster that Envoy takes.
#[test]
fn envoy_takes_the_cluster_of_the_manifest_for_envoy_gateway() {
    let path = folder().join("../../envoy-gateway/remote-keys.yaml");
    let text = fs::read_to_string(path).unwrap();
    let first = serde_yaml_ng::Deserializer::from_str(&text).next().unwrap();
    let patch = Value::deserialize(first).unwrap();
    let cluster = &patch["spec"]["jsonPatches"][0]["operation"]["value"];
    let bootstrap = json!({ "static_resources": { "clusters": [cluster] } });
    Envoy::validate(&Bootstrap::written(bootstrap)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn keys_in_the_configuration_are_the_ones_that_count() {
    let stage = Stage::open("inline.yaml");
    // The example's key is published with its private part (RFC 7517, appendix A.2); another
    // signs under its name.
    let forged = stage.token("key=p256-1 kid=example aud=orders");
    assert_eq!(stage.get("orders", "/orders", None).status, 401);
    let answer = stage.get("orders", "/orders", Some(&forged));
    assert_eq!((answer.status, answer.text().as_str()), (401, "Jwt verification fails"));
}

#[test]
fn each_listener_has_its_policy_and_a_route_may_have_none() {
    let stage = Stage::open("listeners.yaml");
    let good = stage.token("key=p256-1 aud=orders");
    for (listener, target, token, status) in [
        ("orders", "/health", None, 200),
        ("orders", "/health/../orders", None, 401),
        ("orders", "/orders", None, 401),
        ("orders", "/orders", Some(&good), 200),
        ("orders", "/reports", Some(&good), 403),
        ("reports", "/reports", Some(&good), 200),
        ("reports", "/orders", Some(&good), 403),
        ("reports", "/health", None, 403),
    ] {
        assert_eq!(stage.get(listener, target, token).status, status, "{listener} {target}");
    }
}
