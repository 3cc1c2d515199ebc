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

/// The cluster that a policy names is the one that the resources beside it make.
#[test]
fn the_plugins_for_istio_fail_closed_and_their_identity_provider_is_known() {
    for (file, owned) in [("wasmplugin.yaml", 1), ("from-request-authentication.yaml", 2)] {
        let documents = documents(&format!("istio/{file}"));
        let spec = &documents[0]["spec"];
        has_only(spec, &PLUGIN[..16]);
        let how = (&spec["phase"], &spec["failStrategy"]);
        assert_eq!(how, (&"AUTHN".into(), &"FAIL_CLOSE".into()), "{file}");
        let policy = policy(&spec["pluginConfig"].to_string());
        assert_eq!(policy.owned().len(), owned, "{file}");
        let host = &documents[1]["spec"]["hosts"][0];
        let remote = &spec["pluginConfig"]["providers"]["idp"]["remote_jwks"];
        let cluster = format!("outbound|443||{}", host.as_str().unwrap());
        assert_eq!(remote["http_uri"]["cluster"], cluster, "{file}");
        assert_eq!(documents[2]["spec"]["host"], *host, "{file}");
        assert_eq!(documents[2]["spec"]["trafficPolicy"]["tls"]["mode"], "SIMPLE", "{file}");
        let namespaces = documents.iter().map(|d| &d["metadata"]["namespace"]);
        assert!(namespaces.collect::<Vec<_>>().windows(2).all(|two| two[0] == two[1]), "{file}");
    }
}

/// The policy of an `EnvoyExtensionPolicy`.
fn extension(policy: &Value) -> &Value {
    has_only(&policy["spec"], &["targetRefs", "targetSelectors", "wasm", "extProc", "lua"]);
    let wasm = policy.pointer("/spec/wasm/0").unwrap();
    has_only(wasm, &["name", "rootID", "code", "config", "failOpen", "env"]);
    has_only(&wasm["code"], &["type", "http", "image", "pullPolicy"]);
    assert_eq!(wasm["failOpen"], false);
    &wasm["config"]
}

#[test]
fn the_policy_for_envoy_gateway_fails_closed_and_needs_no_cluster() {
    let config = extension(&documents("envoy-gateway/envoyextensionpolicy.yaml")[0]).to_string();
    policy(&config);
    assert!(!config.contains("remote_jwks"));
}

#[test]
fn the_one_with_keys_from_a_url_brings_its_cluster() {
    let documents = documents("envoy-gateway/remote-keys.yaml");
    let patch = &documents[0]["spec"]["jsonPatches"][0];
    assert_eq!(patch["operation"]["op"], "add");
    let cluster = &patch["operation"]["value"];
    assert_eq!(cluster["transport_socket"]["name"], "envoy.transport_sockets.tls");
    let config = extension(&documents[1]);
    policy(&config.to_string());
    let remote = &config["providers"]["idp"]["remote_jwks"]["http_uri"];
    for name in [&patch["name"], &cluster["load_assignment"]["cluster_name"], &cluster["name"]] {
        assert_eq!(*name, remote["cluster"]);
    }
    assert_eq!(documents[0]["spec"]["targetRef"], documents[1]["spec"]["targetRefs"][0]);
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
    assert_eq!(policy.warnings(), []);
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
