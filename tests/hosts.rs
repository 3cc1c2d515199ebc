//! The configurations that are shipped for each host: what stands in them for the gate compiles, and
//! what belongs together around it is there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::fs;
use std::path::Path;

use jwt_gate::policy::Policy;
use serde::Deserialize;
use serde_json::Value;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a YAML file.
fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    let each = serde_yaml_ng::Deserializer::from_str(&text);
    each.map(|document| Value::deserialize(document).unwrap()).collect()
}

fn policy(config: &str) -> Policy {
    Policy::from_json(config.as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The members of an object are among those that its schema has.
fn has_only(object: &Value, known: &[&str]) {
    for name in object.as_object().unwrap().keys() {
        assert!(known.contains(&name.as_str()), "{name} is none of {known:?}");
    }
}

/// What `WasmPlugin` of Istio has, and Higress besides.
const PLUGIN: [&str; 18] = [
    "selector",
    "targetRef",
    "targetRefs",
    "url",
    "sha256",
    "imagePullPolicy",
    "imagePullSecret",
    "verificationKey",
    "pluginConfig",
    "pluginName",
    "phase",
    "failStrategy",
    "priority",
    "vmConfig",
    "match",
    "type",
    "defaultConfig",
    "matchRules",
];

#[test]
fn the_plugin_for_istio_fails_closed_and_its_identity_provider_is_known() {
    let documents = documents("istio/wasmplugin.yaml");
    let spec = &documents[0]["spec"];
    has_only(spec, &PLUGIN[..16]);
    assert_eq!((&spec["phase"], &spec["failStrategy"]), (&"AUTHN".into(), &"FAIL_CLOSE".into()));
    let policy = policy(&spec["pluginConfig"].to_string());
    assert_eq!(policy.owned().len(), 1);
    let host = &documents[1]["spec"]["hosts"][0];
    let cluster = format!("outbound|443||{}", host.as_str().unwrap());
    assert!(spec["pluginConfig"].to_string().contains(&cluster), "{cluster}");
    assert_eq!(documents[2]["spec"]["host"], *host);
    assert_eq!(documents[2]["spec"]["trafficPolicy"]["tls"]["mode"], "SIMPLE");
}

#[test]
fn the_policy_for_envoy_gateway_fails_closed_and_needs_no_cluster() {
    let spec = &documents("envoy-gateway/envoyextensionpolicy.yaml")[0]["spec"];
    has_only(spec, &["targetRefs", "targetSelectors", "wasm", "extProc", "lua"]);
    let wasm = &spec["wasm"][0];
    has_only(wasm, &["name", "rootID", "code", "config", "failOpen", "env"]);
    has_only(&wasm["code"], &["type", "http", "image", "pullPolicy"]);
    assert_eq!(wasm["failOpen"], false);
    policy(&wasm["config"].to_string());
    assert!(!wasm["config"].to_string().contains("remote_jwks"));
}

/// The gateway puts the entries of `matchRules` beside the default configuration.
#[test]
fn the_plugin_for_higress_has_rules_for_a_domain_beside_those_for_all() {
    let spec = &documents("higress/wasmplugin.yaml")[0]["spec"];
    has_only(spec, &PLUGIN);
    assert_eq!(spec["failStrategy"], "FAIL_CLOSE");
    let handed_over = |rule: &Value| {
        has_only(rule, &["domain", "config"]);
        let mut entry = rule["config"].clone();
        entry["_match_domain_"] = rule["domain"].clone();
        entry
    };
    let mut config = spec["defaultConfig"].clone();
    config["_rules_"] = spec["matchRules"].as_array().unwrap().iter().map(handed_over).collect();
    let policy = policy(&config.to_string());
    assert_eq!(policy.summary(), "1 providers, 3 rules");
    assert_eq!(policy.warnings(), [""; 0]);
}

/// Each identity header comes from its variable, whatever the client sent.
#[test]
fn nginx_sets_each_identity_header_from_its_variable() {
    let conf = text("nginx/nginx.conf");
    let (_, rest) = conf.split_once("proxy_wasm jwt_gate '").unwrap();
    let (config, _) = rest.split_once("';").unwrap();
    let policy = policy(config);
    assert_eq!(policy.owned().len(), 1);
    for header in policy.owned() {
        let variable = format!("jwt_gate_{}", header.as_str().replace('-', "_"));
        assert!(conf.contains(&format!("set ${variable} \"\";")), "{variable}");
        let lower = conf.to_lowercase();
        assert!(lower.contains(&format!("proxy_set_header {header} ${variable};")), "{header}");
    }
    for line in ["tls_verify_cert on;", "tls_verify_host on;", "shm_kv * ", "resolver "] {
        assert!(conf.contains(line), "{line}");
    }
    assert!(conf.contains("proxy_wasm_request_headers_in_access on;"));
}
